"""The town, once for all tests of a module: they only read."""

import asyncio
from collections.abc import Iterator

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from tests.conftest import TIMESCALE_URL
from tests.integration.dashboards import town
from tests.parts import databases


@pytest.fixture(scope="module")
def native_town(postgres: RunningPostgres, template_database: str) -> Iterator[str]:
    """The URL of the town's database in native mode."""
    with databases.fresh_database(postgres.url, template_database) as url:
        asyncio.run(town.settle(url))
        yield url


@pytest.fixture(scope="module")
def timescale_town(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of the town's database with TimescaleDB."""
    if TIMESCALE_URL:
        with databases.fresh_database(TIMESCALE_URL) as url:
            databases.migrate(url)
            asyncio.run(town.settle(url))
            yield url
        return
    url = request.getfixturevalue("timescale_server").fresh("migrated")
    asyncio.run(town.settle(url))
    yield url

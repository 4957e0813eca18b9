"""The town, once for all tests of a module: they only read."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from tests.conftest import TIMESCALE_URL
from tests.integration.dashboards import town
from tests.parts import databases, timescale


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
    template: Path = request.getfixturevalue("timescale_template")
    server = timescale.TimescaleServer(template)
    try:
        asyncio.run(town.settle(server.url))
        yield server.url
    finally:
        server.stop()

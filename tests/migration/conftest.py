"""Two empty databases to compare."""

from collections.abc import Iterator

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from tests.parts.databases import fresh_database


@pytest.fixture
def postgres_pair(postgres: RunningPostgres) -> Iterator[tuple[str, str]]:
    with fresh_database(postgres.url) as one, fresh_database(postgres.url) as other:
        yield one, other

"""Two empty databases to compare, and a server of its own for what concerns a whole server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from tests.parts.background import Background
from tests.parts.databases import FAST_AND_CARELESS, fresh_database


@pytest.fixture
def own_postgres(background: Background, home: Path) -> Iterator[RunningPostgres]:
    server, leave = background.open(embedded_postgres(home, settings=FAST_AND_CARELESS))
    yield server
    leave()


@pytest.fixture
def postgres_pair(postgres: RunningPostgres) -> Iterator[tuple[str, str]]:
    with fresh_database(postgres.url) as one, fresh_database(postgres.url) as other:
        yield one, other

"""A database server of these tests' own: roles are a server's, and would be met by all other tests of the process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from tests.parts.background import Background
from tests.parts.databases import FAST_AND_CARELESS


@pytest.fixture(scope="package")
def role_server(background: Background, session_home: Path) -> Iterator[RunningPostgres]:
    home = data_folder(session_home / "roles")
    server, leave = background.open(embedded_postgres(home, settings=FAST_AND_CARELESS))
    yield server
    leave()

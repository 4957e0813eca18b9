"""kill -9 of ingest, of the database, of the broker, under load: a small slice of `make chaos` for every day."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import mosquitto_program
from tests.chaos import flood, uplinks
from tests.chaos.cases import CASES
from tests.chaos.repetition import repeat
from tests.chaos.town import make_template
from tests.conftest import NO_MOSQUITTO

CASE = {case.name: case for case in CASES}
SECONDS = 3.0


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A database with the town's registry, copied for each test."""
    folder = data_folder(Path(tempfile.mkdtemp(prefix="lamplighter-survival-")))
    folder.chmod(0o711)
    asyncio.run(make_template(folder / "database", uplinks.registry() + flood.registry()))
    yield folder / "database"
    shutil.rmtree(folder)


@pytest.mark.skipif(mosquitto_program() is None, reason=NO_MOSQUITTO)
@pytest.mark.parametrize("name", ["killed_after_commit", "database_killed", "broker_killed", "member_killed"])
async def test_nothing_that_devices_believe_delivered_is_lost_or_doubled(name: str, home: Path, template: Path) -> None:
    outcome = await repeat(replace(CASE[name], seconds=SECONDS), 1, home, template)
    assert len(outcome.promised.believed) > 1_000
    assert outcome.verdict.lost == outcome.verdict.doubled == outcome.verdict.complaints == []

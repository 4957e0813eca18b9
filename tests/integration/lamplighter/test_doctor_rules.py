"""`lamplighter doctor` finds a rule file that is not what the rules decide by."""

from pathlib import Path

import pytest

from lamplighter.doctor import rule_file
from lamplighter.settings import Settings
from rules.rulefile.active import ActiveRules
from storage import registry
from storage.pool import connect


def write(path: Path, deadband_m: float) -> None:
    path.write_text(f"drainage.deadband_m = {deadband_m}")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "rules.toml"
    write(path, 0.1)
    monkeypatch.setenv("LAMPLIGHTER_RULES_FILE", str(path))
    return path


async def said(database: str) -> tuple[str, str]:
    settings = Settings.read().model_copy(update={"database_url": database})
    (finding,) = [each async for each in rule_file.examine(settings)]
    return finding.weight, finding.sentence


async def test_a_drift_between_the_file_and_the_active_version(database: str, file: Path) -> None:
    async with await connect(database) as connection:
        active = ActiveRules(file, "mayor")
        await active.begin(connection, await registry.load(connection))
        await active.keep(connection, 0)
    assert (await said(database))[0] == "ok"
    write(file, 0.2)
    weight, sentence = await said(database)
    assert weight == "note"
    assert f"But {active.thresholds.version} by mayor has been active since 1970-01-01 00:00 UTC" in sentence

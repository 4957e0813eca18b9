"""A rule file that changes while the service runs: taken up without a restart, refused with a mistake, and kept."""

import asyncio
from pathlib import Path

from rules.counts import Counts
from rules.rulefile.active import ActiveRules
from tests.integration.rules.conftest import StartRules, Town
from tests.parts.patience import eventually

ACTIVE = (
    "SELECT v.source, a.author FROM rule_activation a JOIN rule_version v USING (version) ORDER BY a.id DESC LIMIT 1"
)


def night(level_pct: float) -> str:
    """A program without steps, in which a night has one level."""
    return f'[[lighting.programs]]\nname = "standard"\nnight_level_pct = {level_pct}\n'


async def told(town: Town, level_pct: float) -> None:
    async def attempt() -> None:
        commands = await town.commands("L1", 1)
        assert commands[-1]["set"] == {"setpoint_pct": level_pct}

    await eventually(attempt, seconds=15)


async def refused(counts: Counts) -> None:
    async def attempt() -> None:
        assert counts.rules is not None
        assert counts.rules.mistakes == 1

    await eventually(attempt, seconds=15)


async def test_a_rule_file_that_changes(start_rules: StartRules, town: Town, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(night(70))
    async with start_rules(rules=ActiveRules(file, "mayor")) as counts:
        await told(town, 70)
        file.write_text(night(80))
        await told(town, 80)
        await town.row(ACTIVE, expected=lambda row: row == (night(80), "mayor"))
        assert counts.rules is not None
        assert counts.rules.version.startswith("rules+")

        file.write_text(night(800))
        await refused(counts)
        await asyncio.sleep(0.5)
        assert (await town.commands("L1", 2))[-1]["set"] == {"setpoint_pct": 80.0}

    async with start_rules(rules=ActiveRules(file, "clerk")) as counts:
        await refused(counts)
        assert counts.rules is not None
        assert (await town.rows(ACTIVE)) == [(night(80), "mayor")]
        file.write_text(night(90))
        await told(town, 90)
        await town.row(ACTIVE, expected=lambda row: row == (night(90), "clerk"))

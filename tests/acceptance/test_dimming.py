"""A dimming command's round trip, rule → lamp → acknowledged → verified, at any hour of the real day."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.city import City, demo, eventually


def verified(city: City) -> list[dict[str, Any]]:
    commands = city.every("/ops/v1/commands")
    return [c for c in commands if c["state"] == "verified" and c["reason"] == "program"]


@pytest.mark.parametrize("start", ["2026-11-22T15:10:00Z", "2026-06-21T19:40:00Z"])
def test_lamps_are_dimmed_at_dusk_and_follow(tmp_path: Path, start: str) -> None:
    with demo(tmp_path / "data", "--devices", "60", "--start", start, "--speed", "60") as city:
        commands = eventually(lambda: verified(city), seconds=90, every=1)
        command = commands[0]
        assert command["set"]["setpoint_pct"] > 0
        times = [command[at] for at in ("queued_at", "sent_at", "acknowledged_at", "verified_at")]
        assert times == sorted(times)
        assert all(times)

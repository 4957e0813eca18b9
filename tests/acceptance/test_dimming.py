"""A dimming command's round trip, rule → lamp → acknowledged → verified, at any hour of the real day."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.city import City, demo, eventually


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def lit(city: City) -> list[dict[str, Any]]:
    """The verified commands of the program that gave light."""
    commands = [c for c in city.every("/ops/v1/commands") if c["reason"] == "program" and c["state"] == "verified"]
    return [c for c in commands if c["set"]["setpoint_pct"] > 0]


@pytest.mark.parametrize("start", ["2026-11-22T15:10:00Z", "2026-06-21T19:40:00Z"])
def test_lamps_are_dimmed_at_dusk_and_follow(tmp_path: Path, start: str) -> None:
    with demo(tmp_path / "data", "--devices", "60", "--start", start, "--speed", "60") as city:
        command = eventually(lambda: lit(city), seconds=90, every=1)[0]
        times = [moment(command[at]) for at in ("queued_at", "sent_at", "acknowledged_at", "verified_at")]
        assert times == sorted(times)


def test_the_summary_counts_commands_from_the_first_moment(tmp_path: Path) -> None:
    """At night lamps are commanded at once: before the city clock has moved; half of them by a network server."""
    speak = ("--speak", "native=1,chirpstack=1")
    with demo(tmp_path / "data", "--devices", "40", *speak, "--start", "2026-11-22T21:30:00Z", "--for", "15s") as city:
        city.finish(60)
    assert city.summary["commands_queued"] > 0
    assert city.summary["commands_verified"] > 0

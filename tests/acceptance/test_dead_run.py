"""The flash floods of Dead Run, June 2018, replayed: exactly the alarms that an operator would have wanted."""

from datetime import datetime
from pathlib import Path
from typing import Any

from tests.acceptance.city import City, demo, eventually
from tests.parts.recordings import series

RECORDING = "water_usgs_01589330_dead_run_5min_2018-06.csv"
SPEED = "60000"


def alarms(city: City, kind: str) -> list[dict[str, Any]]:
    rows = [alarm for alarm in city.every("/ops/v1/alarms") if alarm["type"] == kind]
    return sorted(rows, key=lambda alarm: alarm["raised_at"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def crossings(file: Path, above_m: float) -> list[tuple[datetime, datetime]]:
    """When the recorded stage rose to a height and fell below it again, from the file itself."""
    spans: list[tuple[datetime, datetime]] = []
    began: datetime | None = None
    for line in file.read_text().splitlines()[1:]:
        cells = line.split(",")
        at, level_m = moment(cells[0]), float(cells[3]) * 0.3048
        if level_m >= above_m and began is None:
            began = at
        elif level_m < above_m and began is not None:
            spans.append((began, at))
            began = None
    return spans


def floods_of(file: Path, to: Path) -> Path:
    """The days of the recording in which there were floods, with the week between them."""
    head, *lines = file.read_text().splitlines()
    days = [line for line in lines if "2018-06-03" <= line[:10] <= "2018-06-11"]
    to.write_text("\n".join([head, *days, ""]))
    return to


def test_three_high_two_overflows_raised_and_cleared_at_the_floods(tmp_path: Path) -> None:
    recording = floods_of(series(RECORDING), tmp_path / RECORDING)
    with demo(tmp_path / "data", "--replay", str(recording), "--speed", SPEED) as city:
        rows = len(recording.read_text().splitlines()) - 1
        eventually(lambda: city.get("/ops/v1/ledger")["stored"] >= rows, seconds=150, every=1)
        eventually(lambda: not [a for a in alarms(city, "drain_high") if a["cleared_at"] is None], seconds=60, every=1)
        high, overflow = alarms(city, "drain_high"), alarms(city, "drain_overflow")
        assert (len(high), len(overflow)) == (3, 2)
        for found, height_m in ((high, 1.0), (overflow, 1.5)):
            floods = crossings(recording, height_m)
            for alarm in found:
                raised, cleared = (
                    datetime.fromisoformat(alarm[at].replace("Z", "+00:00")) for at in ("raised_at", "cleared_at")
                )
                assert any(0 <= (raised - began).total_seconds() <= 900 for began, _ in floods)
                assert any(0 < (cleared - ended).total_seconds() <= 3 * 3600 for _, ended in floods)
        assert high[0]["why"]
        assert set(city.proof().values()) == {"balances"}, "the ledger of a replay is proved as any other"

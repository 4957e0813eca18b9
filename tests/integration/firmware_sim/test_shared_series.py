"""The measured series of the shared data: read whole, to the figures that were counted in them by hand."""

import csv
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

from firmware_sim.replay import Replay, open_replay
from telemetry.clock import DAY_US, to_rfc3339, to_us
from tests.parts.recordings import series


def recording(name: str) -> Replay:
    return open_replay(series(name))


def test_dead_run_is_one_drain_for_a_month() -> None:
    replay = recording("water_usgs_01589330_dead_run_5min_2018-06.csv")
    levels = [fields["level_m"] for *_, fields in replay]
    assert len(levels) == replay.lines == 8_928
    assert (min(levels), max(levels)) == (0.124968, 1.880616)
    assert (to_rfc3339(replay.start_us), to_rfc3339(replay.end_us)) == ("2018-06-01T04:00:00Z", "2018-07-02T03:55:00Z")


def test_the_two_gages_are_two_drains() -> None:
    replay = recording("water_usgs_gage_heights_5min_2019-05.csv")
    assert {device for _, _, device, _ in replay} == {"usgs_01589330", "usgs_01650800"}
    assert sum(1 for _ in replay) == 2 * 9_216


def test_birminghams_bays_are_taken_as_its_car_parks_were_counted_and_stay_alive() -> None:
    """Nights are bridged by heartbeats; the weekends that are missing stay below three intervals."""
    replay = recording("parking_birmingham_2016_14_car_parks.csv")
    assert sum(row["kind"] == "zone" for row in replay.registry) == 14
    assert len(replay.registry) == 14 + 22_473
    zone_of = {row["device"]: row["zone"] for row in replay.registry if row["device"]}
    counted = birminghams_counts()
    occupied: dict[str, bool] = {}
    total: dict[str, int] = defaultdict(int)
    last: dict[str, int] = {}
    heard: dict[str, int] = {}
    for moment_us, _, device, fields in replay:
        zone = zone_of[device]
        if moment_us != last.get(zone, moment_us):
            assert total[zone] == counted[zone, last[zone]]
        assert moment_us - heard.get(device, moment_us) < 3 * DAY_US
        total[zone] += bool(fields["occupied"]) - occupied.get(device, False)
        occupied[device] = bool(fields["occupied"])
        last[zone] = heard[device] = moment_us


def birminghams_counts() -> dict[tuple[str, int], int]:
    """Cars in each zone at each time, from the file itself."""
    counted: dict[tuple[str, int], int] = {}
    with series("parking_birmingham_2016_14_car_parks.csv").open() as file:
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=ZoneInfo("Europe/London"))
            taken = min(max(int(row["Occupancy"]), 0), int(row["Capacity"]))
            counted[row["SystemCodeNumber"].replace(" ", "-"), to_us(moment)] = taken
    return counted

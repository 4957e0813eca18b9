"""Car park counts become bays: at every count as many are taken as were counted."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_sim.replay import Replay, open_replay
from firmware_sim.series.car_parks import REPORT_EVERY_S
from firmware_sim.series.recording import BadRecording
from telemetry.clock import HOUR_US, SECOND_US

HEADER = "SystemCodeNumber,Capacity,Occupancy,Timestamp\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "parking.csv"


def taken(replay: Replay) -> dict[int, int]:
    """Bays taken after each moment."""
    occupied: dict[str, bool] = {}
    after: dict[int, int] = {}
    for moment_us, _, device, fields in replay:
        occupied[device] = bool(fields["occupied"])
        after[moment_us] = sum(occupied.values())
    return after


def words(replay: Replay) -> dict[int, int]:
    """Messages at each moment."""
    count: dict[int, int] = defaultdict(int)
    for moment_us, *_ in replay:
        count[moment_us] += 1
    return count


def test_a_car_park_is_a_zone_of_as_many_bays_as_its_capacity(file: Path) -> None:
    file.write_text(HEADER + "Broad Street,3,1,2016-10-04 07:59:00\n")
    zone, *bays = open_replay(file).registry
    assert (zone["kind"], zone["asset"], zone["name"]) == ("zone", "Broad-Street", "Broad Street")
    assert [bay["asset"] for bay in bays] == ["Broad-Street-0001", "Broad-Street-0002", "Broad-Street-0003"]
    assert {(bay["kind"], bay["zone"], bay["report_every_s"]) for bay in bays} == {
        ("parking_bay", "Broad-Street", str(REPORT_EVERY_S))
    }


def test_times_are_those_of_london(file: Path) -> None:
    file.write_text(HEADER + "A,1,1,2016-10-29 08:00:00\nA,1,0,2016-10-30 08:00:00\n")
    replay = open_replay(file)
    assert replay.end_us - replay.start_us == 25 * HOUR_US
    assert replay.start_us % (24 * HOUR_US) == 7 * HOUR_US


def test_all_bays_speak_once_at_first_and_then_those_that_change(file: Path) -> None:
    file.write_text(
        HEADER + "A,10,4,2016-10-04 08:00:00\nA,10,7,2016-10-04 08:30:00\nA,10,7,2016-10-04 09:00:00\n"
        "A,10,2,2016-10-04 09:30:00\n"
    )
    replay = open_replay(file)
    assert list(words(replay).values()) == [10, 3, 5]
    assert list(taken(replay).values()) == [4, 7, 2]


def test_an_occupancy_is_clamped_to_the_capacity(file: Path) -> None:
    file.write_text(HEADER + "A,5,9,2016-10-04 08:00:00\nA,5,-3,2016-10-04 08:30:00\n")
    assert list(taken(open_replay(file)).values()) == [5, 0]


def test_a_repeated_row_changes_nothing(file: Path) -> None:
    row = "A,5,3,2016-10-04 08:00:00\n"
    file.write_text(HEADER + row + row + "A,5,4,2016-10-04 08:30:00\n")
    assert list(words(open_replay(file)).values()) == [5, 1]


def test_a_bay_never_speaks_twice_at_one_moment(file: Path) -> None:
    file.write_text(HEADER + "A,2,0,2016-10-04 08:00:00\nA,2,2,2016-10-04 08:30:00\nA,2,1,2016-10-04 08:30:00\n")
    replay = open_replay(file)
    assert len({(moment_us, device) for moment_us, _, device, _ in replay}) == len(list(replay))
    assert list(taken(replay).values()) == [0, 1]


def test_car_parks_are_interleaved_by_time(file: Path) -> None:
    file.write_text(
        HEADER + "A,1,1,2016-10-04 08:00:00\nA,1,0,2016-10-04 09:00:00\n"
        "B,1,1,2016-10-04 08:10:00\nB,1,0,2016-10-04 08:50:00\n"
    )
    assert [device for _, _, device, _ in open_replay(file)] == ["A-0001", "B-0001", "B-0001", "A-0001"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(-2, 12), min_size=30, max_size=120))
def test_an_unchanged_bay_is_never_silent_for_longer_than_its_interval(file: Path, counts: list[int]) -> None:
    """Counts every three hours for days; each bay's messages follow each other within the registered interval."""
    rows = [f"A,10,{count},2016-11-{1 + n // 8:02d} {n % 8 * 3:02d}:00:00\n" for n, count in enumerate(counts)]
    file.write_text(HEADER + "".join(rows))
    replay = open_replay(file)
    heard: dict[str, int] = {}
    for moment_us, _, device, _ in replay:
        assert moment_us - heard.get(device, moment_us) <= REPORT_EVERY_S * SECOND_US
        heard[device] = moment_us
    assert min(heard.values()) >= replay.end_us - REPORT_EVERY_S * SECOND_US
    assert list(taken(replay).values())[-1] == next(
        min(max(count, 0), 10) for count in reversed(counts)
    ) or replay.end_us not in taken(replay)


def test_no_bay_stands_still_while_others_change(file: Path) -> None:
    rows = [f"A,10,{4 + n % 2},2016-11-01 {n // 60:02d}:{n % 60:02d}:00\n" for n in range(120)]
    file.write_text(HEADER + "".join(rows))
    changes: dict[str, set[bool]] = defaultdict(set)
    for _, _, device, fields in open_replay(file):
        changes[device].add(bool(fields["occupied"]))
    assert all(seen == {True, False} for seen in changes.values())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "A,5,x,2016-10-04 08:00:00\n", "line 2: Occupancy 'x' is not a number."),
        (HEADER + "A,5,2.5,2016-10-04 08:00:00\n", "line 2: Occupancy 2.5 is not a whole number."),
        (HEADER + "A,0,0,2016-10-04 08:00:00\n", "line 2: Capacity 0 is not between 1 and 100000."),
        (HEADER + ",5,0,2016-10-04 08:00:00\n", "line 2: SystemCodeNumber is empty."),
        (HEADER + "A,5,0,04/10/2016\n", "line 2: Timestamp '04/10/2016' is not a time."),
        (HEADER.replace("Timestamp", "Weather"), "line 1: column Weather is unknown;"),
        ("SystemCodeNumber,Capacity,Timestamp\n", "line 1: there is no column Occupancy."),
        ("SystemCodeNumber,Capacity,Occupancy\n", "line 1: there must be one column Timestamp or LastUpdated."),
        (HEADER, "holds no observations."),
        (HEADER + "A B,1,0,2016-10-04 08:00:00\nA-B,1,0,2016-10-04 08:00:00\n", "A B and A-B would be the same zone."),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_with_the_line(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(BadRecording) as refused:
        open_replay(file)
    assert sentence in str(refused.value)

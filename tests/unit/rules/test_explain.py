"""What holds for an asset and why, and when it changes: said from the rules' own memory."""

from dataclasses import replace

import pytest

from rules.city import City
from rules.explain.asking import Known, Unknown, explain
from rules.explain.words import Explanation
from rules.inputs import Inputs, Override
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_rfc3339
from telemetry.commands import Settings
from telemetry.thresholds import OpeningHours, Parking, Thresholds
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, bay, city, drain, lamp

DRAIN, LAMP, BAY = "drain_level", "streetlight", "parking_bay"
LATE_US = MIDNIGHT_US + HOUR_US
"""01:00 local time: the profile wants 30 %."""


def told(life: Life, name: str, at_us: int) -> Explanation:
    return explain(Known(life.city, life.state, ()), name, at_us)


def sentence(found: Explanation, name: str) -> str:
    return next(each.sentence for each in found.statements if each.name == name)


def figures(found: Explanation, name: str) -> dict[str, object]:
    return next(each.figures for each in found.statements if each.name == name)


def test_a_lamp_by_program_with_its_floor_and_the_next_changes() -> None:
    life = Life(city([lamp(1, min_level_pct=40.0)]))
    life.observe(LATE_US, LAMP, [(1, LATE_US, 40.0)])
    found = told(life, "streetlight-1", LATE_US)
    assert sentence(found, "wanted") == "It is to give 40 % by program."
    assert "wants 30 %, raised to 40 % by its floor, because of its step '00:00–04:00'" in sentence(found, "program")
    assert "until 04:00" not in sentence(found, "program")
    assert sentence(found, "guard") == "In the dark it gives at least 40 %; it is never off then."
    assert sentence(found, "sun") == "It is night; dawn is at 07:24."
    assert "was last told 40 % by program" in sentence(found, "lease")
    assert "Without contact it goes by its controller's own default" in sentence(found, "fallback")
    assert (LATE_US + 3 * HOUR_US, "the program wants 50 % (22:00–05:00)") in [
        (each.at_us, each.sentence) for each in found.changes
    ]


def test_a_lamp_by_override() -> None:
    life = Life(city([lamp(1)]))
    wish = Override("w", 1, Settings(setpoint_pct=80.0), LATE_US + HOUR_US)
    life.step(LATE_US, Inputs(overrides=[wish]))
    found = told(life, "streetlight-1", LATE_US)
    assert sentence(found, "wanted") == "It is to give 80 % by override, until 02:00; then the program resumes."
    assert figures(found, "wanted")["command"] == "w"
    assert "the override ends and the program resumes" in [each.sentence for each in found.changes]
    assert sentence(told(life, "streetlight-1", LATE_US + 2 * HOUR_US), "wanted").endswith("by program.")


def test_a_drain_with_a_running_delay_says_when_its_alarm_would_come() -> None:
    life = Life(city([drain(1)]))
    life.play(DRAIN, 1, "0.5 0.9 1.2", NOON_US, 300)
    found = told(life, "drain_level-1", NOON_US + 11 * MINUTE_US)
    assert figures(found, "stage")["stage"] == "pre_alarm"
    assert figures(found, "pre_alarm")["active"] is True
    assert figures(found, "crown")["turns_at"] == to_rfc3339(NOON_US + 16 * MINUTE_US)
    assert (figures(found, "crown")["raise_m"], figures(found, "crown")["clear_below_m"]) == (1.0, 0.95)
    assert sentence(found, "rain").startswith("The rain is unknown")
    assert "if it stays so, drain_high is raised" in [each.sentence for each in found.changes]
    assert figures(found, "sampling")["until"] is not None


def test_a_bay_that_is_about_to_count_and_a_zone_that_closes() -> None:
    hours = Parking(hours=(OpeningHours(("market",), ("mon..sun",), start="08:00", end="18:00"),))
    life = Life(city([bay(1), bay(2)], Thresholds(parking=hours)))
    life.observe(NOON_US, BAY, [(1, NOON_US, 0), (2, NOON_US, 0)])
    life.observe(NOON_US + MINUTE_US, BAY, [(1, NOON_US + MINUTE_US, 1)])
    found = told(life, "parking_bay-1", NOON_US + MINUTE_US)
    assert sentence(found, "state") == "The bay is free."
    assert sentence(found, "dwell").endswith("that counts after 30 s.")
    changes = {each.sentence: each.at_us for each in found.changes}
    assert changes["the bay counts as occupied"] == NOON_US + 90_000_000
    assert changes["if nothing is heard of it by then, the bay is unknown"] == NOON_US + 46 * MINUTE_US
    assert changes["the zone market closes"] == NOON_US + 5 * HOUR_US
    assert sentence(told(life, "market", NOON_US), "zone").startswith("The zone market is open: 2 of 2 bays are free")
    night = told(life, "market", NOON_US + 12 * HOUR_US)
    assert [each.sentence for each in night.changes] == ["the zone market opens"]


def test_silence_is_foreseen_and_by_day_a_lamp_may_keep_silent() -> None:
    life = Life(city([lamp(1), drain(2), drain(3, device=None), drain(4)]))
    life.observe(NOON_US, LAMP, [(1, NOON_US, 0.0)])
    life.observe(NOON_US, DRAIN, [(2, NOON_US, 0.1)])
    assert figures(told(life, "drain_level-2", NOON_US), "presence")["silent_from"] == to_rfc3339(
        NOON_US + 15 * MINUTE_US
    )
    assert sentence(told(life, "streetlight-1", NOON_US), "presence").endswith("its silence does not count at present.")
    assert sentence(told(life, "drain_level-3", NOON_US), "presence").startswith("No device serves it")
    assert "has not been heard yet" in sentence(told(life, "drain_level-4", NOON_US), "presence")


def test_an_unknown_name_gets_the_nearest() -> None:
    life = Life(city([lamp(1), replace(lamp(2), retired=True), bay(3)]))
    with pytest.raises(Unknown) as raised:
        told(life, "streetligth-1", NOON_US)
    assert raised.value.near == ("streetlight-1",)
    with pytest.raises(Unknown) as raised:
        told(life, "streetlight-2", NOON_US)
    assert raised.value.retired


def test_nothing_that_was_heard_can_break_it() -> None:
    town: City = city([lamp(1, direct=True), drain(2, crown_m=None, ground_m=None), bay(3)])
    life = Life(town)
    for at_us in (NOON_US, NOON_US + DAY_US):
        for name in ("streetlight-1", "drain_level-2", "parking_bay-3", "market"):
            assert told(life, name, at_us).statements

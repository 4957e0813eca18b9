"""Lamps of a cabinet that are silent or without supply: one incident, and what becomes of it."""

from rules.effects import ClearAlarm, RaiseAlarm
from rules.inputs import Inputs
from rules.radio import Radio
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US, SECOND_US
from tests.parts.cities import MIDNIGHT_US, Life, city, lamp
from tests.parts.series import columns

BEGIN_US = MIDNIGHT_US - 120 * MINUTE_US
LAMPS = 140


def street(restart: bool = False) -> Life:
    """A cabinet of 140 lamps, and three lamps of another."""
    lamps = [lamp(number, cabinet="Ruhrstraße") for number in range(1, LAMPS + 1)]
    return Life(city([*lamps, *(lamp(LAMPS + each, cabinet="Am Markt") for each in (1, 2, 3))]), restart=restart)


def report(life: Life, from_minute: int, to_minute: int, numbers: range, **more: float) -> None:
    """Each lamp reports every ten minutes, at a minute of its own."""
    for minute in range(from_minute, to_minute):
        now_us = BEGIN_US + minute * MINUTE_US
        rows = [(number, now_us - SECOND_US, 100.0) for number in numbers if number % 10 == minute % 10]
        found = columns("streetlight", rows)
        for name, value in more.items():
            found.fields[name][:] = value
        life.step(now_us, Inputs({"streetlight": found}))


def alarms(life: Life) -> list[tuple[str, str, AlarmType]]:
    """What happened to alarms but those of commands that nobody answers here."""
    return [
        ("raise" if isinstance(each, RaiseAlarm) else "clear", each.subject, each.type)
        for each in life.effects
        if isinstance(each, RaiseAlarm | ClearAlarm) and each.type != AlarmType.COMMAND_FAILED
    ]


EVERY, OTHERS = range(1, LAMPS + 4), range(LAMPS + 1, LAMPS + 4)
RUHR = "cabinet:Ruhrstraße"


def test_140_silent_lamps_are_one_incident() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    report(life, 20, 80, OTHERS)
    assert alarms(life) == [("raise", RUHR, AlarmType.CABINET_OUTAGE)]
    (alarm,) = (each for each in life.raised() if each.type == AlarmType.CABINET_OUTAGE)
    assert (alarm.asset, alarm.why["inputs"]["lamps"], alarm.why["inputs"]["affected"]) == (None, 140, 140)


def test_when_the_cabinet_is_back_the_incident_is_over_and_who_stays_away_is_silent_by_itself() -> None:
    life = street(restart=True)
    report(life, 0, 20, EVERY)
    report(life, 20, 70, OTHERS)
    report(life, 70, 125, range(2, LAMPS + 4))
    assert alarms(life) == [
        ("raise", RUHR, AlarmType.CABINET_OUTAGE),
        ("clear", RUHR, AlarmType.CABINET_OUTAGE),
        ("raise", "asset:streetlight-1", AlarmType.DEVICE_SILENT),
    ]


def test_a_few_silent_lamps_are_their_own_alarms() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    report(life, 20, 70, range(3, LAMPS + 4))
    assert {(what, subject) for what, subject, _ in alarms(life)} == {
        ("raise", "asset:streetlight-1"),
        ("raise", "asset:streetlight-2"),
    }


def test_what_was_raised_before_the_rest_followed_ends_in_the_incident() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    report(life, 20, 60, range(3, LAMPS + 4))
    report(life, 60, 110, OTHERS)
    assert ("raise", RUHR, AlarmType.CABINET_OUTAGE) in alarms(life)
    standing = {subject for what, subject, _ in alarms(life) if what == "raise"}
    standing -= {subject for what, subject, _ in alarms(life) if what == "clear"}
    assert standing == {RUHR}


def test_a_loss_of_supply_folds_as_silence_does() -> None:
    life = street()
    report(life, 0, 20, EVERY, voltage_v=230.0)
    report(life, 20, 31, range(1, LAMPS + 1), voltage_v=0.0)
    life.step(BEGIN_US + 34 * MINUTE_US)
    assert ("raise", RUHR, AlarmType.CABINET_OUTAGE) in alarms(life)
    report(life, 35, 55, EVERY, voltage_v=230.0)
    life.step(BEGIN_US + 62 * MINUTE_US)
    raised = [(subject, kind) for what, subject, kind in alarms(life) if what == "raise"]
    cleared = [(subject, kind) for what, subject, kind in alarms(life) if what == "clear"]
    assert sorted(raised) == sorted(cleared)
    assert len(raised) < LAMPS


def test_a_lamp_that_gets_another_cabinet_leaves_the_incident() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    report(life, 20, 80, OTHERS)
    moved = [lamp(number, cabinet="Neu") for number in range(1, LAMPS + 1)]
    life.city = city(moved, version=2)
    life.step(BEGIN_US + 81 * MINUTE_US)
    assert ("clear", RUHR, AlarmType.CABINET_OUTAGE) in alarms(life)


def test_an_outage_of_the_radio_gateway_meanwhile_changes_nothing_about_the_incident() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    report(life, 20, 60, OTHERS)
    out = Radio(False, "lora", life.state.now_us, life.state.now_us, frozenset({"dev-141"}))
    life.step(BEGIN_US + 61 * MINUTE_US, Inputs(radios={"roof": out}))
    life.step(BEGIN_US + 62 * MINUTE_US, Inputs(radios={}))
    report(life, 62, 150, OTHERS)
    happened = [each for each in alarms(life) if each[2] != AlarmType.GATEWAY_OUTAGE]
    assert happened == [("raise", RUHR, AlarmType.CABINET_OUTAGE)]


def test_lamps_behind_a_radio_gateway_that_is_out_are_its_incident_and_not_their_cabinets() -> None:
    life = street()
    report(life, 0, 20, EVERY)
    behind = frozenset(f"dev-{number}" for number in range(1, LAMPS + 1))
    now_us = BEGIN_US + 20 * MINUTE_US
    life.step(now_us, Inputs(radios={"roof": Radio(False, "lora", now_us, now_us, behind)}))
    report(life, 21, 80, OTHERS)
    assert alarms(life) == [("raise", "gateway:roof", AlarmType.GATEWAY_OUTAGE)]

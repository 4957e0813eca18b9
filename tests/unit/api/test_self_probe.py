"""Whether the platform's own readings are shown in time, and what is said where they are not."""

from api.self_probe import SILENT_S, Sighting
from lamplighter.doctor import self_probe as doctor
from storage.self_probe import Standing
from telemetry import backlog
from telemetry.backlog import IN_TIME_S, READING_EVERY, Probe


def heard(*probes: tuple[str, int, float]) -> Sighting:
    """A sighting that has heard these probes: run, number, second."""
    sighting = Sighting()
    for run, number, now_s in probes:
        sighting.heard(backlog.encode(Probe(run, number, 0)), now_s)
    return sighting


def test_where_nobody_sounds_the_platform_nothing_is_judged() -> None:
    sighting = heard()
    sighting.heard(b"\xff nonsense", 1.0)
    assert (sighting.comes_through(100.0), sighting.trouble(100.0)) == (None, None)


def test_a_reading_that_is_shown_in_time_comes_through() -> None:
    sighting = heard(("a", 1, 100.0))
    assert sighting.expected.is_set()
    assert sighting.shown(1, 100.2)
    assert not sighting.expected.is_set()
    assert sighting.comes_through(101.0)
    assert sighting.document(101.0) == {"through": True, "age_s": 1.0, "waiting_s": 0.0, "in_time_s": IN_TIME_S}


def test_a_reading_that_is_not_shown_in_time_is_named_until_it_is() -> None:
    sighting = heard(("a", 1, 100.0), ("a", 1 + READING_EVERY, 105.0))
    assert sighting.comes_through(100.0 + IN_TIME_S) is None, "nobody knows yet"
    assert "has not come through for 11 s" in (sighting.trouble(111.0) or "")
    assert not sighting.shown(0, 111.0), "what was shown before is not what is waited for"
    sighting.shown(1 + READING_EVERY, 112.0)
    assert (sighting.comes_through(112.0), sighting.trouble(112.0)) == (True, None)


def test_probes_between_readings_are_not_waited_for() -> None:
    sighting = heard(("a", 2, 100.0), ("a", 3, 101.0))
    assert not sighting.expected.is_set()


def test_a_new_run_waits_for_none_of_the_old_one() -> None:
    sighting = heard(("a", 1, 100.0), ("b", 2, 120.0))
    assert sighting.waiting_s(120.0) == 0


def test_where_probes_cease_somebody_is_to_look_after_the_rules() -> None:
    sighting = heard(("a", 1, 100.0))
    sighting.shown(1, 100.1)
    assert sighting.comes_through(100.0 + SILENT_S)
    assert "see whether the rules run" in (sighting.trouble(140.0) or "")


def test_doctor_names_what_does_not_come_through() -> None:
    assert doctor.judge(Standing(None, None, 0)).weight == "note"
    assert doctor.judge(Standing(3_600.0, 3_600.0, 0)).weight == "note", "nothing runs"
    assert doctor.judge(Standing(40.0, 2.0, 1)).weight == "wrong"
    assert "start `lamplighter api`" in doctor.judge(Standing(2.0, None, 1)).sentence
    assert doctor.judge(Standing(2.0, 2.0, 1)).weight == "ok"

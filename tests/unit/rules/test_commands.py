"""Commands to lamps: the program's leases, overrides, and what becomes of each command."""

from dataclasses import replace
from itertools import pairwise

import pytest

from rules.effects import Count, EndCommand, SendCommand
from rules.fallback import Fallback, fallback
from rules.inputs import Acked, Ended, Inputs, Override
from telemetry.alarms import AlarmType
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US
from telemetry.commands import Settings, State
from telemetry.registry import Asset
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, city, drain, lamp

NIGHT_US = MIDNIGHT_US - 90 * MINUTE_US
"""Local 22:30: the program wants 50 %."""


def night(*assets: Asset, now_us: int = NIGHT_US) -> Life:
    """A city at night whose lamps have been told the program."""
    life = Life(city(assets or [lamp(1)]))
    life.step(now_us)
    return life


def answer(life: Life, sent: SendCommand, now_us: int, ok: bool = True, error: str | None = None) -> None:
    life.step(now_us, Inputs(acks=[Acked(0, sent.device, sent.id, ok, error)]))


def report(life: Life, now_us: int, level_pct: float, lamp_id: int = 1) -> None:
    life.observe(now_us, "streetlight", [(lamp_id, now_us, level_pct)])


def states(life: Life, command_id: str) -> list[State]:
    return [move.state for move in life.moved() if move.id == command_id]


def setpoints(life: Life) -> list[tuple[float, float | None, str]]:
    """Commands in order: minutes since the night began, setpoint, reason."""
    return [((each.at_us - NIGHT_US) / MINUTE_US, each.settings.setpoint_pct, each.reason) for each in life.sent()]


def test_a_lamp_is_told_the_program() -> None:
    (sent,) = night().sent()
    assert (sent.device, sent.settings, sent.reason) == ("dev-1", Settings(setpoint_pct=50), "program")
    assert sent.expires_us == NIGHT_US + HOUR_US


def test_a_lease_is_renewed_at_half_as_a_new_command() -> None:
    life = night()
    for minutes in range(1, 70):
        life.step(NIGHT_US + minutes * MINUTE_US)
    assert [each[1:] for each in setpoints(life)] == [(50, "program")] * 3
    first, second, third = (minutes for minutes, _, _ in setpoints(life))
    assert 27 <= second - first <= 30
    assert 27 <= third - second <= 30
    assert len({each.id for each in life.sent()}) == 3


def test_leases_that_began_together_are_renewed_apart() -> None:
    life = night(*(lamp(number) for number in range(1, 41)))
    for seconds in range(26 * 60, 31 * 60, 10):
        life.step(NIGHT_US + seconds * SECOND_US)
    renewed = [each.at_us for each in life.sent()[40:]]
    assert len(renewed) == 40
    assert max(renewed.count(at_us) for at_us in renewed) <= 6


def test_the_next_segment_is_told_at_once() -> None:
    life = night()
    life.step(MIDNIGHT_US - 1)
    life.step(MIDNIGHT_US)
    assert [each.settings.setpoint_pct for each in life.sent()][-1] == 30


def test_a_floor_raises_what_the_program_wants() -> None:
    life = night(lamp(1, min_level_pct=40), lamp(2, lighting_class="M1"), lamp(3), now_us=MIDNIGHT_US)
    assert {each.asset_id: each.settings.setpoint_pct for each in life.sent()} == {1: 40, 2: 50, 3: 30}


def test_by_day_lamps_are_off_but_no_longer_than_to_dusk() -> None:
    life = Life(city([lamp(1)]))
    dusk_us = life.city.sun.next_change_us(NOON_US)
    life.step(dusk_us - 10 * MINUTE_US)
    life.step(dusk_us)
    assert [(each.settings.setpoint_pct, each.expires_us) for each in life.sent()] == [
        (0, dusk_us),
        (100, dusk_us + HOUR_US),
    ]


def test_a_daytime_lease_that_reaches_dusk_is_not_renewed_before() -> None:
    life = Life(city([lamp(1)]))
    dusk_us = life.city.sun.next_change_us(NOON_US)
    for minutes in range(-50, 1):
        life.step(dusk_us + minutes * MINUTE_US)
    assert [(each.at_us - dusk_us) // MINUTE_US for each in life.sent()] == [-50, 0]


def test_a_lamp_without_device_is_told_nothing() -> None:
    assert night(lamp(1, device=None)).sent() == []


def test_a_new_device_is_told_at_once() -> None:
    life = night()
    life.city = city([lamp(1, device="other")], version=2)
    life.step(NIGHT_US + MINUTE_US)
    assert [each.device for each in life.sent()] == ["dev-1", "other"]
    assert len({each.id for each in life.sent()}) == 2


def test_acknowledged_and_seen_to_follow_is_verified() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, sent, NIGHT_US + SECOND_US)
    report(life, NIGHT_US + 10 * MINUTE_US, 54)
    assert states(life, sent.id) == [State.ACKNOWLEDGED, State.VERIFIED]


def test_three_reports_beside_the_setpoint_are_a_failure_and_an_alarm() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, sent, NIGHT_US + SECOND_US)
    for minutes in (5, 10, 15):
        assert life.raised() == []
        report(life, NIGHT_US + minutes * MINUTE_US, 100)
    assert states(life, sent.id) == [State.ACKNOWLEDGED, State.FAILED]
    (alarm,) = life.raised()
    assert alarm.type == AlarmType.LAMP_NOT_FOLLOWING
    assert alarm.why["inputs"] == {"level_pct": 100, "setpoint_pct": 50}
    assert alarm.observed_us == NIGHT_US + 5 * MINUTE_US


def test_a_third_report_that_follows_is_in_time() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, sent, NIGHT_US + SECOND_US)
    for minutes, level in ((5, 100), (10, 80), (15, 55)):
        report(life, NIGHT_US + minutes * MINUTE_US, level)
    assert states(life, sent.id)[-1] == State.VERIFIED
    assert life.raised() == []


def test_the_alarm_clears_when_the_lamp_follows() -> None:
    life = night()
    answer(life, life.sent()[0], NIGHT_US + SECOND_US)
    for minutes, level in ((5, 100), (10, 100), (15, 100), (20, 50)):
        report(life, NIGHT_US + minutes * MINUTE_US, level)
    (cleared,) = life.cleared()
    assert cleared.id == life.raised()[0].id
    assert cleared.at_us == NIGHT_US + 20 * MINUTE_US


def test_a_lamp_that_reports_seldom_is_found_over_renewals() -> None:
    life = night(lamp(1, report_every_s=1500))
    for minutes in range(1, 90):
        now_us = NIGHT_US + minutes * MINUTE_US
        for sent in life.sent():
            if sent.id in life.state.book.by_id and State.ACKNOWLEDGED not in states(life, sent.id):
                answer(life, sent, now_us - 1)
        if minutes % 25 == 0:
            report(life, now_us, 100)
        life.step(now_us)
    assert [alarm.type for alarm in life.raised()] == [AlarmType.LAMP_NOT_FOLLOWING]


def test_what_a_lamp_measured_before_it_acknowledged_and_tells_afterwards_does_not_count() -> None:
    life = night()
    (sent,) = life.sent()
    now_us = NIGHT_US + 20 * MINUTE_US
    backlog = [(1, now_us - minutes * MINUTE_US, 100.0) for minutes in (25, 12, 8, 4, 2)]
    answer(life, sent, now_us)
    life.observe(now_us + SECOND_US, "streetlight", backlog)
    assert states(life, sent.id) == [State.ACKNOWLEDGED]
    assert life.raised() == []
    report(life, now_us + 10 * SECOND_US, 50)
    assert states(life, sent.id) == [State.ACKNOWLEDGED, State.VERIFIED]


def test_nor_in_the_same_batch_as_the_acknowledgement() -> None:
    life = night()
    (sent,) = life.sent()
    now_us = NIGHT_US + 20 * MINUTE_US
    backlog = [(1, now_us - minutes * MINUTE_US, 100.0) for minutes in (25, 12, 8, 4, 2)]
    answered = Inputs(acks=[Acked(-1, sent.device, sent.id, True)])
    life.observe(now_us, "streetlight", backlog, inputs=answered)
    assert life.state.book.by_id[sent.id].reports == 0
    assert life.raised() == []


def test_an_acknowledgement_that_waited_here_counts_from_when_it_was_given() -> None:
    life = night()
    (sent,) = life.sent()
    later_us = NIGHT_US + 20 * MINUTE_US
    waited = Inputs(acks=[Acked(-1, sent.device, sent.id, True, given_us=NIGHT_US + MINUTE_US)])
    life.observe(later_us, "streetlight", [(1, NIGHT_US + 2 * MINUTE_US, 50.0)], inputs=waited)
    assert states(life, sent.id) == [State.ACKNOWLEDGED, State.VERIFIED]


def test_while_another_setpoint_is_under_way_nothing_is_held_against_the_old_one() -> None:
    life = night()
    answer(life, life.sent()[0], NIGHT_US + SECOND_US)
    wish = Override("o", 1, Settings(setpoint_pct=80), NIGHT_US + HOUR_US)
    life.step(NIGHT_US + MINUTE_US, Inputs(overrides=[wish]))
    for minutes in (5, 10, 15, 20):
        report(life, NIGHT_US + minutes * MINUTE_US, 80)
    assert life.raised() == []


def test_a_second_answer_to_a_command_changes_nothing() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, sent, NIGHT_US + SECOND_US)
    answer(life, sent, NIGHT_US + 2 * SECOND_US, ok=False, error="second thoughts")
    assert states(life, sent.id) == [State.ACKNOWLEDGED]
    assert [each.id for each in life.effects if isinstance(each, Count)] == ["ack_repeated"]
    report(life, NIGHT_US + 10 * MINUTE_US, 50)
    assert states(life, sent.id) == [State.ACKNOWLEDGED, State.VERIFIED]


def test_a_report_of_before_the_acknowledgement_does_not_count() -> None:
    life = night()
    (sent,) = life.sent()
    rows = [(1, NIGHT_US + seconds * SECOND_US, 100.0) for seconds in (1, 2, 3, 5)]
    life.observe(
        NIGHT_US + 6 * SECOND_US, "streetlight", rows, inputs=Inputs(acks=[Acked(2, sent.device, sent.id, True)])
    )
    assert life.state.book.by_id[sent.id].reports == 1
    assert life.raised() == []


def test_a_refusal_by_the_device_is_a_rejection() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, sent, NIGHT_US + SECOND_US, ok=False, error="driver fault")
    (move,) = life.moved()
    assert (move.state, move.error) == (State.REJECTED, "driver fault")


def test_an_answer_of_another_device_counts_for_nothing() -> None:
    life = night()
    (sent,) = life.sent()
    answer(life, replace(sent, device="stranger"), NIGHT_US + SECOND_US)
    assert life.moved() == []


def test_what_a_newer_command_replaces_before_its_acknowledgement_is_superseded() -> None:
    life = night()
    life.step(NIGHT_US + 30 * MINUTE_US)
    first, second = life.sent()
    assert states(life, first.id) == [State.SUPERSEDED]
    answer(life, first, NIGHT_US + 31 * MINUTE_US)
    assert states(life, first.id) == [State.SUPERSEDED]
    answer(life, second, NIGHT_US + 31 * MINUTE_US)
    assert states(life, second.id) == [State.ACKNOWLEDGED]


def test_on_comms_loss_it_is_known_beforehand_until_when_a_lamp_keeps_what_it_was_told() -> None:
    life = night()
    assert fallback(life.state, 0, NIGHT_US).setpoint_pct is None
    answer(life, life.sent()[0], NIGHT_US + SECOND_US)
    report(life, NIGHT_US + MINUTE_US, 50)
    assert fallback(life.state, 0, NIGHT_US + MINUTE_US) == Fallback(50, NIGHT_US + HOUR_US, NIGHT_US + HOUR_US)
    life.step(NIGHT_US + 30 * MINUTE_US)
    renewed = life.sent()[-1]
    ahead = fallback(life.state, 0, NIGHT_US + 31 * MINUTE_US)
    assert ahead == Fallback(50, NIGHT_US + HOUR_US, renewed.expires_us)
    assert fallback(life.state, 0, NIGHT_US + 61 * MINUTE_US).setpoint_pct is None


def test_another_device_ends_the_alarm_of_the_one_that_did_not_do_as_it_was_told() -> None:
    life = night()
    answer(life, life.sent()[0], NIGHT_US + SECOND_US, ok=False)
    (alarm,) = life.raised()
    life.city = city([lamp(1, device="other")], version=2)
    life.step(NIGHT_US + MINUTE_US)
    assert [each.id for each in life.cleared()] == [alarm.id]


def test_an_override_that_the_registry_makes_unlawful_ends_at_once() -> None:
    life = night()
    life.step(NIGHT_US + MINUTE_US, Inputs(overrides=[Override("o", 1, Settings(setpoint_pct=20), MIDNIGHT_US)]))
    life.city = city([lamp(1, lighting_class="M1")], version=2)
    life.step(NIGHT_US + 2 * MINUTE_US)
    assert setpoints(life)[-1] == (2, 50, "program")
    assert states(life, "o") == [State.FAILED]


def test_an_unanswered_command_is_sent_again_when_its_lamp_reports() -> None:
    life = night()
    report(life, NIGHT_US + 5 * SECOND_US, 100)
    first, again = life.sent()
    assert (again.id, again.again) == (first.id, True)
    report(life, NIGHT_US + 10 * SECOND_US, 100)
    assert len(life.sent()) == 2, "the lamp is given time to answer"


def test_a_lamp_that_reports_and_never_answers_has_failed() -> None:
    life = night()
    for seconds in range(10, 1800, 10):
        report(life, NIGHT_US + seconds * SECOND_US, 100)
    tries = [each for each in life.sent() if each.id == life.sent()[0].id]
    assert len(tries) == 5
    assert states(life, tries[0].id) == [State.FAILED]
    (alarm,) = life.raised()
    assert (alarm.type, alarm.why["inputs"]["sends"]) == (AlarmType.COMMAND_FAILED, 5)


def test_a_command_that_has_not_left_does_not_count_as_tried() -> None:
    life = night()
    name = life.sent()[0].id
    for seconds in range(10, 900, 10):
        now_us = NIGHT_US + seconds * SECOND_US
        life.observe(now_us, "streetlight", [(1, now_us, 100)], inputs=Inputs(unsent={name}))
    assert len(life.sent()) == 1, "a repeat of what waits for the broker says nothing new"
    left_us = NIGHT_US + 900 * SECOND_US
    life.observe(left_us + 1, "streetlight", [(1, left_us + 1, 100)], inputs=Inputs(left_us={name: left_us}))
    assert len(life.sent()) == 1, "the lamp is given its time once the command has left"
    report(life, left_us + 2 * MINUTE_US, 100)
    assert [each.id for each in life.sent()] == [name, name]
    assert life.raised() == []


def test_a_command_that_never_left_has_ended_for_want_of_the_broker() -> None:
    life = night()
    life.step(NIGHT_US + 2 * HOUR_US, Inputs(unsent={life.sent()[0].id}))
    assert life.moved()[0].error == "The broker did not take it in time."


def test_each_repeat_waits_about_twice_as_long_as_the_one_before_and_other_lamps_wait_otherwise() -> None:
    life = night(lamp(1), lamp(2))
    for each in (1, 2):
        report(life, NIGHT_US + SECOND_US, 100, lamp_id=each)
    for seconds in range(2, 900, 2):
        life.observe(
            NIGHT_US + seconds * SECOND_US, "streetlight", [(n, NIGHT_US + seconds * SECOND_US, 100) for n in (1, 2)]
        )
    first = life.sent()[0]
    times = {n: [each.at_us for each in life.sent() if each.asset_id == n and each.again][1:] for n in (1, 2)}
    gaps_s = [(after - before) / SECOND_US for before, after in pairwise(times[first.asset_id])]
    for gap_s, plain_s in zip(gaps_s, (120, 240), strict=True):
        assert 0.8 * plain_s <= gap_s <= 1.2 * plain_s + 3
    assert times[1] != times[2]


def test_a_command_that_is_acknowledged_again_ends_the_alarm() -> None:
    life = night()
    sent = life.sent()[0]
    answer(life, sent, NIGHT_US + SECOND_US, ok=False, error="driver locked")
    (alarm,) = life.raised()
    assert alarm.why["inputs"]["error"] == "driver locked"
    life.step(MIDNIGHT_US)
    answer(life, life.sent()[-1], MIDNIGHT_US + SECOND_US)
    assert [each.id for each in life.cleared()] == [alarm.id]


def test_a_lease_that_ends_unanswered_has_expired() -> None:
    life = Life(city([lamp(1)]))
    life.step(NIGHT_US, Inputs(overrides=[Override("o", 1, Settings(setpoint_pct=80), NIGHT_US + MINUTE_US)]))
    life.step(NIGHT_US + MINUTE_US)
    assert states(life, "o") == [State.EXPIRED]
    assert life.sent()[-1].reason == "program"
    silent = Life(city([drain(1)]))
    silent.step(NIGHT_US, Inputs(overrides=[Override("o", 1, Settings(report_every_s=60), NIGHT_US + MINUTE_US)]))
    silent.step(NIGHT_US + MINUTE_US + 3 * SECOND_US)
    assert states(silent, "o") == [State.EXPIRED]


def overridden(until_us: int = NIGHT_US + 20 * MINUTE_US, level_pct: float = 80) -> Life:
    life = night()
    life.step(NIGHT_US + MINUTE_US, Inputs(overrides=[Override("o", 1, Settings(setpoint_pct=level_pct), until_us)]))
    return life


def test_an_override_goes_before_the_program_until_it_expires() -> None:
    life = overridden()
    for minutes in range(2, 40):
        life.step(NIGHT_US + minutes * MINUTE_US)
    assert setpoints(life) == [(0, 50, "program"), (1, 80, "override"), (20, 50, "program")]


def test_an_override_outlasts_the_program_s_renewal_and_segments() -> None:
    life = overridden(until_us=NIGHT_US + 3 * HOUR_US)
    for minutes in range(2, 190, 3):
        life.step(NIGHT_US + minutes * MINUTE_US)
    assert [reason for _, _, reason in setpoints(life)][:3] == ["program", "override", "program"]
    assert setpoints(life)[2][:2] == (182, 30)


def test_an_override_that_is_taken_back_lets_the_program_resume() -> None:
    life = overridden()
    life.step(NIGHT_US + 5 * MINUTE_US, Inputs(ended=[Ended("o", NIGHT_US + 5 * MINUTE_US)]))
    assert setpoints(life)[-1] == (5, 50, "program")
    assert states(life, "o") == [State.SUPERSEDED]


def test_a_newer_override_takes_the_place_of_the_older() -> None:
    life = overridden()
    newer = Override("p", 1, Settings(setpoint_pct=70), NIGHT_US + 10 * MINUTE_US)
    life.step(NIGHT_US + 2 * MINUTE_US, Inputs(overrides=[newer]))
    life.step(NIGHT_US + 10 * MINUTE_US)
    assert setpoints(life)[-2:] == [(2, 70, "override"), (10, 50, "program")]
    assert states(life, "o") == [State.SUPERSEDED]


def test_what_an_override_replaces_has_ended_and_its_end_disturbs_nothing() -> None:
    both = Settings(setpoint_pct=80, report_every_s=60)
    life = night()
    for minute, name, settings in ((1, "o", both), (3, "p", Settings(setpoint_pct=70)), (5, "q", both)):
        wish = Override(name, 1, settings, NIGHT_US + HOUR_US)
        life.step(NIGHT_US + minute * MINUTE_US, Inputs(overrides=[wish]))
        answer(life, life.sent()[-1], NIGHT_US + (minute + 1) * MINUTE_US)
    ended = [(each.id, each.at_us) for each in life.effects if isinstance(each, EndCommand)]
    assert ended == [("o", NIGHT_US + 5 * MINUTE_US), ("p", NIGHT_US + 5 * MINUTE_US)], "o's interval stood until then"
    sent = len(life.sent())
    life.step(NIGHT_US + 7 * MINUTE_US, Inputs(ended=[Ended(*each) for each in ended]))
    assert len(life.sent()) == sent
    assert [each.id for each in life.state.book.last(1)] == ["q"]
    life.observe(NIGHT_US + 8 * MINUTE_US, "streetlight", [(1, NIGHT_US + 8 * MINUTE_US, 80.0)])
    assert states(life, "q")[-1] == State.VERIFIED
    assert ([each.id for each in life.state.book.of(1)], life.state.book.last(1)) == (["o", "p"], [])


def test_an_override_that_nobody_answers_expires_though_its_setpoint_was_replaced() -> None:
    life = night()
    for minute, name, settings in ((1, "o", Settings(80, 60)), (2, "p", Settings(70))):
        wish = Override(name, 1, settings, NIGHT_US + HOUR_US)
        life.step(NIGHT_US + minute * MINUTE_US, Inputs(overrides=[wish]))
    life.step(NIGHT_US + 61 * MINUTE_US)
    assert states(life, "o") == [State.EXPIRED]


def test_however_many_wishes_nobody_answers_three_commands_wait_for_a_device() -> None:
    """More than `outbox.PER_TOPIC_MAX` would be dropped on their way, and nobody would hear of it."""
    life = night()
    kinds = [Settings(80, 60), Settings(70), Settings(None, 90)]
    for number in range(40):
        wish = Override(f"o-{number}", 1, kinds[number % 7 % 3], NIGHT_US + HOUR_US)
        life.step(NIGHT_US + number * SECOND_US, Inputs(overrides=[wish]))
        assert len(life.state.book.of(1)) <= 3


def test_an_acknowledged_command_that_is_replaced_keeps_its_state_and_ends() -> None:
    """It ended as `expired`, an hour later, because its lamp had not been seen to follow what it was not to do."""
    life = night()
    (before,) = life.sent()
    life.step(MIDNIGHT_US - 10 * MINUTE_US)
    (renewed,) = (each for each in life.sent() if each.id != before.id)
    answer(life, renewed, MIDNIGHT_US - 9 * MINUTE_US)
    for minutes in (0, 60):
        life.step(MIDNIGHT_US + minutes * MINUTE_US)
    assert states(life, renewed.id) == [State.ACKNOWLEDGED]
    ended = [each.at_us for each in life.effects if isinstance(each, EndCommand) and each.id == renewed.id]
    assert ended == [MIDNIGHT_US, renewed.expires_us]
    assert renewed.id not in life.state.book.by_id


def swapped(life: Life, device: str | None, minutes: int, version: int = 2, **attributes: object) -> None:
    """Another device serves the lamp."""
    life.city = city([lamp(1, device=device, **attributes)], version=version)
    life.step(NIGHT_US + minutes * MINUTE_US)


def test_the_remainder_of_an_override_is_told_to_a_new_device() -> None:
    life = overridden()
    first = life.sent()[-1]
    swapped(life, "other", 5)
    told = life.sent()[-1]
    assert (told.device, told.settings, told.reason) == ("other", Settings(setpoint_pct=80), "override")
    assert (told.expires_us, told.by_rule, told.id == first.id) == (first.expires_us, True, False)
    assert states(life, "o") == [State.SUPERSEDED]
    report(life, NIGHT_US + 7 * MINUTE_US, 100)
    assert {each.device for each in life.sent() if each.at_us > NIGHT_US + 4 * MINUTE_US} == {"other"}
    life.step(NIGHT_US + 20 * MINUTE_US)
    assert setpoints(life)[-1] == (20, 50, "program")


def test_an_acknowledged_override_is_told_to_a_new_device_as_well() -> None:
    life = overridden()
    answer(life, life.sent()[-1], NIGHT_US + 2 * MINUTE_US)
    swapped(life, None, 4)
    swapped(life, "other", 5, version=3)
    told = life.sent()[-1]
    assert (told.device, told.settings) == ("other", Settings(setpoint_pct=80))
    for minutes in (6, 7, 8):
        life.observe(NIGHT_US + minutes * MINUTE_US, "streetlight", [(1, NIGHT_US + minutes * MINUTE_US, 100.0)])
    assert life.raised() == [], "the old device's word does not bind the new one"


def test_an_override_that_moved_to_a_new_device_can_be_taken_back() -> None:
    for which in ("first", "last"):
        life = overridden()
        swapped(life, "other", 5)
        name = "o" if which == "first" else life.sent()[-1].id
        life.step(NIGHT_US + 6 * MINUTE_US, Inputs(ended=[Ended(name, NIGHT_US + 6 * MINUTE_US)]))
        assert setpoints(life)[-1] == (6, 50, "program")


def test_an_override_is_not_handed_on_where_the_registry_now_forbids_it() -> None:
    life = overridden(level_pct=20)
    swapped(life, "other", 5, min_level_pct=60)
    assert states(life, "o") == [State.FAILED]
    assert setpoints(life)[-1] == (5, 60, "program")


def test_a_report_interval_that_waits_for_the_old_device_is_told_to_the_new_one() -> None:
    life = Life(city([drain(1)]))
    wish = Override("o", 1, Settings(report_every_s=60), NIGHT_US + HOUR_US)
    life.step(NIGHT_US, Inputs(overrides=[wish]))
    life.city = city([drain(1, device="other")], version=2)
    life.observe(NIGHT_US + MINUTE_US, "drain_level", [(1, NIGHT_US + MINUTE_US, 0.2)])
    assert [each.device for each in life.sent()] == ["dev-1", "other"]
    assert states(life, "o") == [State.SUPERSEDED]


def test_an_override_that_the_device_rejects_does_not_stand_in_the_way() -> None:
    life = overridden()
    answer(life, life.sent()[-1], NIGHT_US + 2 * MINUTE_US, ok=False)
    assert setpoints(life)[-1] == (2, 50, "program")


@pytest.mark.parametrize(
    ("attributes", "level_pct", "words"),
    [({}, 0, "sign 394"), ({"crossing": True, "ring_sign": True}, 0, "crossing"), ({"min_level_pct": 30}, 20, "30 %")],
)
def test_no_override_makes_a_street_unlawfully_dark(
    attributes: dict[str, object], level_pct: float, words: str
) -> None:
    life = night(lamp(1, **attributes))
    wish = Override("o", 1, Settings(setpoint_pct=level_pct), NIGHT_US + HOUR_US)
    life.step(NIGHT_US + MINUTE_US, Inputs(overrides=[wish]))
    (move,) = life.moved()
    assert (move.id, move.state) == ("o", State.FAILED)
    assert words in (move.error or "")
    assert len(life.sent()) == 1


def test_nor_does_one_that_begins_by_day_and_lasts_into_the_night() -> None:
    life = Life(city([lamp(1)]))
    for name, until_us in (("day", NOON_US + HOUR_US), ("night", NOON_US + 9 * HOUR_US)):
        life.step(NOON_US, Inputs(overrides=[Override(name, 1, Settings(setpoint_pct=0), until_us)]))
    assert states(life, "night") == [State.FAILED]
    assert states(life, "day") == []


def test_an_override_that_comes_too_late_is_never_sent() -> None:
    life = night()
    life.step(NIGHT_US, Inputs(overrides=[Override("o", 1, Settings(setpoint_pct=80), NIGHT_US)]))
    assert states(life, "o") == [State.EXPIRED]
    assert [each.id for each in life.sent()] != ["o"]


def test_an_override_of_an_asset_that_nothing_serves_fails() -> None:
    life = night(drain(1, device=None))
    for asset_id in (1, 99):
        wish = Override(f"o{asset_id}", asset_id, Settings(report_every_s=60), NIGHT_US + HOUR_US)
        life.step(NIGHT_US, Inputs(overrides=[wish]))
        assert states(life, f"o{asset_id}") == [State.FAILED]


def test_a_report_interval_ends_at_acknowledged_and_leaves_the_setpoint_alone() -> None:
    life = night()
    wish = Override("o", 1, Settings(report_every_s=60), NIGHT_US + HOUR_US)
    life.step(NIGHT_US + MINUTE_US, Inputs(overrides=[wish]))
    answer(life, life.sent()[-1], NIGHT_US + MINUTE_US + SECOND_US)
    assert states(life, "o") == [State.ACKNOWLEDGED]
    assert "o" not in life.state.book.by_id
    assert [reason for _, level, reason in setpoints(life) if level is not None] == ["program"]
    assert life.state.book.by_id, "the program's command is still open"


def test_a_report_interval_that_is_taken_back_becomes_the_registered_one() -> None:
    life = night(drain(1), now_us=NIGHT_US - SECOND_US)
    life.step(NIGHT_US, Inputs(overrides=[Override("o", 1, Settings(report_every_s=3600), NIGHT_US + HOUR_US)]))
    answer(life, life.sent()[0], NIGHT_US + SECOND_US)
    life.step(NIGHT_US + MINUTE_US, Inputs(ended=[Ended("o", NIGHT_US + MINUTE_US)]))
    assert [(each.settings, each.reason) for each in life.sent()][-1] == (Settings(report_every_s=300), "default")

"""Up to when everything has been heard."""

from rules.hearing import SETTLE_S, Hearing
from rules.memory import NEVER_US
from telemetry.clock import HOUR_US, SECOND_US
from tests.parts.cities import NOON_US

SETTLE_US = round(SETTLE_S * SECOND_US)


def hearing(settled_us: int = NOON_US - HOUR_US, speed: float = 1.0) -> Hearing:
    found = Hearing(speed, settled_us, 0.0)
    found.connected(resumed=True, now_us=NOON_US, real_s=0.0)
    return found


def test_live_it_is_a_little_before_now() -> None:
    moment = hearing().moment(NOON_US, 0.1, NOON_US - SECOND_US, messages=1)
    assert moment.settled_us == NOON_US - SETTLE_US


def test_under_a_fast_clock_messages_on_their_way_take_more_of_the_city_s_time() -> None:
    moment = hearing(NOON_US - 9 * HOUR_US, speed=3600).moment(NOON_US, 0.1, NOON_US, messages=1)
    assert moment.settled_us == NOON_US - 3600 * SETTLE_US


def test_while_a_queue_is_worked_off_it_is_where_the_queue_is() -> None:
    found = hearing()
    for minutes in (50, 30, 40, 10):
        at_us = NOON_US - minutes * 60 * SECOND_US
        settled_us = found.moment(NOON_US, 0.1, at_us, messages=5000).settled_us
        assert settled_us >= at_us
    assert settled_us == NOON_US - 600 * SECOND_US


def test_a_quiet_connection_has_brought_everything() -> None:
    found = hearing()
    assert found.moment(NOON_US, 0.4).settled_us == NOON_US - HOUR_US
    assert found.moment(NOON_US, 0.6).settled_us == NOON_US - SETTLE_US


def test_while_the_broker_is_away_it_stands_still() -> None:
    found = hearing()
    found.moment(NOON_US, 1.0, NOON_US, messages=1)
    found.disconnected(2.0)
    assert found.moment(NOON_US + HOUR_US, 3600.0).settled_us == NOON_US - SETTLE_US


def test_after_a_long_absence_devices_are_given_time() -> None:
    found = hearing()
    found.disconnected(2.0)
    found.connected(resumed=True, now_us=NOON_US + HOUR_US, real_s=3600.0)
    assert found.moment(NOON_US + HOUR_US, 3600.1).listening_us == NOON_US + HOUR_US


def test_a_short_interruption_is_none() -> None:
    found = hearing(NOON_US)
    found.disconnected(2.0)
    found.connected(resumed=True, now_us=NOON_US, real_s=4.0)
    assert found.moment(NOON_US, 4.1).listening_us == NEVER_US


def test_a_session_that_the_broker_forgot_was_deaf() -> None:
    found = Hearing(1.0, NOON_US, 0.0)
    found.connected(resumed=False, now_us=NOON_US, real_s=0.0)
    assert found.moment(NOON_US, 0.1).listening_us == NOON_US


def test_where_broker_and_rules_were_away_together_devices_are_given_time() -> None:
    found = hearing()
    assert found.moment(NOON_US, 0.1).listening_us == NOON_US
    found.moment(NOON_US, 0.9)
    late_us = NOON_US + 20 * SECOND_US
    assert found.moment(late_us, 20.0, NOON_US - 1800 * SECOND_US, messages=3).listening_us == NOON_US, "sent again"


def test_a_queue_with_what_was_said_meanwhile_shows_that_only_the_rules_were_away() -> None:
    found = hearing()
    assert found.moment(NOON_US, 0.1, NOON_US - 1800 * SECOND_US, messages=3).listening_us == NEVER_US


def test_before_the_first_connection_nothing_settles() -> None:
    found = Hearing(1.0, NOON_US - HOUR_US, 0.0)
    assert found.moment(NOON_US, 99.0).settled_us == NOON_US - HOUR_US


def test_an_own_delay_may_have_left_a_queue() -> None:
    found = hearing()
    found.moment(NOON_US, 0.1, NOON_US, messages=1)
    found.delayed(100.0)
    later_us = NOON_US + 100 * SECOND_US
    assert found.moment(later_us, 100.1, NOON_US + 10 * SECOND_US, messages=9999).settled_us == NOON_US + 10 * SECOND_US


def test_a_trickle_of_old_times_is_no_queue() -> None:
    found = hearing()
    old_us = NOON_US - 9 * HOUR_US
    for second in range(1, 61):
        moment = found.moment(NOON_US, float(second), old_us, messages=3)
    assert moment.settled_us == NOON_US - SETTLE_US

"""A replay begins where the city clock stands, or not at all."""

from datetime import UTC, datetime

import pytest

from firmware_sim.elsewhere import ClockElsewhere, parse_clock, refuse_elsewhere
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, CityClock, to_us

START_US = to_us(datetime(2018, 6, 1, 4, tzinfo=UTC))


@pytest.mark.parametrize("now_us", [START_US - 5 * MINUTE_US, START_US - MINUTE_US, START_US, START_US + HOUR_US])
def test_a_clock_about_the_start_is_fine(now_us: int) -> None:
    refuse_elsewhere("series.csv", START_US, now_us, speed=1)


@pytest.mark.parametrize("now_us", [START_US - 6 * MINUTE_US, START_US + 2 * HOUR_US, START_US + 3000 * DAY_US])
def test_another_clock_is_refused_in_one_sentence_with_the_mend(now_us: int) -> None:
    with pytest.raises(ClockElsewhere) as refused:
        refuse_elsewhere("series.csv", START_US, now_us, speed=1)
    words = str(refused.value)
    assert "series.csv begins at 2018-06-01T04:00:00Z" in words
    assert "LAMPLIGHTER_CLOCK_START=2018-06-01T03:59:00Z" in words
    assert "--shift-to-now" in words
    assert words.count(". ") == 0


def test_a_fast_clock_may_have_run_on_while_the_town_started() -> None:
    refuse_elsewhere("series.csv", START_US, START_US + DAY_US, speed=50_000)


def test_the_platforms_clock_is_read_as_it_is_retained() -> None:
    payload = b'{"start": "2018-06-01T03:59:00Z", "anchor": "2026-11-22T12:00:00Z", "speed": 600}'
    anchor_us = to_us(datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert parse_clock(payload) == CityClock(START_US - MINUTE_US, anchor_us, 600)
    clock = parse_clock(payload)
    assert clock is not None
    assert clock.at(anchor_us + SECOND_US) == START_US + 9 * MINUTE_US


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'{"start": "x", "anchor": "y", "speed": 1}', b"\xff"])
def test_what_is_no_clock_is_none(payload: bytes) -> None:
    assert parse_clock(payload) is None


def test_a_clock_that_does_not_run_is_none() -> None:
    assert parse_clock(b'{"start": "2018-06-01T03:59:00Z", "anchor": "2018-06-01T03:59:00Z", "speed": 0}') is None

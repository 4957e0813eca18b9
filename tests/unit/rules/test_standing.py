"""What turns alarms without the database does to them what the database does."""

from typing import Any

import msgspec
import pytest

from rules.standing import Standing
from storage.alarms import Cleared, Raised
from telemetry.alarms import Alarm, AlarmType, Severity
from telemetry.clock import MINUTE_US, to_datetime
from tests.parts.cities import NOON_US

SUBJECT = "asset:drain-1"


def raised(name: str, minute: int) -> Raised:
    at_us = NOON_US + minute * MINUTE_US
    return Raised(name, SUBJECT, "drain-1", AlarmType.DRAIN_HIGH, at_us, at_us, {"inputs": {"minute": minute}})


def cleared(minute: int) -> Cleared:
    return Cleared(SUBJECT, AlarmType.DRAIN_HIGH, NOON_US + minute * MINUTE_US)


def states(changed: list[Alarm]) -> list[tuple[str, str, str | None]]:
    return [(each.id, each.state, each.state_under) for each in changed]


def test_an_alarm_rises_and_clears_and_a_repeat_is_nothing() -> None:
    standing = Standing()
    (one,) = standing.take(raised("one", 0))
    assert (one.severity, one.raised_at, one.why) == ("warning", to_datetime(NOON_US), {"inputs": {"minute": 0}})
    assert standing.take(raised("one", 0)) == []
    assert standing.take(raised("another", 1)) == []
    assert states(standing.take(cleared(2))) == [("one", "returned_unacknowledged", None)]
    assert standing.take(cleared(3)) == []


def test_an_alarm_that_is_raised_again_worse_escalates_once() -> None:
    standing = Standing()
    standing.take(raised("one", 0))
    worse = msgspec.structs.replace(raised("one", 5), severity=Severity.CRITICAL)
    (one,) = standing.take(worse)
    assert (one.id, one.severity, one.raised_at) == ("one", "critical", to_datetime(NOON_US))
    assert one.why == {"inputs": {"minute": 5}}
    assert standing.take(worse) == standing.take(raised("one", 6)) == []


def test_what_comes_again_replaces_what_nobody_has_seen() -> None:
    standing = Standing()
    standing.take(raised("one", 0))
    standing.take(cleared(1))
    assert states(standing.take(raised("two", 2))) == [("one", "normal", None), ("two", "unacknowledged", None)]
    assert list(standing.holding(SUBJECT)) == [AlarmType.DRAIN_HIGH]


@pytest.mark.parametrize(
    ("seen", "after"),
    [
        ({"state": "acknowledged"}, ("one", "normal", None)),
        ({"state": "shelved", "state_under": "acknowledged"}, ("one", "shelved", "normal")),
    ],
)
def test_what_people_did_to_an_alarm_counts(seen: dict[str, Any], after: tuple[str, str, str | None]) -> None:
    standing = Standing()
    (one,) = standing.take(raised("one", 0))
    standing.note([msgspec.structs.replace(one, **seen)])
    assert states(standing.take(cleared(1))) == [after]


def test_a_shelved_alarm_stands_again_underneath() -> None:
    standing = Standing()
    (one,) = standing.take(raised("one", 0))
    seen = {"acknowledged_by": "Ada", "acknowledged_at": one.raised_at, "note": "on my way"}
    gone = {"state": "shelved", "state_under": "normal", "cleared_at": one.raised_at}
    standing.note([msgspec.structs.replace(one, **seen, **gone)])
    (again,) = standing.take(raised("two", 5))
    assert (again.id, again.state_under, again.cleared_at) == ("one", "unacknowledged", None)
    assert (again.acknowledged_by, again.acknowledged_at, again.note) == (None, None, None), "nobody has seen it again"
    assert again.why == {"inputs": {"minute": 5}}


def test_what_the_database_says_otherwise_is_known() -> None:
    standing = Standing()
    standing.take(raised("one", 0))
    assert standing.differing({"one": ("unacknowledged", None)}) == set()
    assert standing.differing({"one": ("acknowledged", None), "other": ("unacknowledged", None)}) == {"one", "other"}
    assert standing.differing({}) == {"one"}

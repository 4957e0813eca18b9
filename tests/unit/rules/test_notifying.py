"""Sinks of notifications: in order, tried again, none in another's way; who is told of which alarm."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from rules import notifying
from rules.notifying import Message, Notifier, Sink, through_apprise
from rules.standing import Standing
from storage.alarms import Cleared, Raised
from telemetry.alarms import Alarm, AlarmType
from telemetry.clock import MINUTE_US
from telemetry.thresholds import Notifications, Route
from tests.parts.cities import NOON_US
from tests.parts.patience import eventually


def message(text: str) -> Message:
    return Message(text, text, "info")


class AtOnce:
    """No waits between attempts."""

    def next_s(self) -> float:
        return 0.0

    def succeeded(self) -> None:
        pass


def turned() -> Iterator[list[Alarm]]:
    """An alarm rises, clears, and comes again."""
    standing = Standing()
    for minute in range(4):
        at_us = NOON_US + minute * MINUTE_US
        if minute % 2:
            yield standing.take(Cleared("asset:d", AlarmType.DRAIN_OVERFLOW, at_us))
        else:
            why = {"inputs": {"level_m": 1.6}, "thresholds": {"ground_m": 1.5}}
            yield standing.take(Raised(f"a{minute}", "asset:d", "d", AlarmType.DRAIN_OVERFLOW, at_us, at_us, why))


async def test_a_sink_that_hangs_or_fails_delays_no_other() -> None:
    release = threading.Event()
    good: list[str] = []
    failing, hanging, working = (
        Sink("failing", lambda _: 1 / 0 > 1, waits=AtOnce()),
        Sink("hanging", lambda _: release.wait(10)),
        Sink("working", lambda said: good.append(said.body) is None),
    )
    for each in (failing, hanging, working):
        each.put(message("one"))
        each.put(message("two"))

    async def both() -> None:
        assert good == ["one", "two"]
        assert failing.counts["failed"] > 1

    await eventually(both)
    assert (working.counts["sent"], hanging.counts["sent"], failing.counts["sent"]) == (2, 0, 0)
    release.set()
    for each in (failing, hanging, working):
        await each.close()


async def test_what_was_not_taken_is_tried_again_in_order() -> None:
    taken: list[str] = []
    refusals = iter([False, False])

    def send(said: Message) -> bool:
        if next(refusals, True):
            taken.append(said.body)
            return True
        return False

    sink = Sink("moody", send, waits=AtOnce())
    for text in ("one", "two"):
        sink.put(message(text))

    async def both() -> None:
        assert taken == ["one", "two"]

    await eventually(both)
    assert sink.counts == {"failed": 2, "sent": 2}
    await sink.close()


async def test_at_its_bound_a_sink_drops_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "NOTIFICATIONS_WAITING_MAX", 2)
    taken: list[str] = []
    sink = Sink("slow", lambda said: taken.append(said.body) is None)
    for text in ("one", "two", "three"):
        sink.put(message(text))

    async def rest() -> None:
        assert taken == ["two", "three"]

    await eventually(rest)
    assert sink.counts["dropped"] == 1
    await sink.close()


async def test_people_hear_of_raising_and_clearing_once_and_in_words() -> None:
    told: list[Message] = []
    sink = Sink("desk", lambda said: told.append(said) is None)
    routes = (Route(("desk",)), Route(("desk",), severities=("critical",)), Route(("nobody",), types=("lamp_fault",)))
    notifier = Notifier({"desk": sink}, Notifications(routes=routes))
    for changed in turned():
        notifier.take(changed)

    async def four() -> None:
        assert len(told) == 4

    await eventually(four)
    assert [each.kind for each in told] == ["failure", "success"] * 2
    assert told[0].title == "critical: drain overflow, d"
    assert "level_m 1.6" in told[0].body
    assert "ground_m 1.5" in told[0].body
    await notifier.close()


async def test_only_those_are_told_whose_route_matches() -> None:
    sink = Sink("lamps", lambda _: True)
    notifier = Notifier({"lamps": sink}, Notifications(routes=(Route(("lamps",), types=("lamp_fault",)),)))
    for changed in turned():
        notifier.take(changed)
    await asyncio.sleep(0)
    assert sink.counts == {}
    await notifier.close()


def test_a_url_that_apprise_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="apprise does not know"):
        through_apprise("nonsense://")

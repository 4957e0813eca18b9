"""Sinks of notifications: in order, tried again, none in another's way; who is told of which alarm."""

import threading
from pathlib import Path

import pytest

from rules import notifying
from rules.messages import Message
from rules.notifying import Notifier, Send, Sink, through_apprise, url_of
from rules.standing import Standing
from rules.telling import Circumstances
from storage.alarms import Raised
from telemetry.alarms import Alarm, AlarmType
from telemetry.thresholds import Notifications, Route
from telemetry.thresholds import Sink as Place
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


def standing() -> list[Alarm]:
    why = {"inputs": {"level_m": 1.6}, "thresholds": {"ground_m": 1.5}}
    return Standing().take(Raised("a", "asset:d", "d", AlarmType.DRAIN_OVERFLOW, NOON_US, NOON_US, why))


def given(**sinks: Place) -> Circumstances:
    notifications = Notifications(sinks=sinks, routes=(Route(tuple(sinks)),))
    return Circumstances(NOON_US, notifications, frozenset(sinks), frozenset(), lambda _: None)


async def test_each_sink_of_the_rules_is_told_in_words() -> None:
    told: dict[str, list[Message]] = {"mail": [], "chat": []}
    notifier = Notifier(
        lambda place: lambda said: told[place.url_env].append(said) is None, platform_url="https://city.example/"
    )
    places = {"desk": Place(url_env="mail"), "crew": Place(url_env="chat")}
    notifier.adopt(places)
    notifier.take(standing(), given(**places))

    async def both() -> None:
        assert [len(each) for each in told.values()] == [1, 1]

    await eventually(both)
    (message,) = told["mail"]
    assert (message.title, message.kind) == ("critical: drain overflow, d", "failure")
    assert "level 1.6 m" in message.body
    assert "ground 1.5 m" in message.body
    assert message.body.endswith("\nhttps://city.example/ops/alarms/a")
    assert notifier.counts["desk"]["sent"] == 1
    await notifier.close()


async def test_a_sink_that_stays_the_same_keeps_what_waits_for_it() -> None:
    opened: list[str] = []

    def opening(place: Place) -> Send:
        opened.append(place.url_env)
        return lambda said: True

    notifier = Notifier(opening)
    notifier.adopt({"a": Place(url_env="A"), "b": Place(url_env="B")})
    notifier.adopt({"a": Place(url_env="A"), "b": Place(url_env="C")})
    assert opened == ["A", "B", "C"]
    await notifier.close()


def test_a_sinks_url_comes_from_its_file_or_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "url"
    secret.write_text("json://one\n")
    (binary := tmp_path / "binary").write_bytes(b"\xff")
    monkeypatch.setenv("SINK", "json://two")
    assert url_of(Place(url_file=str(secret))) == "json://one"
    assert url_of(Place(url_env="SINK")) == "json://two"
    for bad, words in (
        (Place(url_env="NONE"), "NONE is not set"),
        (Place(url_file=str(tmp_path / "no")), "no cannot be read: No such file or directory$"),
        (Place(url_file=str(binary)), "binary is not UTF-8 text$"),
    ):
        with pytest.raises(ValueError, match=words):
            url_of(bad)


def test_a_url_that_is_mended_holds_from_the_next_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink whose file came late, or whose password was changed, was not used before a restart."""
    monkeypatch.setattr("apprise.plugins.custom_json.NotifyJSON.send", lambda self, **_: self.host == "right")
    secret, message = tmp_path / "url", Message("title", "body", "info")
    send = through_apprise(Place(url_file=str(secret)))
    with pytest.raises(ValueError, match="cannot be read"):
        send(message)
    secret.write_text("nonsense://")
    with pytest.raises(ValueError, match="apprise does not know"):
        send(message)
    secret.write_text("json://wrong")
    assert not send(message)
    secret.write_text("json://right")
    assert send(message)

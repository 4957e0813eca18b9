"""Alarms for streams: the newest word on each, and the last on those that are over."""

import msgspec
import pytest

from api import alarm_board
from api.alarm_board import AlarmBoard
from telemetry import alarms, topics
from telemetry.alarms import State
from tests.parts.alarms import alarm


def tell(board: AlarmBoard, name: str, state: State = State.UNACKNOWLEDGED) -> None:
    board.receive(topics.alarm(name), alarms.encode(alarm(name, state)))


def said(board: AlarmBoard, after: int = 0) -> list[tuple[str, str, str | None]]:
    """Event, alarm and state of each frame."""
    parts = [frame.decode().split("\n") for frame in board.changes.frames_after(after)]
    found = [(each[1].removeprefix("event: "), msgspec.json.decode(each[2].removeprefix("data: "))) for each in parts]
    return [(event, data["id"], data.get("state")) for event, data in found]


def test_what_stands_is_told_first_and_what_is_over_only_to_who_knew_it() -> None:
    board = AlarmBoard()
    tell(board, "a")
    tell(board, "b")
    seen = board.changes.last_event_id
    tell(board, "a", State.NORMAL)
    board.receive(topics.alarm("a"), b"")
    assert said(board) == [("alarm", "b", "unacknowledged")]
    assert said(board, seen) == [("alarm", "a", "normal")]


def test_what_the_broker_does_not_repeat_became_normal_meanwhile() -> None:
    board = AlarmBoard(confirm_s=60)
    tell(board, "a")
    tell(board, "b")
    seen = board.changes.last_event_id
    board.connected(now_s=0)
    tell(board, "b", State.ACKNOWLEDGED)
    board.look(now_s=61)
    assert said(board, seen) == [("alarm", "b", "acknowledged"), ("gone", "a", None)]


@pytest.mark.parametrize("payload", [b"\xff", b"[]", b"{}", alarms.encode(alarm("other"))])
def test_what_nobody_understands_is_passed_over(payload: bytes) -> None:
    board = AlarmBoard()
    board.receive(topics.alarm("a"), payload)
    assert said(board) == []


def test_alarms_beyond_the_bound_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_board, "ALARMS_MAX", 2)
    board = AlarmBoard()
    for name in ("a", "b", "c"):
        tell(board, name)
    tell(board, "a", State.ACKNOWLEDGED)
    assert [name for _, name, _ in said(board)] == ["b", "a"]

"""Server-sent events as a client reads them."""

import asyncio

import pytest

from api.board import Board
from api.changes import Changes
from api.stream import COMMENT, OPENING, events, last_event_id
from tests.parts.zones import message, zone


@pytest.mark.parametrize(
    ("header", "event_id"), [(None, 0), ("", 0), ("12", 12), (" 12 ", 12), ("x", 0), ("-3", 0), ("²", 0), ("9" * 30, 0)]
)
def test_last_event_id(header: str | None, event_id: int) -> None:
    assert last_event_id(header) == event_id


def test_a_frame_is_three_lines_and_an_empty_one() -> None:
    changes = Changes(7)
    changes.put("a", "zone", b'{"a":1}')
    assert changes.frames_after(0) == [b'id: 7\nevent: zone\ndata: {"a":1}\n\n']


async def test_a_snapshot_first_then_changes(board: Board) -> None:
    board.receive(*message(zone("a")))
    board.receive(*message(zone("b")))
    stream = events(board.changes, 0, comment_every_s=5)
    assert await anext(stream) == OPENING
    snapshot = await anext(stream)
    assert snapshot.count(b"event: zone") == 2
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    board.receive(*message(zone("b", free=1)))
    change = await waiting
    assert change.count(b"event: zone") == 1
    assert b'"zone":"b"' in change


async def test_going_on_after_an_event(board: Board) -> None:
    board.receive(*message(zone("a")))
    board.receive(*message(zone("b")))
    seen = board.changes.last_event_id
    board.receive(*message(zone("a", free=1)))
    stream = events(board.changes, seen, comment_every_s=5)
    assert await anext(stream) == OPENING
    assert (await anext(stream)).count(b"event: zone") == 1


async def test_a_comment_keeps_a_quiet_stream_open(board: Board) -> None:
    stream = events(board.changes, 0, comment_every_s=0.01)
    assert await anext(stream) == OPENING
    assert await anext(stream) == COMMENT
    assert await anext(stream) == COMMENT


async def test_a_slow_client_gets_the_newest_and_not_the_history(board: Board) -> None:
    stream = events(board.changes, 0, comment_every_s=5)
    await anext(stream)
    for free in range(9):
        board.receive(*message(zone("a", free=free)))
    assert (await anext(stream)).count(b"event: zone") == 1


async def test_streams_end_when_the_board_closes(board: Board) -> None:
    stream = events(board.changes, 0, comment_every_s=5)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    board.changes.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_comments_come_however_much_happens_meanwhile(board: Board) -> None:
    stream = events(board.changes, 0, comment_every_s=0.05)
    said: list[bytes] = []
    async with asyncio.timeout(5):
        while COMMENT not in said:
            board.receive(*message(zone("a", free=len(said) % 9)))
            said.append(await anext(stream))
            await asyncio.sleep(0.01)

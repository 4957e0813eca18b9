"""The board: what is known of the zones, when it is stale, and what a stream has to say."""

import json

import pytest

from api.board import PATH, Board
from telemetry import availability, topics
from telemetry.clock import SECOND_US
from tests.parts.zones import message, zone
from tests.unit.api.conftest import Clock


def ids(board: Board, after: int = 0) -> list[int]:
    return [int(frame.split(b"\n")[0].removeprefix(b"id: ")) for frame in board.changes.frames_after(after)]


def events(board: Board, after: int = 0) -> list[tuple[str, dict[str, object]]]:
    parts = [frame.decode().split("\n") for frame in board.changes.frames_after(after)]
    return [(lines[1].removeprefix("event: "), json.loads(lines[2].removeprefix("data: "))) for lines in parts]


def test_a_word_is_shown(board: Board) -> None:
    board.receive(*message(zone("market", free=3)))
    assert board.zone("market") == zone("market", free=3)
    assert json.loads(board.documents[PATH].body)["zones"] == [json.loads(availability.encode(zone("market", free=3)))]


def test_zones_are_listed_by_name(board: Board) -> None:
    for name in ("b", "c", "a"):
        board.receive(*message(zone(name)))
    assert [each.zone for each in board.zones] == ["a", "b", "c"]


def test_documents_are_serialised_once_and_anew_after_a_change(board: Board) -> None:
    board.receive(*message(zone(free=3)))
    before = board.documents
    assert board.documents is before
    board.receive(*message(zone(free=2)))
    assert board.documents[PATH].etag != before[PATH].etag


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"{}",
        message(zone("other"))[1],
        message(zone(free=9, capacity=3))[1],
        message(zone(updated_at="yesterday"))[1],
        message(zone(updated_at="2026-11-22T20:15:00"))[1],
    ],
    ids=["no json", "empty", "another zone", "contradicts itself", "no time", "no offset"],
)
def test_a_word_that_cannot_be_is_refused_and_the_last_one_stays(board: Board, payload: bytes) -> None:
    board.receive(*message(zone(free=3)))
    board.receive(topics.zone_parking("market"), payload)
    assert board.zone("market") == zone(free=3)
    assert board.words_refused == 1


def test_another_topic_is_no_zone(board: Board) -> None:
    board.receive("city/v1/zones/a/b/parking", message(zone())[1])
    assert board.zones == []


def test_a_word_older_than_its_time_to_live_is_stale(board: Board, clock: Clock) -> None:
    board.receive(*message(zone()))
    clock.pass_s(50)
    board.look(0)
    assert board.zones[0].stale is False
    clock.pass_s(1)
    board.look(0)
    assert board.zones[0].stale is True
    assert json.loads(board.documents[PATH].body)["zones"][0]["stale"] is True


def test_under_a_fast_clock_a_word_lives_as_long_in_real_time(clock: Clock) -> None:
    board = Board(clock, ttl_s=60, speed=100)
    board.receive(*message(zone()))
    clock.pass_s(5_900)
    board.look(0)
    assert board.zones[0].stale is False


def test_everything_is_stale_while_the_database_is_away_though_figures_move(board: Board) -> None:
    board.receive(*message(zone(free=3)))
    board.look(0, database_away=True)
    assert board.zones[0].stale is True
    board.receive(*message(zone(free=2)))
    assert (board.zones[0].free, board.zones[0].stale) == (2, True)
    board.look(0)
    assert board.zones[0].stale is False


def test_a_word_that_calls_itself_stale_is(board: Board) -> None:
    board.receive(*message(zone(stale=True)))
    assert board.zones[0].stale is True


def test_a_zone_taken_away_is_gone(board: Board) -> None:
    board.receive(*message(zone("a")))
    board.receive(*message(zone("b")))
    seen = board.changes.last_event_id
    board.receive(topics.zone_parking("a"), b"")
    assert [each.zone for each in board.zones] == ["b"]
    assert f"{PATH}/a" not in board.documents
    assert events(board, seen) == [("gone", {"zone": "a"})]


def test_what_the_broker_no_longer_repeats_after_a_connection_is_gone(board: Board) -> None:
    board.receive(*message(zone("a")))
    board.receive(*message(zone("b")))
    board.connected(1_000)
    board.receive(*message(zone("b")))
    board.look(1_059)
    assert len(board.zones) == 2
    board.look(1_061)
    assert [each.zone for each in board.zones] == ["b"]


def test_event_ids_increase_and_each_zone_is_told_once(board: Board) -> None:
    for free in (1, 2, 3):
        board.receive(*message(zone("a", free=free)))
        board.receive(*message(zone("b", free=free)))
    assert ids(board) == sorted(set(ids(board)))
    assert [(kind, data["zone"], data["free"]) for kind, data in events(board)] == [("zone", "a", 3), ("zone", "b", 3)]


def test_after_an_event_only_what_changed_is_told(board: Board) -> None:
    board.receive(*message(zone("a")))
    board.receive(*message(zone("b")))
    seen = board.changes.last_event_id
    assert events(board, seen) == []
    board.receive(*message(zone("a", free=1)))
    assert [data["zone"] for _, data in events(board, seen)] == ["a"]


def test_an_event_id_of_somebody_elses_gets_everything(board: Board) -> None:
    board.receive(*message(zone("a")))
    assert len(events(board, board.changes.last_event_id + 1)) == 1


def test_ids_after_a_restart_are_above_those_before(clock: Clock) -> None:
    before = Board(clock, first_event_id=clock() // 1_000)
    before.receive(*message(zone()))
    clock.pass_s(1)
    after = Board(clock, first_event_id=clock() // 1_000)
    after.receive(*message(zone()))
    assert len(events(after, before.changes.last_event_id)) == 1


def test_the_board_holds_for_the_moment_of_its_newest_word(board: Board, clock: Clock) -> None:
    assert board.updated_at() == "2026-11-22T20:15:10Z"
    board.receive(*message(zone("a", updated_at="2026-11-22T20:15:00Z")))
    board.receive(*message(zone("b", updated_at="2026-11-22T20:14:00Z")))
    assert board.updated_at() == "2026-11-22T20:15:00Z"
    assert clock() % SECOND_US == 0


def test_geojson_has_longitude_first_and_no_geometry_without_a_place(board: Board) -> None:
    board.receive(*message(zone("a", lat=51.5, lon=7.25)))
    board.receive(*message(zone("b", lat=None, lon=None)))
    placed, lost = json.loads(board.documents[f"{PATH}.geojson"].body)["features"]
    assert placed["geometry"] == {"type": "Point", "coordinates": [7.25, 51.5]}
    assert placed["properties"]["free"] == 3
    assert lost["geometry"] is None

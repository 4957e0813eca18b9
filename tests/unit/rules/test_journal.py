"""The leader's journal: what it returned from is there after any end of the process, what it did not is not."""

from pathlib import Path

import pytest

from rules import journal as journals
from rules.journal import InUse, Journal
from rules.record import Record, fold
from storage.alarms import Cleared, Raised
from storage.commands import Move, Order
from storage.rule_state import Kept
from telemetry.alarms import AlarmType
from telemetry.commands import Settings, State


def record(number: int, **more: object) -> Record:
    nothing: dict[str, object] = {
        "rows": [Kept(1, "presence", number, b"{}")],
        "gone": [],
        "alarms": [
            Raised(f"a{number}", "asset:d", "d", AlarmType.DRAIN_HIGH, number, number, {"inputs": {"level_m": 1.2}}),
            Cleared("asset:d", AlarmType.DRAIN_HIGH, number),
        ],
        "orders": [Order(f"c{number}", 2, "l", "L", Settings(setpoint_pct=30), "program", 1, 2)],
        "sent": {f"c{number}": number},
        "moves": [Move(f"c{number}", State.ACKNOWLEDGED, number)],
        "words": [],
        "zones_gone": [],
    }
    return Record(number=number, **(nothing | more))  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    opened = Journal(tmp_path)
    opened.open()
    return opened


def numbers(journal: Journal, bytes_max: int = 1 << 20, after: int = 0) -> list[list[int]]:
    return [[each.number for each in lot] for lot in journal.lots(bytes_max, after)]


async def test_records_are_there_after_the_end_of_the_process(journal: Journal, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        await journal.append(7, record(number))
    journal.close()
    again = Journal(tmp_path)
    again.open()
    assert (again.term, again.size, again.owner) == (7, journal.size, journal.owner)
    assert next(again.lots(1 << 20)) == [record(1), record(2), record(3)]
    assert numbers(again, bytes_max=1, after=1) == [[2], [3]]
    again.clear()
    assert (again.empty, again.size, numbers(again)) == (True, 0, [])
    await again.append(8, record(1))
    assert (again.term, numbers(again)) == (8, [[1]])


@pytest.mark.parametrize("cut", [1, 7, 9, 40])
async def test_a_record_cut_short_by_a_crash_is_not_there(journal: Journal, tmp_path: Path, cut: int) -> None:
    await journal.append(7, record(1))
    sound = journal.size
    await journal.append(7, record(2))
    journal.close()
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes()[: sound + cut])
    again = Journal(tmp_path)
    again.open()
    assert (numbers(again), again.size) == ([[1]], sound)
    assert len((tmp_path / "journal.cut").read_bytes()) == cut
    await again.append(7, record(2))
    assert numbers(again) == [[1, 2]]


@pytest.mark.parametrize("damage", [b"\xff", b"\x00"])
async def test_what_lies_behind_damage_is_set_aside(journal: Journal, tmp_path: Path, damage: bytes) -> None:
    await journal.append(7, record(1))
    sound = journal.size
    for number in (2, 3):
        await journal.append(7, record(number))
    journal.close()
    path = tmp_path / "journal"
    written = bytearray(path.read_bytes())
    written[sound + 3 : sound + 4] = damage  # its length
    path.write_bytes(written)
    again = Journal(tmp_path)
    again.open()
    assert numbers(again) == [[1]]
    assert (tmp_path / "journal.cut").read_bytes() == bytes(written[sound:])


async def test_what_is_added_while_it_is_passed_on_comes_last(journal: Journal) -> None:
    await journal.append(1, record(1))
    lots = journal.lots(1)
    assert [each.number for each in next(lots)] == [1]
    await journal.append(1, record(2))
    assert [[each.number for each in lot] for lot in lots] == [[2]]


async def test_a_lot_is_as_large_as_its_records_are_to_work_with(journal: Journal) -> None:
    for number in (1, 2):
        await journal.append(1, record(number, rows=[Kept(1, "presence", number, b" " * 100_000)]))
    assert journal.size < 10_000, "they are kept compressed"
    assert numbers(journal, bytes_max=50_000) == [[1], [2]]


async def test_at_its_bound_it_is_full(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "RULES_JOURNAL_BYTES_MAX", 100)
    assert not journal.full
    await journal.append(1, record(1))
    assert journal.full


def test_two_processes_do_not_share_it(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(InUse):
        Journal(tmp_path).open()
    journal.close()
    Journal(tmp_path).open()


def test_several_records_as_one_say_the_last_of_memory_and_all_of_the_rest() -> None:
    gone = record(2, gone=[1], rows=[Kept(9, "lease", None, b"{}")], sent={"c1": 99}, replaced={"c0": 2})
    one = fold([record(1), gone, record(3, replaced={"c0": 3})])
    assert one.number == 3
    assert one.rows == [Kept(9, "lease", None, b"{}"), Kept(1, "presence", 3, b"{}")]
    assert [each.id for each in one.orders] == ["c1", "c2", "c3"]
    assert one.sent == {"c1": 1, "c3": 3}
    assert one.replaced == {"c0": 2}, "replaced first, and its lease was over later"
    assert len(one.alarms) == 6

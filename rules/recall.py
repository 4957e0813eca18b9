"""The rules' memory as rows for a database, one an asset and rule: what changed since the last time, and back."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import numpy as np

from rules import outlook_kept
from rules.book import Open
from rules.city import BAYS, City
from rules.memory import NEVER_US, Bools, Memory, Rows
from rules.occupancy import Moves
from rules.silence import Presence
from rules.state import State, aligned, blank
from telemetry.availability import Status

PRESENCE, MOVES, BOOK = "presence", "moves", "commands"
_PLAIN = b"{}"
_encode = msgspec.json.Encoder().encode
_decode_values = msgspec.json.Decoder(dict[str, bool | int | float | str | list[int | float | None]]).decode
_decode_moves = msgspec.json.Decoder(list[tuple[int, int]]).decode
_decode_book = msgspec.json.Decoder(list[Open]).decode


@dataclass(frozen=True, slots=True)
class Recalled:
    """What one rule remembers of one asset, as JSON; `position_us` is `None` for a rule that keeps no position."""

    asset_id: int
    rule: str
    position_us: int | None
    values: bytes


@dataclass(frozen=True, slots=True)
class RecalledZone:
    """When a zone spoke last, what it said of its status, and its outlook in bytes, `None` where it has none."""

    said_us: int
    status: Status
    outlook: bytes | None


def outlooks(before: State, after: State) -> dict[str, bytes]:
    """What is known of zones' coming and going that was not known before, by name."""
    changed = {zone: each for zone, each in after.outlooks.items() if before.outlooks.get(zone) is not each}
    return {zone: outlook_kept.dump(each) for zone, each in changed.items()}


def changes(city: City, before: State, after: State) -> list[Recalled]:
    """The rows in which a state of this city differs from an earlier one."""
    if before.registry is not after.registry:
        before = aligned(before, city)
    return _rows(before, after, _differences(before, after))


def follow(city: City, before: State, after: State) -> tuple[list[Recalled], State]:
    """The changes, and a copy of `after`, for which `before` is used up: only what differs is copied."""
    if before.registry is not after.registry:
        return changes(city, before, after), after.copy()
    found = _differences(before, after)
    rows = _rows(before, after, found)
    for each in found:
        each.before.put(each.rows, each.after)
    return rows, after.made_of(before)


def restore(city: City, rows: Iterable[Recalled], zones: Mapping[str, RecalledZone]) -> State:
    """The state of which these rows were kept; those of assets and zones that the city no longer has are left aside.

    Raises `msgspec.DecodeError` for a row that is not ours. An outlook of another version is forgotten.
    """
    state = blank(city)
    memories = {(rule, kind): memory for rule, kind, memory in state.memories()}
    places = {kind: {int(each): row for row, each in enumerate(ids)} for kind, ids in state.asset_id.items()}
    moves: list[tuple[int, int, int]] = []
    for each in rows:
        asset = city.asset(each.asset_id)
        if asset is None:
            continue
        row = places[asset.kind][each.asset_id]
        if each.rule == PRESENCE:
            _load_presence(state.presence[asset.kind], row, each)
        elif each.rule == BOOK:
            for command in _decode_book(each.values):
                state.book.put(command)
        elif each.rule == MOVES:
            moves += [(row, at_us, code) for at_us, code in _decode_moves(each.values)]
        elif (each.rule, asset.kind) in memories:
            memories[each.rule, asset.kind].load(row, _decode_values(each.values))
    if moves:
        row_of, at_us, code = (np.array(column) for column in zip(*moves, strict=True))
        state.moves = Moves(row_of.astype(np.intp), at_us.astype(np.int64), code.astype(np.int8))
    _load_zones(state, {name: zones[name] for name in zones.keys() & set(city.bays.zones)})
    state.settled_us = max(state.said_us.values(), default=NEVER_US)
    return state


def _load_zones(state: State, zones: Mapping[str, RecalledZone]) -> None:
    for name, kept in zones.items():
        state.said_us[name], state.status[name] = kept.said_us, kept.status
        if kept.outlook is not None:
            with suppress(ValueError):
                state.outlooks[name] = outlook_kept.load(kept.outlook)


@dataclass(frozen=True, slots=True)
class _Difference:
    """The rows in which one rule's memory of a kind has changed."""

    rule: str
    kind: str
    before: Memory
    after: Memory
    rows: Rows


def _differences(before: State, after: State) -> list[_Difference]:
    pairs: list[tuple[str, str, Memory, Memory]] = [
        (PRESENCE, kind, before.presence[kind], presence) for kind, presence in after.presence.items()
    ]
    for (rule, kind, memory), (_, _, old) in zip(after.memories(), before.memories(), strict=True):
        pairs.append((rule, kind, old, memory))
    return [_Difference(*each, np.flatnonzero(each[3].differs(each[2]))) for each in pairs]


def _rows(before: State, after: State, found: Iterable[_Difference]) -> list[Recalled]:
    rows: list[Recalled] = []
    for each in found:
        assets = after.asset_id[each.kind][each.rows].tolist()
        if isinstance(each.after, Presence):
            rows += _presences(each.after, each.rows, assets)
        else:
            told = zip(each.rows.tolist(), assets, strict=True)
            rows += [Recalled(asset, each.rule, None, _encode(each.after.dump(row))) for row, asset in told]
    if before.moves is not after.moves:
        rows += _moves(before, after)
    return rows + _book(before, after)


def _presences(presence: Presence, changed: Rows, assets: list[int]) -> Iterator[Recalled]:
    plain, positions = _is_plain(presence)[changed].tolist(), presence.position_us[changed].tolist()
    for row, asset, position, simple in zip(changed.tolist(), assets, positions, plain, strict=True):
        values = _PLAIN if simple else _encode(_presence_values(presence, row))
        yield Recalled(asset, PRESENCE, None if position == NEVER_US else position, values)


def _is_plain(presence: Presence) -> Bools:
    """Which rows are said by their position alone."""
    untold = presence.told_until_us == NEVER_US
    expected = (presence.excused_us == NEVER_US) & (presence.unheard_us == NEVER_US)
    plain: Bools = (presence.heard_us == presence.position_us) & ~presence.silent & untold & expected
    plain &= presence.failing_us == NEVER_US
    return plain


def _presence_values(presence: Presence, row: int) -> dict[str, object]:
    values = presence.dump(row)
    values.pop("position_us", None)
    return values | {"heard_us": int(presence.heard_us[row])}


def _load_presence(presence: Presence, row: int, kept: Recalled) -> None:
    if kept.position_us is not None:
        presence.position_us[row] = presence.heard_us[row] = kept.position_us
    presence.load(row, _decode_values(kept.values))


def _moves(before: State, after: State) -> list[Recalled]:
    old, new = _moves_by_row(before.moves), _moves_by_row(after.moves)
    changed = [row for row in old.keys() | new.keys() if old.get(row) != new.get(row)]
    ids = after.asset_id[BAYS]
    return [Recalled(int(ids[row]), MOVES, None, _encode(new.get(row, []))) for row in sorted(changed)]


def _moves_by_row(moves: Moves) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for row, at_us, code in zip(moves.row.tolist(), moves.at_us.tolist(), moves.state.tolist(), strict=True):
        found.setdefault(row, []).append((at_us, code))
    return found


def _book(before: State, after: State) -> list[Recalled]:
    old, new = before.book, after.book
    touched = {each.asset_id for name, each in new.by_id.items() if old.by_id.get(name) is not each}
    touched |= {each.asset_id for name, each in old.by_id.items() if name not in new.by_id}
    return [Recalled(asset, BOOK, None, _encode(new.of(asset))) for asset in sorted(touched)]

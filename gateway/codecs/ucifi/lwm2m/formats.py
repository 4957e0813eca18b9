"""The formats in which LwM2M resources are written: SenML JSON, LwM2M JSON and TLV, told apart by their first byte.

Sources: RFC 8428 (SenML); OMA Lightweight M2M 1.0.2, sections 6.4.3 (TLV) and 6.4.4 (JSON).

    SenML JSON    `[{"bn": "/3416/0/", "n": "3", "v": 60}, {"n": "5", "vb": false}]`; a base (bn, bt, bu, bv) holds for
                  all entries after it; time below 2^28 is relative
    LwM2M JSON    `{"bn": "/3416/0/", "bt": 1700000000, "e": [{"n": "3", "v": 60}, {"n": "5", "bv": false}]}`
    TLV           type, identifier, length and value of each entry. First byte: bits 7 and 6: 00 an instance of the
                  object, 01 an instance of a resource, 10 a resource with several instances, 11 a resource; bit 5: the
                  identifier has two bytes, not one; bits 4 and 3: how many bytes of length follow; if none, the length
                  is bits 2 to 0
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import msgspec

from gateway.codecs.codec import Undecodable
from gateway.codecs.wire import Cursor

ENTRIES_MAX = 256
ABSOLUTE_S = 1 << 28
"""Where SenML's absolute times begin."""
INSTANCE, RESOURCE_INSTANCE, SEVERAL, RESOURCE = range(4)

NUMBER_MAX = 1e15
"""No resource comes near it."""

Scalar = float | int | bool | str


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource as it was written.

    Attributes:
        path: its numbers: object, instance, resource, and the resource's instance where it has several.
        value: as text formats have it, or the bytes of TLV.
        unit: in which the sender says the value is; `None`: the registered one.
        time_s: seconds since 1970 of the value; `None`: not said.
    """

    path: tuple[int, ...]
    value: Scalar | bytes
    unit: str | None = None
    time_s: float | None = None


def entries(data: bytes, object_id: int) -> list[Entry]:
    """All resources of a payload; one that names no object is of `object_id`.

    Raises:
        Undecodable: the payload is in none of the formats.
    """
    if data[:1] in (b"[", b"{", b" ", b"\n", b"\r", b"\t"):
        return _text(data, object_id)
    found: list[Entry] = []
    cursor = Cursor(data)
    while cursor.left:
        kind, number, value = _tagged(cursor)
        if kind == INSTANCE:
            inner = Cursor(value)
            while inner.left:
                found += _resource(*_tagged(inner), (object_id, number))
        else:
            found += _resource(kind, number, value, (object_id, 0))
    if not found:
        raise Undecodable("no resource at all")
    return found


def _tagged(cursor: Cursor) -> tuple[int, int, bytes]:
    head = cursor.unsigned()
    number = cursor.unsigned(2 if head & 0x20 else 1)
    wide = head >> 3 & 3
    return head >> 6, number, cursor.take(cursor.unsigned(wide) if wide else head & 7)


def _resource(kind: int, number: int, value: bytes, place: tuple[int, int]) -> Iterator[Entry]:
    if kind == RESOURCE:
        yield Entry((*place, number), value)
    elif kind == SEVERAL:
        inner = Cursor(value)
        while inner.left:
            inner_kind, instance, inner_value = _tagged(inner)
            if inner_kind != RESOURCE_INSTANCE:
                raise Undecodable(f"resource {number} holds something else than its instances")
            yield Entry((*place, number, instance), inner_value)
    else:
        raise Undecodable(f"entry {number} is no resource")


def tlv(resources: list[tuple[int, int]]) -> bytes:
    """Integer resources, each by its number (below 256), as TLV."""
    written = b""
    for number, value in resources:
        size = next(size for size in (1, 2, 4, 8) if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1)
        head = RESOURCE << 6 | (size if size < 8 else 1 << 3)
        length = b"" if size < 8 else bytes([size])
        written += bytes([head, number]) + length + value.to_bytes(size, "big", signed=True)
    return written


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a number with which can be reckoned."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -NUMBER_MAX < value < NUMBER_MAX


def whole(data: bytes) -> int:
    """An integer of TLV."""
    if len(data) not in (1, 2, 4, 8):
        raise Undecodable(f"an integer of {len(data)} bytes, where 1, 2, 4 or 8 are expected")
    return int.from_bytes(data, "big", signed=True)


def real(data: bytes) -> float:
    """A float of TLV."""
    if len(data) not in (4, 8):
        raise Undecodable(f"a float of {len(data)} bytes, where 4 or 8 are expected")
    value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return value


def _text(data: bytes, object_id: int) -> list[Entry]:
    try:
        document: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Undecodable(f"no JSON: {error}") from None
    if isinstance(document, dict):
        listed, base = document.get("e"), document
        value_names: tuple[str, ...] = ("v", "bv", "sv")
    else:
        listed, base, value_names = document, {}, ("v", "vb", "vs")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Undecodable("the JSON is no list of entries")
    if not 1 <= len(listed) <= ENTRIES_MAX:
        raise Undecodable(f"{len(listed)} entries, where 1 to {ENTRIES_MAX} are expected")
    name, time_s = _said(base, "bn", str, ""), _said(base, "bt", float, 0.0)
    unit, offset = None, 0.0
    found: list[Entry] = []
    for each in listed:
        if value_names[1] == "vb":
            name, time_s = _said(each, "bn", str, name), _said(each, "bt", float, time_s)
            unit, offset = _said(each, "bu", str, unit), _said(each, "bv", float, offset)
        values = [each[kind] for kind in value_names if kind in each]
        if len(values) != 1 or not isinstance(values[0], str | int | float | bool):
            if not values and not each.keys() - {"bn", "bt", "bu", "bv", "bver"}:
                continue
            raise Undecodable(f"entry {len(found)} has not one of {', '.join(value_names)}")
        value = values[0]
        if offset and is_number(value):
            value += offset
        moment = time_s + _said(each, "t", float, 0.0)
        path = _path(name + _said(each, "n", str, ""), object_id)
        found.append(Entry(path, value, _said(each, "u", str, unit), moment if moment >= ABSOLUTE_S else None))
    return found


def _said(group: dict[str, Any], name: str, kind: type, otherwise: Any) -> Any:
    """A member of its type, or what holds where it is absent."""
    value = group.get(name)
    if value is None:
        return otherwise
    if kind is float and is_number(value):
        return value
    if kind is str and isinstance(value, str):
        return value
    raise Undecodable(f"{name} is {value!r:.40}, which is no {'number' if kind is float else 'text'}")


def _path(name: str, object_id: int) -> tuple[int, ...]:
    """`/3416/0/3` and, of the object that is expected, `0/3` or `3`."""
    steps = [step for step in name.split("/") if step]
    if not 1 <= len(steps) <= 4 or not all(step.isascii() and step.isdigit() and len(step) <= 5 for step in steps):
        raise Undecodable(f"{name!r:.40} is no path of a resource such as /{object_id}/0/1")
    path = tuple(map(int, steps))
    return (object_id, 0)[: max(0, 3 - len(path))] + path

"""Packets as tables that can be read and written: a layout is a row of parts, a part a value or two of the packet.

Values have the names and words of the maker's published examples, so what is read can be written again.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.codecs.codec import Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor

Packet = dict[str, Value]


class Field(Protocol):
    """One value on the wire, least significant byte first."""

    def read(self, cursor: Cursor) -> Value:
        """The value that stands at the cursor; raises `Undecodable`."""
        ...

    def write(self, value: Any) -> bytes:
        """Its bytes; raises `Unencodable` for a value that it cannot have."""
        ...


class Part(Protocol):
    """Some neighbouring values of a packet with their names."""

    def read(self, cursor: Cursor) -> Packet:
        """The values by name; raises `Undecodable`."""
        ...

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of those of `values` that stand here; raises `Unencodable`."""
        ...


Layout = tuple[Part, ...]


def read(layout: Layout, cursor: Cursor) -> Packet:
    """All values of a layout."""
    packet: Packet = {}
    for part in layout:
        packet.update(part.read(cursor))
    return packet


def write(layout: Layout, values: Mapping[str, Any]) -> bytes:
    """The bytes of all values of a layout."""
    return b"".join(part.write(values) for part in layout)


def wanted(values: Mapping[str, Any], name: str) -> Any:
    """A value that has to be given; raises `Unencodable` where it is missing."""
    if name not in values:
        raise Unencodable(f"{name} is missing")
    return values[name]


def number(value: Any) -> float:
    """A finite number, given as one or as its text, as the maker does in places; raises `Unencodable`."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            result = float(value)
        except (ValueError, OverflowError):
            result = math.nan
        if math.isfinite(result):
            return result
    raise Unencodable(f"{value!r:.40} is no number that fits")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of `size` bytes: value = raw × `step` / `scale`; raw values in `words` stand for that word.

    Attributes:
        size: bytes.
        signed: two's complement.
        scale: how much on the wire is one of the value.
        step: how much of the value is one on the wire.
        words: raw values that are no number; where there are nothing but words, `closed` is true.
        closed: no other raw values are defined.
        low: least value that may be written.
        high: greatest value that may be written; `None`: what fits.
    """

    size: int = 1
    signed: bool = False
    scale: int = 1
    step: int = 1
    words: Mapping[int, str | int] = field(default_factory=dict)
    closed: bool = False
    low: float | None = None
    high: float | None = None

    def read(self, cursor: Cursor) -> Value:
        """The value that stands here."""
        raw = cursor.signed(self.size, little=True) if self.signed else cursor.unsigned(self.size, little=True)
        if raw in self.words:
            return self.words[raw]
        if self.closed:
            raise Undecodable(f"{raw} is none of {', '.join(map(str, self.words))}")
        return raw * self.step if self.scale == 1 else raw * self.step / self.scale

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        raw = next((code for code, word in self.words.items() if type(word) is type(value) and word == value), None)
        if raw is None:
            if self.closed:
                raise Unencodable(f"{value!r:.40} is none of {', '.join(map(str, self.words.values()))}")
            amount = number(value)
            raw = round(amount * self.scale / self.step)
            if (self.low is not None and amount < self.low) or (self.high is not None and amount > self.high):
                raise Unencodable(f"{value} is not within {self.low} to {self.high}")
            if self.scale == 1 and raw * self.step != amount:
                raise Unencodable(f"{value} is no multiple of {self.step}")
        try:
            return raw.to_bytes(self.size, "little", signed=self.signed)
        except OverflowError:
            raise Unencodable(f"{value} does not fit into {self.size} bytes") from None


@dataclass(frozen=True, slots=True)
class Hex:
    """Bytes as hexadecimal text; without a size, all that are left. `turned`: last byte first."""

    size: int | None = None
    turned: bool = False

    def read(self, cursor: Cursor) -> Value:
        """The value that stands here."""
        data = cursor.take(cursor.left if self.size is None else self.size)
        return (data[::-1] if self.turned else data).hex().upper()

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        try:
            data = bytes.fromhex(value) if isinstance(value, str) else None
        except ValueError:
            data = None
        if data is None or (self.size is not None and len(data) != self.size):
            raise Unencodable(f"{value!r:.40} is not hexadecimal text of {self.size or 'whole'} bytes")
        return data[::-1] if self.turned else data


@dataclass(frozen=True, slots=True)
class One:
    """A value with its name."""

    name: str
    field: Field

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        return {self.name: self.field.read(cursor)}

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        value = wanted(values, self.name)
        try:
            return self.field.write(value)
        except Unencodable as error:
            raise Unencodable(f"{self.name}: {error}") from None


class Flags:
    """A byte of flags from bit 0 upwards; `None` is a bit without a meaning, written as 0."""

    __slots__ = ("_names", "_optional")

    def __init__(self, *names: str | None, optional: frozenset[str] = frozenset()) -> None:
        self._names, self._optional = names, optional

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        byte = cursor.unsigned()
        return {name: bool(byte >> bit & 1) for bit, name in enumerate(self._names) if name is not None}

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        byte = 0
        for bit, name in enumerate(self._names):
            if name is None:
                continue
            value = values.get(name, False) if name in self._optional else wanted(values, name)
            if not isinstance(value, bool):
                raise Unencodable(f"{name}: {value!r:.40} is neither true nor false")
            byte |= value << bit
        return bytes([byte])


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes that say nothing and always are the same."""

    data: bytes
    ignored: bool = False

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        found = cursor.take(len(self.data))
        if found != self.data and not self.ignored:
            raise Undecodable(f"{found.hex()} where {self.data.hex()} is expected")
        return {}

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        return self.data


@dataclass(frozen=True, slots=True)
class Many:
    """A list of objects, as many as there are."""

    name: str
    layout: Layout

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        found: list[Value] = []
        while cursor.left:
            found.append(read(self.layout, cursor))
        return {self.name: found}

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        return b"".join(write(self.layout, each) for each in listed(values, self.name))


@dataclass(frozen=True, slots=True)
class Plain:
    """A list of values of one kind, as many as there are, or `counted` by a byte before."""

    name: str
    field: Field
    counted: bool = False

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        if self.counted:
            return {self.name: [self.field.read(cursor) for _ in range(cursor.unsigned())]}
        found: list[Value] = []
        while cursor.left:
            found.append(self.field.read(cursor))
        return {self.name: found}

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        entries = wanted(values, self.name)
        if not isinstance(entries, list) or len(entries) > 255:
            raise Unencodable(f"{self.name} is no list of at most 255")
        body = b"".join(self.field.write(each) for each in entries)
        return bytes([len(entries)]) + body if self.counted else body


def listed(values: Mapping[str, Any], name: str, most: int = 255) -> Sequence[Mapping[str, Any]]:
    """A list of objects that has to be given; raises `Unencodable` where it is none, or too long."""
    found = wanted(values, name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unencodable(f"{name} is no list of objects")
    if len(found) > most:
        raise Unencodable(f"{name} has {len(found)} entries, at most {most} fit")
    return found


@dataclass(frozen=True, slots=True)
class Odd:
    """A part that no other describes, by two functions."""

    reader: Callable[[Cursor], Packet]
    writer: Callable[[Mapping[str, Any]], bytes]

    def read(self, cursor: Cursor) -> Packet:
        """The values by name."""
        return self.reader(cursor)

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The bytes of what stands here."""
        return self.writer(values)

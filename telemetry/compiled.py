"""A kind compiled for batches: decoders whose structs hold numbers only, and how such structs become columns."""

import datetime as dt
import struct
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, compress
from typing import Any, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import SECOND_US, to_us
from telemetry.columns import NO_SEQ
from telemetry.kind import Kind, Observation
from telemetry.observation import real

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a compiled decoder raises for a text that is not what it was compiled for."""

_WHOLE = np.dtype([("type", ">u2"), ("s", ">u4")])
_FRACTION = np.dtype([("type", ">u2"), ("ns_s", ">u8")])
_GREATEST = float(np.finfo(np.float64).max)


class Compiled:
    """The compiled decoders of a kind, and its bounds.

    `one` decodes an object without unknown fields, `many` an array of such, `tolerant` an object with unknown fields.
    What they return holds NaN where a field is absent, so that a column is numbers without a look at each; an explicit
    `null` stays `None`.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._struct = _struct_of(kind, strict=True)
        self.one: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct).decode
        self.many: Callable[[bytes], list[Any]] = msgspec.json.Decoder(list[self._struct]).decode  # type: ignore[name-defined]
        self.tolerant: Callable[[bytes], Any] = msgspec.json.Decoder(_struct_of(kind, strict=False)).decode
        self._low = np.array([max(each.measure.low, -_GREATEST) for each in kind.properties])
        self._high = np.array([min(each.measure.high, _GREATEST) for each in kind.properties])

    def of(self, observation: Observation) -> Any:
        """The compiled form of what the definition has read."""
        given = msgspec.structs.asdict(observation).items()
        return self._struct(**{name: value for name, value in given if value is not None})

    def table(self, observations: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64], NDArray[np.float64]]:
        """`ts` as they were given, `seq` or `NO_SEQ`, and one row of doubles a field, `(fields, n)`; `n` is not 0."""
        count, width = len(observations), 2 + len(self.kind.properties)
        # One flat list cut with a stride is several times faster than asking each struct for each field.
        flat = list(chain.from_iterable(map(msgspec.structs.astuple, observations)))
        pack = struct.Struct(f"{count}d").pack
        numbers = bytearray().join([_packed(pack, flat[place::width]) for place in range(2, width)])
        return flat[::width], _seqs(flat[1::width]), np.frombuffer(numbers).reshape(-1, count)

    def outside(self, table: NDArray[np.float64]) -> list[int]:
        """The fields, by their number, of which a value lies outside of its range; `table` is `(fields, n)`."""
        least, greatest = np.fmin.reduce(table, axis=1), np.fmax.reduce(table, axis=1)
        found: list[int] = ((least < self._low) | (greatest > self._high)).nonzero()[0].tolist()
        return found


@cache
def compiled(kind: Kind) -> Compiled:
    """The compiled form of a kind."""
    return Compiled(kind)


def microseconds(moments: Sequence[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each `ts` in microseconds since 1970, 0 where there is none, and a mask of those that there are not; `(n,)`."""
    types = set(map(type, moments))
    if types == {int}:
        return _of_ms(moments), np.zeros(len(moments), np.bool_)
    if types == {dt.datetime}:
        return _of_datetimes(moments), np.zeros(len(moments), np.bool_)
    result = np.zeros(len(moments), np.int64)
    for type_, convert in ((int, _of_ms), (dt.datetime, _of_datetimes)):
        if type_ in types:
            mask = [type(moment) is type_ for moment in moments]
            result[mask] = convert(list(compress(moments, mask)))
    return result, np.array([moment is None for moment in moments], np.bool_)


def _of_ms(moments: Sequence[int]) -> NDArray[np.int64]:
    return np.array(moments, np.int64) * 1000


def _of_datetimes(moments: Sequence[dt.datetime]) -> NDArray[np.int64]:
    alike = _unpacked(moments)
    if alike is not None:
        return alike
    result = np.empty(len(moments), np.int64)
    whole = np.array([not moment.microsecond for moment in moments])
    for mask in (whole, ~whole):
        part = list(compress(moments, mask.tolist()))
        alike = _unpacked(part) if part else None
        result[mask] = [to_us(moment) for moment in part] if alike is None else alike
    return result


def _unpacked(moments: Sequence[dt.datetime]) -> NDArray[np.int64] | None:
    """Moments all of whole seconds from 1970 to 2106, or all of fractions to 2514; else `None`.

    MessagePack packs the former into 6 bytes each, the latter into 10, eight times as fast as Python subtracts moments.
    Formats: the specification of MessagePack, "Timestamp extension type".
    """
    count = len(moments)
    start = 1 if count < 16 else 3 if count < 2**16 else 5
    try:
        packed = msgspec.msgpack.encode(moments)
    except OverflowError:  # in UTC before the year 1 or after 9999
        return None
    if len(packed) == start + 6 * count:
        short = np.frombuffer(packed, _WHOLE, offset=start)
        return short["s"] * np.int64(SECOND_US) if (short["type"] == 0xD6FF).all() else None
    if len(packed) == start + 10 * count:
        long = np.frombuffer(packed, _FRACTION, offset=start)
        us = (long["ns_s"] >> 34) // 1000 + (long["ns_s"] & (2**34 - 1)) * SECOND_US
        return us.astype(np.int64) if (long["type"] == 0xD7FF).all() else None
    return None


def _struct_of(kind: Kind, *, strict: bool) -> type[msgspec.Struct]:
    hints = get_type_hints(kind.wire, include_extras=True)
    fields = [(each.name, hints[each.name], float("nan")) for each in kind.properties]
    times = [("ts", hints["ts"], None), ("seq", hints["seq"], NO_SEQ)]
    return msgspec.defstruct(
        kind.wire.__name__, [*times, *fields], forbid_unknown_fields=strict, kw_only=True, gc=False
    )


def _packed(pack: Callable[..., bytes], column: list[Any]) -> bytes:
    """A column as doubles; `struct` reads the numbers of a list twice as fast as NumPy."""
    try:
        return pack(*column)
    except struct.error:  # an explicit null, or an integer that no double holds
        return np.array([real(v) if type(v) is int else v for v in column], np.float64).tobytes()


def _seqs(column: list[Any]) -> NDArray[np.int64]:
    try:
        return np.array(column, np.int64)
    except TypeError:  # an explicit null
        return np.array([NO_SEQ if seq is None else seq for seq in column], np.int64)

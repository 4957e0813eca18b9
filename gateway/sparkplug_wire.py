"""Sparkplug B payloads as bytes: the part of the Protocol Buffers message `Payload` that measurements need.

Source: Eclipse Sparkplug specification 3.0, chapter 6, "Google Protocol Buffer Schema". A payload is timestamp (1),
metrics (2) and seq (3); a metric is name (1), alias (2), timestamp (3), datatype (4), is_historical (5), is_null (7)
and a value as int (10), long (11), float (12), double (13), boolean (14) or string (15). Other fields are passed over.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.events import Misspoken

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
BOOLEAN = 11
FLOAT_FIELD, BOOLEAN_FIELD, TEXT_FIELD = 12, 14, 15
SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatypes Int8 to Int64: how wide they are; they travel in unsigned fields."""
METRICS_MAX = 5_000
"""More metrics of one payload are refused."""
TIMESTAMP_MS_MAX = 253_402_300_799_999

Value = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `name` is empty where only the `alias` is given, `value` `None` for null and what is no scalar."""

    name: str
    alias: int | None
    timestamp_ms: int | None
    datatype: int
    is_historical: bool
    value: Value


@dataclass(frozen=True, slots=True)
class Payload:
    """One message; `seq` is `None` where it has none, as in commands and deaths of nodes."""

    timestamp_ms: int | None
    seq: int | None
    metrics: tuple[Metric, ...]


def read(data: bytes) -> Payload:
    """Take a payload apart.

    Raises:
        Misspoken: it is none.
    """
    timestamp: int | None = None
    seq: int | None = None
    metrics: list[Metric] = []
    for number, raw in _fields(data):
        match number, raw:
            case 1, int():
                timestamp = _timestamp(raw)
            case 2, bytes():
                metrics.append(_metric(raw))
            case 3, int():
                seq = raw
        if len(metrics) > METRICS_MAX:
            raise Misspoken(f"more than {METRICS_MAX} metrics")
    return Payload(timestamp, seq, tuple(metrics))


def resolved(metric: Metric, datatype: int) -> Value:
    """The value of a metric whose datatype only its birth has told."""
    bits = SIGNED_BITS.get(datatype)
    if bits is None or metric.datatype or not isinstance(metric.value, int):
        return metric.value
    return _signed(metric.value, bits)


def command(name: str, timestamp_ms: int) -> bytes:
    """A payload with one metric, the boolean `name` set to true."""
    text = name.encode()
    metric = b"\x0a" + _varint(len(text)) + text + b"\x18" + _varint(timestamp_ms) + bytes([0x20, BOOLEAN, 0x70, 1])
    return b"\x08" + _varint(timestamp_ms) + b"\x12" + _varint(len(metric)) + metric


def _metric(data: bytes) -> Metric:
    given = dict(_fields(data))  # of a field that is there twice the last holds

    def number(field: int) -> int | None:
        value = given.get(field)
        return value if isinstance(value, int) else None

    name, timestamp, datatype = given.get(1), number(3), number(4) or 0
    return Metric(
        _text(name) if isinstance(name, bytes) else "",
        number(2),
        None if timestamp is None else _timestamp(timestamp),
        datatype,
        bool(number(5)),
        None if number(7) else _value(given, SIGNED_BITS.get(datatype)),
    )


def _value(given: dict[int, int | float | bytes], bits: int | None) -> Value:
    for field in (10, 11, 12, 13, 14, 15):
        value = given.get(field)
        if isinstance(value, int) and field == BOOLEAN_FIELD:
            return bool(value)
        if isinstance(value, int) and field < FLOAT_FIELD:
            return _signed(value, bits) if bits else value
        if isinstance(value, float) and FLOAT_FIELD <= field < BOOLEAN_FIELD:
            return value
        if isinstance(value, bytes) and field == TEXT_FIELD:
            return _text(value)
    return None


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Misspoken("a text of the Sparkplug payload is no UTF-8") from None


def _timestamp(ms: int) -> int:
    if ms > TIMESTAMP_MS_MAX:
        raise Misspoken(f"the timestamp {ms} lies beyond the year 9999")
    return ms


def _fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Number and value of each field: a number as `int`, a fixed one as `float`, all else as bytes."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield number, value
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
            raw, at = _take(data, at, size)
            yield number, struct.unpack("<f" if size == 4 else "<d", raw)[0]
        elif wire == BYTES:
            size, at = _read_varint(data, at)
            raw, at = _take(data, at, size)
            yield number, raw
        else:
            raise Misspoken(f"byte {at} begins no field of a Sparkplug payload")


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise Misspoken("the Sparkplug payload ends within a field")
    return data[at : at + size], at + size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise Misspoken("the Sparkplug payload ends within a number, or has one of more than 64 bits")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

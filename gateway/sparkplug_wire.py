"""Sparkplug B payloads as bytes: the part of the Protocol Buffers message `Payload` that measurements need.

Source: Eclipse Sparkplug specification 3.0, chapter 6, "Google Protocol Buffer Schema". A payload is timestamp (1),
metrics (2) and seq (3); a metric is name (1), alias (2), timestamp (3), datatype (4), is_null (7) and a value as int
(10), long (11), float (12), double (13), boolean (14) or string (15). Other fields are passed over.
"""

from dataclasses import dataclass

from gateway import protobuf
from gateway.events import Misspoken

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
    for number, raw in protobuf.fields(data):
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
    size, at = protobuf.varint(len(text)), protobuf.varint(timestamp_ms)
    metric = b"\x0a" + size + text + b"\x18" + at + bytes([0x20, BOOLEAN, 0x70, 1])
    return b"\x08" + at + b"\x12" + protobuf.varint(len(metric)) + metric


def _metric(data: bytes) -> Metric:
    given = dict(protobuf.fields(data))  # of a field that is there twice the last holds

    def number(field: int) -> int | None:
        value = given.get(field)
        return value if isinstance(value, int) else None

    name, timestamp, datatype = given.get(1), number(3), number(4) or 0
    return Metric(
        _text(name) if isinstance(name, bytes) else "",
        number(2),
        None if timestamp is None else _timestamp(timestamp),
        datatype,
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

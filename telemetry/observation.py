"""One observation from its JSON, with the exact reason where it is refused: the definition that decoding is held to.

`decoding` takes a compiled short-cut where every field is as it should be and comes here otherwise.
"""

import json
import math
from typing import Any

import msgspec

from telemetry.kind import MILLISECONDS_MAX, Kind, Observation, Property, Timestamp
from telemetry.limits import ARRAY_OBSERVATIONS_MAX, PAYLOAD_BYTES_MAX, SEQ_MAX
from telemetry.refusals import Reason, Refusal

SEQ_OUT_OF_RANGE = -2
"""Stands for a `seq` that is a number and too large or negative, until ranges are checked."""
BEFORE_1970 = "ts lies before 1970"
"""What is said of a moment as milliseconds and as a date alike."""
_BITS_MAX = 1_000

_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def split(payload: bytes) -> list[bytes] | Refusal:
    """The observations of an uplink as their own JSON texts, or why it cannot be split."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Refusal(Reason.TOO_LARGE, f"{len(payload)} bytes, at most {PAYLOAD_BYTES_MAX}")
    if payload[:1] == b"{":
        return [payload]
    text = payload.strip(b" \t\r\n")
    if text[:1] != b"[":
        return [payload] if text[:1] == b"{" else _not_an_object(payload)
    try:
        parts = [bytes(part) for part in _RAW_ARRAY.decode(text)]
    except (ValueError, RecursionError) as error:
        return Refusal(Reason.MALFORMED_JSON, _sentence(error))
    if len(parts) > ARRAY_OBSERVATIONS_MAX:
        return Refusal(Reason.TOO_MANY, f"{len(parts)} observations, at most {ARRAY_OBSERVATIONS_MAX}")
    if not all(part.lstrip()[:1] == b"{" for part in parts):
        return Refusal(Reason.NOT_AN_OBJECT, "an element of the array is not an object")
    return parts or Refusal(Reason.MISSING_FIELD, "the array is empty")


def count_observations(payload: bytes) -> int:
    """How many observations an uplink brings: what `received` of the ledger counts, before any decoding."""
    if payload[:1] == b"{":
        return 1
    parts = split(payload)
    return 1 if isinstance(parts, Refusal) else len(parts)


def parse_object(text: bytes) -> dict[str, Any] | Refusal:
    """One JSON object, numbers too great for a double as infinite."""
    try:
        value = _parsed(text)
    except (ValueError, RecursionError) as error:
        return Refusal(Reason.MALFORMED_JSON, _sentence(error))
    return value if isinstance(value, dict) else Refusal(Reason.NOT_AN_OBJECT, f"the payload is {_json_type(value)}")


def _parsed(text: bytes) -> Any:
    """Any JSON value; `ValueError` or `RecursionError` where the text is none."""
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # a number too great for a double; what follows it has not been looked at
        return json.loads(text.decode(), parse_int=_digits, parse_constant=_no_constant)


def read(kind: Kind, raw: dict[str, Any]) -> Observation | Refusal:
    """An observation of the kind, or the first reason of the contract's order that refuses it.

    Ranges and future timestamps are checked later, a column at a time.
    """
    if all(raw.get(name) is None for name in kind.marked):
        return Refusal(Reason.MISSING_FIELD, f"none of {', '.join(kind.marked)} is given")
    values: dict[str, Any] = {}
    for each in kind.properties:
        value = _typed(each, raw.get(each.name))
        if isinstance(value, Refusal):
            return value
        values[each.name] = value
    seq: Any = _integer(raw.get("seq"))
    if seq is None and raw.get("seq") is not None:
        return Refusal(Reason.WRONG_TYPE, f"seq is {_json_type(raw['seq'])}, not an integer")
    if seq is not None and not 0 <= seq <= SEQ_MAX:
        seq = SEQ_OUT_OF_RANGE
    moment = timestamp(raw.get("ts"))
    if isinstance(moment, Refusal):
        return moment
    return kind.wire(ts=moment, seq=seq, **values)


def unknown_fields(kind: Kind, raw: dict[str, Any]) -> int:
    """How many of the object's names the kind does not know."""
    return len(raw.keys() - kind.wire.__struct_encode_fields__)


def timestamp(value: Any) -> Any:
    """`ts` of an object as the wire struct keeps it, or a refusal."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return msgspec.convert(value, Timestamp)
        except ValueError:  # also of text that is no Unicode
            return Refusal(Reason.BAD_TIMESTAMP, f"ts {value[:64]!r} is not RFC 3339 with an offset")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refusal(Reason.BAD_TIMESTAMP, f"ts is {_json_type(value)}, not RFC 3339 or integer milliseconds")
    ms = _integer(value)
    if ms is None:
        return Refusal(Reason.BAD_TIMESTAMP, f"ts {value} is not integer milliseconds since 1970")
    if ms < 0:
        return Refusal(Reason.BAD_TIMESTAMP, BEFORE_1970)
    return ms if ms <= MILLISECONDS_MAX else Refusal(Reason.BAD_TIMESTAMP, "ts lies after the year 9999")


def _not_an_object(payload: bytes) -> Refusal:
    if not payload.strip():
        return Refusal(Reason.MALFORMED_JSON, "the payload is empty")
    value = parse_object(payload)
    return value if isinstance(value, Refusal) else Refusal(Reason.NOT_AN_OBJECT, "the payload is not an object")


def _typed(each: Property, value: Any) -> float | int | bool | Refusal | None:
    if value is None:
        return None
    typed: float | int | bool | None
    if each.type is bool:
        typed = value if isinstance(value, bool) else None
    elif each.type is int:
        typed = _integer(value)
    else:
        typed = real(value)
    if typed is None:
        return Refusal(Reason.WRONG_TYPE, f"{each.name} is {_json_type(value)}, not {_WANTED[each.type]}")
    return typed


_WANTED = {float: "a number", int: "an integer", bool: "true or false"}


def real(value: Any) -> float | None:
    """A JSON number as a double, infinite where it is too great for one; `None` if it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _integer(value: Any) -> int | float | None:
    """An integral JSON number; 3.0 is one. One too great for a double is infinite."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else value if math.isinf(value) else None
    if not isinstance(value, int):
        return None
    return value if value.bit_length() < _BITS_MAX else real(value)


def _digits(text: str) -> int | float:
    """An integer of any length; Python itself refuses the endless ones."""
    return int(text) if len(text) < _BITS_MAX else float(text)


def _no_constant(text: str) -> float:
    """`NaN` and `Infinity` are Python's, not JSON's."""
    raise ValueError(f"{text} is no JSON")


def _json_type(value: Any) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), "null")


_CUT = "Input data was truncated"
"""What the library says of JSON that ends too early."""


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "the payload is not UTF-8"
    return "the JSON ends before it is whole" if str(error) == _CUT else str(error)

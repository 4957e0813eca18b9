"""What a codec says, as JSON objects: a reading, a downlink, or a refusal with its reason and a sentence.

This is the shape of `lamplighter decode`, `encode` and `decode --batch` (contract §2).
"""

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec, Undecodable, Unencodable, Value

Answer = dict[str, Value]
PAYLOAD_BYTES_MAX = 255
"""More than any LoRaWAN frame carries."""
PORT_MAX = 255
WRAPPINGS = frozenset({"data", "fPort", "fport", "port"})
"""What may stand around a maker's input in its published examples."""


class UnknownModel(ValueError):
    """No codec has this name; the message names those that sound like it."""


def codec_of(model: str) -> Codec:
    """The codec of a model, in upper or lower case.

    Raises:
        UnknownModel: there is none.
    """
    known = catalogue()
    name = model.strip().lower()
    if name in known:
        return known[name]
    vendor, _, device = name.partition("/")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    near += [each for each in known if vendor and each not in near and vendor in each.split("/")]
    near += [each for each in known if device and each not in near and device in each]
    hint = (
        f"did you mean {' or '.join(near[:3])}?"
        if near
        else f"it knows {', '.join([*known][:3])} and others: docs/devices.md lists all."
    )
    raise UnknownModel(f"Lamplighter has no codec of {_short(model)}: {hint}")


def decoded(codec: Codec, port: int | None, data: bytes) -> Answer:
    """An uplink as `{"observation", "extra"}`."""
    try:
        _bounded(data)
        reading = codec.decode(port, data)
    except Undecodable as refusal:
        return refused("undecodable", str(refusal))
    return {"observation": dict(reading.observation), "extra": dict(reading.extra)}


def encoded(codec: Codec, wanted: Mapping[str, Any]) -> Answer:
    """A downlink as `{"port", "fport", "bytes_hex"}`; `fport` as the lines of a batch have it."""
    try:
        if codec.encode is None:
            raise Unencodable("we know no downlinks of this device")
        downlink = codec.encode(_unwrapped(wanted))
    except Unencodable as refusal:
        return refused("unencodable", str(refusal))
    return {"port": downlink.port, "fport": downlink.port, "bytes_hex": downlink.payload.hex()}


def read_back(codec: Codec, port: int | None, data: bytes) -> Answer:
    """A downlink's bytes as `{"observation": {}, "extra": its values, "input": what `encode` would take}`."""
    try:
        _bounded(data)
        if codec.decode_downlink is None:
            raise Undecodable("we know no downlinks of this device")
        wanted = codec.decode_downlink(port, data)
    except Undecodable as refusal:
        return refused("undecodable", str(refusal))
    return {"observation": {}, "extra": dict(wanted), "input": dict(wanted)}


def answered(line: bytes) -> Answer:
    """One line of a batch, answered; whatever the line is, this raises nothing."""
    try:
        wanted = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return refused("malformed_json", str(error))
    if not isinstance(wanted, dict):
        return refused("not_an_object", "a line of a batch is a JSON object")
    try:
        return _answer(wanted)
    except UnknownModel as error:
        return refused("unknown_model", str(error))
    except _Malformed as error:
        return refused("wrong_type", str(error))
    except ValueError as error:
        return refused("undecodable", str(error))


def refused(reason: str, detail: str) -> Answer:
    """The refusal of a line or payload."""
    return {"refused": reason, "detail": detail}


class _Malformed(ValueError):
    """A member of a batch's line is missing or of another type."""


def _answer(line: dict[str, Any]) -> Answer:
    codec, kind = codec_of(_text(line, "model")), line.get("kind", "uplink")
    if kind == "downlink-encode":
        wanted = line.get("input")
        if not isinstance(wanted, dict):
            raise _Malformed("`input` is no object")
        return encoded(codec, wanted)
    if kind not in ("uplink", "downlink-decode"):
        raise _Malformed("`kind` is none of uplink, downlink-encode, downlink-decode")
    port = line.get("fport")
    if port is not None and (type(port) is not int or not 0 <= port <= PORT_MAX):
        raise _Malformed(f"`fport` is no integer from 0 to {PORT_MAX}")
    data = octets(_text(line, "bytes_hex"))
    return decoded(codec, port, data) if kind == "uplink" else read_back(codec, port, data)


def octets(text: str) -> bytes:
    """The bytes of a hexadecimal text; blanks between bytes do not matter.

    Raises:
        ValueError: it is none.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{_short(text)} is not hexadecimal, two digits a byte") from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 32 else f"{text[:32]}…")


def _text(line: dict[str, Any], name: str) -> str:
    value = line.get(name)
    if not isinstance(value, str):
        raise _Malformed(f"`{name}` is no text")
    return value


def _bounded(data: bytes) -> None:
    if len(data) > PAYLOAD_BYTES_MAX:
        raise Undecodable(f"{len(data)} bytes: no LoRaWAN frame carries more than {PAYLOAD_BYTES_MAX}")


def _unwrapped(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """A maker's input without the `{"data": …, "fPort": …}` around it."""
    inner = wanted.get("data")
    return inner if isinstance(inner, dict) and wanted.keys() <= WRAPPINGS else wanted

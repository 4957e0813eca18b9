"""Lines of a batch, answered with a maker's codec's own output (contract §2), one for one and several at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from itertools import islice
from typing import Any

import msgspec

from gateway.codecs.answers import PORT_MAX, octets, refused
from gateway.codecs.codec import Undecodable
from gateway.scripts.vendor import VendorCodec

_LINES_AT_ONCE = 256


async def answered_all(codec: VendorCodec, lines: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The answers of lines, in order, as they come.

    Raises:
        NoWorker: the codec's process cannot be started.
    """
    several = iter(lines)
    while block := list(islice(several, _LINES_AT_ONCE)):
        for answer in await asyncio.gather(*(answered(codec, line) for line in block)):
            yield answer


async def answered(codec: VendorCodec, line: bytes) -> bytes:
    """One line, answered: the codec's own output, or `{"refused", "detail"}`.

    Raises:
        NoWorker: the codec's process cannot be started.
    """
    try:
        wanted = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _refused("malformed_json", str(error))
    if not isinstance(wanted, dict):
        return _refused("not_an_object", "a line of a batch is a JSON object")
    kind = wanted.get("kind", "uplink")
    try:
        if kind == "downlink-encode":
            return await _encoded(codec, wanted)
        if kind not in ("uplink", "downlink-decode"):
            raise _Malformed("`kind` is none of uplink, downlink-encode, downlink-decode")
        return await _decoded(codec, kind, wanted)
    except _Malformed as error:
        return _refused("wrong_type", str(error))
    except Undecodable as error:
        return _refused("unencodable" if kind == "downlink-encode" else "undecodable", str(error))


class _Malformed(ValueError):
    """A member of a batch's line is missing or of another type."""


async def _encoded(codec: VendorCodec, line: dict[str, Any]) -> bytes:
    wanted = line.get("input")
    if not isinstance(wanted, dict):
        raise _Malformed("`input` is no object")
    return await codec.downlink(wanted)


async def _decoded(codec: VendorCodec, kind: str, line: dict[str, Any]) -> bytes:
    port, text = line.get("fport"), line.get("bytes_hex")
    if port is not None and (type(port) is not int or not 0 <= port <= PORT_MAX):
        raise _Malformed(f"`fport` is no integer from 0 to {PORT_MAX}")
    if not isinstance(text, str):
        raise _Malformed("`bytes_hex` is no text")
    try:
        data = octets(text)
    except ValueError as error:
        raise _Malformed(str(error)) from None
    return await (codec.uplink(port, data) if kind == "uplink" else codec.read_back(port, data))


def _refused(reason: str, detail: str) -> bytes:
    return msgspec.json.encode(refused(reason, detail))

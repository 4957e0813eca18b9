"""A maker's codec as the gateway asks it: bytes in, a reading or one refusal out; settings in, a downlink out."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.codecs.answers import PAYLOAD_BYTES_MAX
from gateway.codecs.codec import Downlink, Reading, Undecodable, Unencodable
from gateway.scripts.bounds import REQUEST_BYTES_MAX, SOURCE_BYTES_MAX, Bounds
from gateway.scripts.mapping import FieldMapping, complain
from gateway.scripts.sandbox import Sandbox

PORT_MAX = 223
PORT_DEFAULT = 1
"""Of a downlink whose codec names none."""


class BadSource(ValueError):
    """The file cannot be a codec; the message says why."""


def source_text(data: bytes) -> str:
    """The text of a codec's file.

    Raises:
        BadSource: it is too large or no text.
    """
    if len(data) > SOURCE_BYTES_MAX:
        raise BadSource(f"it has {len(data)} bytes, and a codec has at most {SOURCE_BYTES_MAX}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSource(f"its byte {error.start} is no UTF-8") from error
    if "\0" in text:
        raise BadSource(f"its line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a NUL")
    return text


def digest(data: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class VendorCodec:
    """One maker's codec in its sandbox, with the mapping of its output.

    Args:
        source: the codec's text.
        mapping: which of its values are which of our fields. `None`: there is no observation, all of it is extra.
        reuse: keep one context for many messages.
    """

    def __init__(
        self, source: str, mapping: FieldMapping | None = None, *, reuse: bool = False, bounds: Bounds | None = None
    ) -> None:
        self.mapping = mapping
        self.sandbox = Sandbox(source, bounds, reuse=reuse)
        self._variables = dict(mapping.variables) if mapping else {}

    async def entries(self) -> list[str]:
        """The names of the functions by which it can be asked.

        Raises:
            ScriptFault: it cannot even be read.
        """
        return msgspec.json.decode(await self.sandbox.ask(b'{"kind":"entries"}'), type=list[str])

    async def uplink(self, port: int | None, data: bytes, received_ms: int | None = None) -> bytes:
        """The codec's own output for an uplink, as JSON.

        Raises:
            Undecodable: there is none; a `ScriptFault` with the word why.
        """
        return await self._ask("uplink", self._bytes(port, data, received_ms))

    async def downlink(self, wanted: Mapping[str, Any]) -> bytes:
        """The codec's own output for a downlink's input, as JSON: `{"data": …}`, or what belongs there alone.

        Raises:
            Undecodable: there is none.
        """
        whole = wanted if "data" in wanted else {"data": wanted}
        return await self._ask("downlink-encode", {"variables": self._variables, **whole})

    async def read_back(self, port: int | None, data: bytes) -> bytes:
        """The codec's own output for a downlink's bytes, as JSON.

        Raises:
            Undecodable: there is none.
        """
        return await self._ask("downlink-decode", self._bytes(port, data, None))

    async def decode(self, port: int | None, data: bytes, received_ms: int | None = None) -> Reading:
        """An uplink as our fields.

        Raises:
            Undecodable: the codec refuses it or fails, or its output is not what the mapping says.
        """
        output = value_of(await self.uplink(port, data, received_ms))
        if self.mapping is not None:
            return self.mapping.reading(output)
        complain(output)
        return Reading({}, {"output": output})

    async def encode(self, wanted: Mapping[str, Any]) -> Downlink:
        """A downlink's port and bytes.

        Raises:
            Unencodable: the codec knows none for this.
        """
        try:
            output = value_of(await self.downlink(wanted))
            complain(output)
        except Undecodable as refusal:
            raise Unencodable(str(refusal)) from refusal
        port, octets = PORT_DEFAULT, output
        if isinstance(output, dict):
            port, octets = output.get("fPort", PORT_DEFAULT), output.get("bytes")
        if type(port) is not int or not 1 <= port <= PORT_MAX:
            raise Unencodable(f"the codec's answer names no port from 1 to {PORT_MAX}")
        if not isinstance(octets, list) or not all(type(each) is int and 0 <= each <= 255 for each in octets):
            raise Unencodable("the codec's answer holds no list of bytes")
        return Downlink(port, bytes(octets))

    async def close(self) -> None:
        """End its process."""
        await self.sandbox.close()

    async def _ask(self, kind: str, asked: Mapping[str, Any]) -> bytes:
        try:
            request = msgspec.json.encode({"kind": kind, "input": asked})
        except RecursionError:
            raise Undecodable("the input is nested too deeply") from None
        if len(request) > REQUEST_BYTES_MAX:
            raise Undecodable(f"the input is larger than {REQUEST_BYTES_MAX >> 10} KiB")
        return await self.sandbox.ask(request)

    def _bytes(self, port: int | None, data: bytes, received_ms: int | None) -> dict[str, Any]:
        if len(data) > PAYLOAD_BYTES_MAX:
            raise Undecodable(f"{len(data)} bytes: no LoRaWAN frame carries more than {PAYLOAD_BYTES_MAX}")
        asked: dict[str, Any] = {"bytes": list(data), "variables": self._variables}
        if port is not None:
            asked["fPort"] = port
        if received_ms is not None:
            asked["recvTime"] = received_ms
        return asked


def value_of(output: bytes) -> Any:
    """A codec's output, read.

    Raises:
        Undecodable: it is nested too deeply or holds a number that is none.
    """
    try:
        return msgspec.json.decode(output)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Undecodable(f"the codec's answer cannot be read: {error}") from error

"""Is the broker ready? One MQTT 3.1.1 CONNECT with our credentials, answered, and a DISCONNECT.

An open port proves nothing: a broker may listen and serve nobody.
"""

import asyncio
import struct
from urllib.parse import unquote, urlsplit

_CONNECT = 0x10
_CONNACK = 0x20
_DISCONNECT = b"\xe0\x00"
_CLEAN_WITH_USER_AND_PASSWORD = 0xC2
_KEEP_ALIVE_S = 10

REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it refuses our client id",
    3: "it is not available",
    4: "it does not accept the user name and password",
    5: "it does not let this user in",
}
"""What a CONNACK's return code means (MQTT 3.1.1, table 3.1)."""


class Refused(Exception):
    """The broker answered, and its answer was no: `code` is CONNACK's return code."""

    def __init__(self, code: int) -> None:
        super().__init__(REFUSALS.get(code, f"it refuses with code {code}"))
        self.code = code


async def shake_hands(url: str, timeout_s: float = 2.0) -> None:
    """Connect to the broker at `url` (mqtt://user:password@host:port) and leave again.

    Raises:
        OSError: nobody listens, or the connection broke.
        TimeoutError: no answer in time.
        Refused: the broker said no.
    """
    parts = urlsplit(url)
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(_connect(unquote(parts.username or ""), unquote(parts.password or "")))
            try:
                packet_type, _, _, code = await reader.readexactly(4)
            except asyncio.IncompleteReadError as error:
                raise ConnectionResetError("the connection was closed before an answer") from error
            if packet_type != _CONNACK:
                raise ConnectionAbortedError("the answer is not MQTT")
            if code:
                raise Refused(code)
            writer.write(_DISCONNECT)
            await writer.drain()
        finally:
            writer.close()


def _connect(user: str, password: str) -> bytes:
    body = (
        _text("MQTT")
        + struct.pack(">BBH", 4, _CLEAN_WITH_USER_AND_PASSWORD, _KEEP_ALIVE_S)
        + _text("")  # an empty client id: the broker chooses one
        + _text(user)
        + _text(password)
    )
    return bytes([_CONNECT]) + _length(len(body)) + body


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(value: int) -> bytes:
    """MQTT's variable byte integer."""
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)

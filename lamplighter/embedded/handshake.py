"""Is a broker ready? One MQTT 3.1.1 CONNECT with our credentials, answered, and a farewell.

An open port proves nothing: a broker may listen and serve nobody.
"""

import asyncio
import ssl

from bus import packets
from bus.address import parse_address

_KEEP_ALIVE_S = 10
_CONNACK_BYTES = 4
_MQTT_3_1_1: packets.Version = 4

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


async def shake_hands(url: str, timeout_s: float = 2.0, tls: ssl.SSLContext | None = None) -> None:
    """Connect to the broker at `url` (mqtt://user:password@host:port) and leave again.

    `tls` is for `mqtts` URLs; None verifies by the system's certificates.

    Raises:
        OSError: nobody listens, or the connection broke.
        TimeoutError: no answer in time.
        Refused: the broker said no.
    """
    address = parse_address(url, tls)
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
        try:
            writer.write(
                packets.connect(
                    _MQTT_3_1_1,
                    "",  # the broker chooses a client id
                    user=address.user,
                    password=address.password,
                    clean=True,
                    keep_alive_s=_KEEP_ALIVE_S,
                    receive_maximum=1,
                    session_expiry_s=0,
                )
            )
            _check(await reader.readexactly(_CONNACK_BYTES))
            writer.write(packets.DISCONNECT)
            await writer.drain()
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the connection was closed before an answer") from error
        finally:
            writer.close()


def _check(answer: bytes) -> None:
    try:
        (control,) = packets.Parser(_MQTT_3_1_1).feed(answer).controls
    except (packets.Malformed, ValueError) as error:
        raise ConnectionAbortedError("the answer is not MQTT") from error
    if not isinstance(control, packets.ConnAck):
        raise ConnectionAbortedError("the answer is not MQTT")
    if control.code:
        raise Refused(control.code)

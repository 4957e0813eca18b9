"""What is said of a radio gateway: whether it is heard, and which devices nobody else hears (`topics.radio_gateway`).

A device behind a radio gateway that is out cannot be heard, which says nothing of the device. The gateway service,
which alone knows how uplinks came, retains one word a radio gateway; whoever waits for devices reads it.
"""

import msgspec


class RadioWord(msgspec.Struct, frozen=True):
    """One radio gateway.

    `online`: it is heard. `since`: when it was last heard (out), or since when it has been heard again (online);
    `at`: when this was found; both RFC 3339, by the city clock. `devices`: while it is out, the devices all of whose
    radio gateways are out, each named under one of them; `devices_more` further ones find no room here.
    """

    online: bool
    network: str
    since: str
    at: str
    devices: list[str] = []
    devices_more: int = 0


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RadioWord).decode


def decode(payload: bytes) -> RadioWord | None:
    """The word; `None` if it is none, or of another version."""
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

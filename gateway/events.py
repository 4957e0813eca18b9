"""What network servers say, in common words: each server's module reads its own messages into these, and nothing else.

Times are city time in microseconds since 1970 UTC: a network server's clock is taken for the city's, as a device's is.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from telemetry.clock import to_us
from telemetry.limits import PAYLOAD_BYTES_MAX
from telemetry.refusals import Reason

COUNTER_MAX = 2**32 - 1
"""The greatest frame counter of LoRaWAN."""
PORT_MAX = 255
YEAR_FIRST = 2000
"""An earlier time is a server's word for none (The Things Stack says the year 1)."""
YEAR_LAST = 9998


class Misspoken(ValueError):
    """The message is none that the server's documentation describes; its sentence says what is wrong."""

    def __init__(self, sentence: str, reason: Reason = Reason.UNDECODABLE) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Route:
    """Where a downlink to a device goes: application and name of the device, as the server's topics have them."""

    application: str
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks. `names`: what the registry may call the device, likeliest first, in lower case.

    `eui` is empty where the server gave none. `profile`, `brand`, `product`, `tag` are what the server knows of its
    model: a device profile's name, The Things Stack's version ids, a tag named `model`.
    """

    names: tuple[str, ...]
    route: Route
    eui: str = ""
    profile: str = ""
    brand: str = ""
    product: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Uplink:
    """A frame of a device. `decoded` is what the server's own codec made of it.

    `session` and `counter` tell the frame from others of the device; `identities` are the server's own names for it.
    `at_us` is `None` where the server gave no time, `port` where it gave none: a frame without payload has none.
    `radios` are the radio gateways that heard it.
    """

    source: Source
    port: int | None
    data: bytes
    at_us: int | None
    session: str
    counter: int
    identities: tuple[str, ...] = ()
    decoded: Mapping[str, Any] | None = None
    simulated: bool = False
    radios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """A device has begun a session."""

    source: Source


@dataclass(frozen=True, slots=True)
class Condition:
    """The network layer's word on a device. `battery_pct` is `None` where it is fed from the mains or does not know."""

    source: Source
    battery_pct: float | None
    at_us: int | None


DownlinkState = Literal["queued", "sent", "acknowledged", "unacknowledged", "failed"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a downlink.

    `sent`: a radio gateway has accepted it, which does not mean that the device has heard it. `acknowledged`: the
    device has. `ids` are the server's names for it, ours among them; empty where the server names none.
    """

    source: Source
    state: DownlinkState
    ids: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Fields of a kind that need no decoding; `at_us` is when they were measured."""

    device: str
    kind: str
    fields: Mapping[str, float | int | bool]
    at_us: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A device is there, or is gone, as the server knows; `kind` says on which topic it is told."""

    device: str
    kind: str
    online: bool


@dataclass(frozen=True, slots=True)
class Radio:
    """The network server speaks of a radio gateway; `online` is `None` where it has sent no more than statistics."""

    gateway: str
    online: bool | None


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A message that the server is owed."""

    message: Message


@dataclass(frozen=True, slots=True)
class Nothing:
    """Understood, and of no use to us; `words` says what it was."""

    words: str


Event = Uplink | Joined | Condition | Told | Measured | Presence | Radio | Request | Nothing


@dataclass(frozen=True, slots=True)
class Downlink:
    """A frame for a device. `id` is a UUID that the server repeats in its events."""

    id: str
    route: Route
    port: int
    payload: bytes
    expires_us: int


@dataclass(slots=True)
class Heard:
    """What one message said. `missed`: messages that the server has numbered and we have not heard.

    `unread` says why measurements in it cannot be read, although the message is well formed.
    """

    events: list[Event] = field(default_factory=list)
    missed: int = 0
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """A network server: `name` tells it from others here, `kind` is one of `service.SERVERS`, `url` its MQTT broker."""

    name: str
    kind: str
    url: str = field(repr=False)


class Server(Protocol):
    """What a network server's module offers. It may remember what the server told; it does no I/O."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to hear."""

    @property
    def overheard(self) -> tuple[str, ...]:
        """Topics of radio gateways, which are heard at QoS 0 where the broker lets us; all goes on without."""

    def brings_measurements(self, topic: str) -> bool:
        """Whether a message of this topic brings measurements, so that it must have a fate if it is misspoken."""

    def hear(self, topic: str, payload: bytes, now_us: int) -> Heard:
        """What a message says; raises `Misspoken`."""

    def push(self, route: Route, downlinks: list[Downlink], flush: bool) -> list[Message]:
        """Messages that queue downlinks of one device; `flush` first takes back what waits, where the server can.

        `downlinks` are then all that shall wait.
        """

    def can_flush(self) -> bool:
        """Whether the server takes back what waits."""


def parse(payload: bytes) -> dict[str, Any]:
    """The JSON object of a message.

    Raises:
        Misspoken: it is too large, no JSON, or no object.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Misspoken(f"{len(payload)} bytes", Reason.TOO_LARGE)
    try:
        said = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        raise Misspoken(f"the network server's message is no JSON: {error}", Reason.MALFORMED_JSON) from None
    if not isinstance(said, dict):
        raise Misspoken("the network server's message is no JSON object", Reason.NOT_AN_OBJECT)
    return said


def moment(text: str | None) -> int | None:
    """A server's time; `None` where it says none.

    Raises:
        Misspoken: it is no RFC 3339 time with an offset.
    """
    if not text:
        return None
    try:
        found = msgspec.convert(text, dt.datetime)
    except (msgspec.ValidationError, OverflowError):
        found = None
    if found is None or found.tzinfo is None or found.year > YEAR_LAST:
        raise Misspoken(f"the time {text[:40]!r} is not RFC 3339 with an offset", Reason.BAD_TIMESTAMP)
    return None if found.year < YEAR_FIRST else to_us(found)


def octets(text: str | None) -> bytes:
    """The bytes of a payload in base64; nothing where there is none.

    Raises:
        Misspoken: it is no base64.
    """
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        raise Misspoken("the payload is no base64") from None


def check_frame(counter: int, port: int | None) -> None:
    """Whether frame counter and port can be those of LoRaWAN.

    Raises:
        Misspoken: they cannot.
    """
    if not 0 <= counter <= COUNTER_MAX:
        raise Misspoken(f"the frame counter {counter} does not fit 32 bits")
    if port is not None and not 0 <= port <= PORT_MAX:
        raise Misspoken(f"the port {port} is none of 0 to {PORT_MAX}")

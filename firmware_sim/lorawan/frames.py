"""What goes over the air, and what a network server is told to send: the words that this package's modules share."""

from dataclasses import dataclass, field

from firmware_sim.vendors.product import Payload


@dataclass(frozen=True, slots=True)
class Frame:
    """An uplink.

    `number` counts all frames of a device's life, `counter` those of its session; `payload` is `None` for a frame that
    only acknowledges; `acknowledges` the last confirmed downlink. A join request (`joins`) has neither. A frame that is
    sent again is another `transmission` of it.
    """

    number: int
    counter: int = 0
    payload: Payload | None = None
    acknowledges: bool = False
    joins: bool = False
    transmission: int = 0

    @property
    def draw(self) -> int:
        """What chance calls this transmission."""
        return 2 * self.number + self.transmission


@dataclass(frozen=True, slots=True)
class Reception:
    """How a radio gateway heard a frame: signal in dBm, signal to noise in dB."""

    gateway: str
    rssi_dbm: int
    snr_db: float


@dataclass(slots=True, eq=False)
class Downlink:
    """A downlink in a device's queue.

    `id` is ChirpStack's name for it, `correlation_ids` are The Things Stack's; `expires_us` `None`: never.
    `counter` is that of the frame it last went out with.
    """

    id: str
    payload: Payload
    confirmed: bool = False
    expires_us: int | None = None
    correlation_ids: tuple[str, ...] = ()
    counter: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """A command to a network server: downlinks for the queue of the device called `name`, or in place of its queue."""

    name: str
    downlinks: list[Downlink] = field(default_factory=list)
    replaces: bool = False

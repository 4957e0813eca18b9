"""What a maker's file offers: fields of a kind as payloads, and downlinks as wishes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.behaviours import Fields


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes on a LoRaWAN port (1 to 223)."""

    port: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a device knows beside its readings.

    `at_us` is its clock, `eui` its name (16 hexadecimal digits); `commanded`: it follows a command, not its own
    program; `daily`: the first report of its day, or since it joined.
    """

    at_us: int
    eui: str
    commanded: bool = False
    daily: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a downlink asks for; `None` leaves a thing as it is.

    `setpoint_pct` holds for `for_s` seconds, or without an end where that is `None`; `resume` ends it. `report_every_s`
    is the report interval from now on. `answer` is what the device sends back at once.
    """

    setpoint_pct: float | None = None
    for_s: int | None = None
    resume: bool = False
    report_every_s: int | None = None
    answer: Payload | None = None


Say = Callable[[Fields, Circumstances], list[Payload]]


@dataclass(frozen=True, slots=True)
class Product:
    """One maker's device.

    Attributes:
        model: `vendor/device`, lower case.
        listens: always (class C), or only after an uplink of its own (class A).
        hello: what it sends when it has joined, before its first report.
        report: what it sends from time to time.
        edge: what it sends when what it watches has changed.
        obey: port and bytes of a downlink to a wish; `None` is a downlink that it ignores.
    """

    model: str
    listens: bool
    hello: Say
    report: Say
    edge: Say
    obey: Callable[[int, bytes], Wish | None]

"""The topics of contract §1: the only place where a topic is spelled."""

import re
from dataclasses import dataclass

ROOT = "city/v1"

ASSET_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
"""How an asset or a zone may be named."""
DEVICE_LENGTH_MAX = 64
DEVICE_PATTERN = rf"[A-Za-z0-9_.:-]{{1,{DEVICE_LENGTH_MAX}}}"
"""How a device may be named."""
ZONES_RESERVED = frozenset({"nearest", "stream"})
"""Zone names refused because the public API uses them as paths."""

_ASSET = re.compile(ASSET_PATTERN)
_ZONE_PARKING = re.compile(rf"{ROOT}/zones/({ASSET_PATTERN})/parking")
_DEVICE = re.compile(DEVICE_PATTERN)


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """A device's topic taken apart."""

    kind: str
    device: str
    leaf: str


TELEMETRY_SUFFIX = b"/telemetry"
"""How the topic of observations ends, as it comes from the wire."""
STATUS_SUFFIX = b"/status"
"""How the topic of a device's own state ends, as it comes from the wire."""


def telemetry(kind: str, device: str) -> str:
    """Where a device publishes observations; either name may be `+`."""
    return f"{ROOT}/{kind}/{device}/telemetry"


def status(kind: str, device: str) -> str:
    """Where a device says, retained, that it is online; also its Will."""
    return f"{ROOT}/{kind}/{device}/status"


def command(kind: str, device: str) -> str:
    """Where the platform sends a device its commands."""
    return f"{ROOT}/{kind}/{device}/command"


def ack(kind: str, device: str) -> str:
    """Where a device answers a command."""
    return f"{ROOT}/{kind}/{device}/ack"


def zone_parking(zone: str) -> str:
    """Where a parking zone's availability is retained."""
    return f"{ROOT}/zones/{zone}/parking"


def alarm(alarm_id: str) -> str:
    """Where an alarm is retained while it is not normal."""
    return f"{ROOT}/alarms/{alarm_id}"


CLOCK = f"{ROOT}/platform/clock"
"""Where the platform retains its city clock, so that a replay elsewhere can compare (ours, beyond the contract)."""

PROBE = f"{ROOT}/platform/probe"
"""Where the platform sounds its own queues: every ingest process hears it in the queue of its uplinks (ours, too)."""
BACKLOG = f"{ROOT}/platform/backlog"
"""Where the platform retains how much waits for ingest (ours, too)."""


def gateway_note(device: str) -> str:
    """Where the gateway retains what it must remember of a device; the name may be `+` (ours, too)."""
    return f"{ROOT}/platform/gateway/{device}/note"


def radio_gateway(gateway: str) -> str:
    """Where the gateway service retains whether a radio gateway is heard; the name may be `+` (ours, too)."""
    return f"{ROOT}/platform/radio/{gateway}/state"


def parse_radio_gateway(topic: str) -> str | None:
    """The radio gateway that is spoken of there; `None` if it is no such topic."""
    parts = topic.split("/")
    return parts[4] if len(parts) == 6 and topic == radio_gateway(parts[4]) else None


def parse_gateway_note(topic: str) -> str | None:
    """The device that the gateway remembers something of there; `None` if it is no such topic."""
    parts = topic.split("/")
    return parts[4] if len(parts) == 6 and topic == gateway_note(parts[4]) else None


SYS_DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto and its peers say how many messages they have dropped at the bound of a queue."""
SYS_VERSION = "$SYS/broker/version"
"""Where Mosquitto says that it is one, and of which version."""
SYS_STORED = ("$SYS/broker/store/messages/count", "$SYS/broker/retained messages/count")
"""Where they say how many messages they store, and how many of these are retained."""


def settled(process: str) -> str:
    """Where an ingest process retains how far it has come with the probes; the name may be `+` (ours, too)."""
    return f"{ROOT}/platform/{process}/settled"


RULES_TERM = f"{ROOT}/platform/rules/term"
"""Where the leader of the rules retains the number of its term, so that one that was overtaken hears of it."""


def parse_settled(topic: str) -> str | None:
    """The ingest process that speaks there; `None` if it is no such topic."""
    parts = topic.split("/")
    return parts[3] if len(parts) == 5 and topic == settled(parts[3]) else None


def parse_device(topic: str) -> DeviceTopic | None:
    """Take a device's topic apart; `None` if it is not one."""
    parts = take_apart(topic)
    return parts if parts is not None and valid_device(parts.device) else None


def take_apart(topic: str) -> DeviceTopic | None:
    """The parts of a topic of a device's form, whatever its names; an overlong name of a device ends in `…`."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[:2] != ["city", "v1"]:
        return None
    name = parts[3]
    return DeviceTopic(parts[2], name if len(name) <= DEVICE_LENGTH_MAX else f"{name[:DEVICE_LENGTH_MAX]}…", parts[4])


def device_of(topic: bytes) -> str:
    """The device of a topic that is known to be a device's."""
    return topic.split(b"/", 4)[3].decode()


def parse_zone_parking(topic: str) -> str | None:
    """The zone whose availability a topic retains; `None` if it is no such topic."""
    found = _ZONE_PARKING.fullmatch(topic)
    return found[1] if found else None


def valid_asset(name: str) -> bool:
    """Whether an asset may bear this name."""
    return _ASSET.fullmatch(name) is not None


def valid_zone(name: str) -> bool:
    """Whether a zone may bear this name."""
    return valid_asset(name) and name not in ZONES_RESERVED


def valid_device(name: str) -> bool:
    """Whether a device may bear this name."""
    return _DEVICE.fullmatch(name) is not None

"""Nwave NPS310SM (parking sensor of generation 3, surface mounted).

Sources: Nwave, "LoRaWAN Parking Sensor: Getting Started" for generation 3, sections 4.2.1 to 4.2.5, and the maker's
published decoder. The port says what a message is.

    port 1  parking status  1 byte   bit 0: 0 free, 1 occupied; bits 7 to 1 reserved, 0
    port 2  heartbeat       1 byte   as port 1
                            3 bytes  0 faults of the hardware (bits 4 to 0, 0: none), 1 battery now, 2 its mean over
                                     24 h, both 2.4 V + 5 mV a step
    port 3  startup         5 bytes  firmware major, minor, patch; cause of the reset; state as port 1
    port 6  debug                    kept as it is
"""

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import exactly

CAUSES = {1: "watchdog", 2: "power_on", 3: "user_request", 4: "brown_out", 5: "other"}
FAULTS_MAX = 0x1F


def _occupied(byte: int) -> bool:
    if byte > 1:
        raise Undecodable(f"the parking status is {byte:#04x}, where only 0x00 and 0x01 are defined")
    return byte == 1


def _status(data: bytes) -> Reading:
    exactly(data, 1)
    return Reading({"occupied": _occupied(data[0])}, {"message": "parking_status"})


def _heartbeat(data: bytes) -> Reading:
    exactly(data, 1, 3)
    if len(data) == 1:
        return Reading({"occupied": _occupied(data[0])}, {"message": "heartbeat"})
    faults, now, mean = data
    if faults > FAULTS_MAX:
        raise Undecodable(f"the faults are {faults:#04x}, where bits 7 to 5 are reserved")
    extra: dict[str, Value] = {"message": "heartbeat", "hardware_faults": faults}
    return Reading({}, extra | {"battery_v": _volts(now), "battery_mean_v": _volts(mean)})


def _volts(steps: int) -> float:
    return (2_400 + 5 * steps) / 1_000


def _startup(data: bytes) -> Reading:
    exactly(data, 5)
    extra: dict[str, Value] = {
        "message": "startup",
        "firmware": ".".join(map(str, data[:3])),
        "reset_cause": CAUSES.get(data[3], "unknown"),
        "reset_cause_code": data[3],
    }
    return Reading({"occupied": _occupied(data[4])}, extra)


def _debug(data: bytes) -> Reading:
    return Reading({}, {"message": "debug", "debug_hex": data.hex()})


MESSAGES = {1: _status, 2: _heartbeat, 3: _startup, 6: _debug}


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of an NPS310SM; without its port it cannot be told what the message is."""
    message = MESSAGES.get(port or 0)
    if message is None:
        raise Undecodable(f"port {port} is none of {', '.join(map(str, MESSAGES))}")
    return message(data)


CODECS = (
    Codec(
        models=("nwave/nps310sm",),
        kind="parking_bay",
        words="Nwave NPS310SM",
        fields=("occupied",),
        decode=decode,
    ),
)

"""Settings of Milesight EM sensors: items of channel 0xFF in a downlink, read back by the same table.

Source: Milesight, user guides of the EM series, "Downlink commands", and the published encoders. By type:

    02 collection interval, s    03 report interval, s     10 reboot           11 time, s since 1970
    17 time zone, 0.1 h          1c times and seconds of another try           27 clear the history
    28 report now                3b synchronize the clock  4a do it now        68 keep a history
    69 send again what was lost  6a which (0 lost, 1 kept) and the interval, s f2 reports of an alarm
    f5 report an alarm's end     06 thresholds, 9 bytes    ea, f1 calibration
    84 device to device (EM500)  62 zero plane (EM320-TILT)
    13, 3e, 56, 70               of an EM400-UDL: height of installation, tilt, time of flight, height of people

Not among them: 35, the key of device to device, and 79 and 96, what is commanded there.

A threshold has its condition in bits 2 to 0 (off, below, above, between, outside), the number of the alarm in bits 5 to
3, two limits, and two further words. Names and words are those of the maker's own encoder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.codecs.codec import Downlink, Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor

PORT = 85
CHANNEL = 0xFF
INTERVAL_MAX_S = 64_800
DOWNLINK_BYTES_MAX = 242
SWITCH = ("disable", "enable")
CONDITIONS = ("disable", "below", "above", "between", "outside")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a type says: its names in the maker's input, bytes for one of them, and the bytes read."""

    names: tuple[str, ...]
    write: Callable[[str, Any], bytes]
    read: Callable[[Cursor], dict[str, Value]]


def named(index: int, words: tuple[str, ...], what: str) -> str:
    """The word of a number."""
    if index >= len(words):
        raise Undecodable(f"{what} is {index}, where 0 to {len(words) - 1} are defined")
    return words[index]


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within limits."""
    if type(value) is not int or not low <= value <= high:
        raise Unencodable(f"{name} is a whole number from {low} to {high}")
    return int(value)


def scaled(value: float, name: str, per: int, low: int, high: int) -> bytes:
    """A number times `per` as a word within limits."""
    if type(value) not in (int, float) or not low <= value * per <= high:
        raise Unencodable(f"{name} is a number from {low / per:g} to {high / per:g}")
    return round(value * per).to_bytes(2, "little", signed=low < 0)


def choice(value: Any, name: str, words: tuple[str, ...]) -> int:
    """The number of a word; the number itself is taken too."""
    if type(value) is int and 0 <= value < len(words):
        return value
    if isinstance(value, str) and value in words:
        return words.index(value)
    raise Unencodable(f"{name} is one of {', '.join(words)}")


def members(value: Any, name: str, *names: str) -> Mapping[str, Any]:
    """An object with exactly these members."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise Unencodable(f"{name} is an object of {', '.join(names)}")
    return value


def count(name: str, octets: int, low: int, high: int) -> Setting:
    """A whole number of so many bytes within limits."""
    return Setting(
        (name,),
        lambda _, value: whole(value, name, low, high).to_bytes(octets, "little", signed=low < 0),
        lambda cursor: {
            name: cursor.signed(octets, little=True) if low < 0 else cursor.unsigned(octets, little=True),
        },
    )


def switch(name: str) -> Setting:
    """A byte of 0 or 1, by its word."""
    return Setting(
        (name,),
        lambda _, value: bytes([choice(value, name, SWITCH)]),
        lambda cursor: {name: named(cursor.unsigned(), SWITCH, name)},
    )


def action(name: str, byte: int) -> Setting:
    """Something that the device does once."""

    def write(_: str, value: Any) -> bytes:
        if value != "yes" and (type(value) is not int or value != 1):
            raise Unencodable(f"{name} is 'yes'")
        return bytes([byte])

    def read(cursor: Cursor) -> dict[str, Value]:
        cursor.take(1)
        return {name: "yes"}

    return Setting((name,), write, read)


def _again() -> Setting:
    names = ("retransmit_interval", "resend_interval")
    return Setting(
        names,
        lambda name, value: bytes([names.index(name)]) + whole(value, name, 1, INTERVAL_MAX_S).to_bytes(2, "little"),
        lambda cursor: {named(cursor.unsigned(), names, "interval"): cursor.unsigned(2, little=True)},
    )


def _recollection() -> Setting:
    name = "recollection_config"

    def write(_: str, value: Any) -> bytes:
        config = members(value, name, "counts", "interval")
        return bytes(whole(config[each], f"{name}.{each}", 1, 255) for each in ("counts", "interval"))

    return Setting((name,), write, lambda cursor: {name: {"counts": cursor.unsigned(), "interval": cursor.unsigned()}})


COMMON: dict[int, Setting] = {
    0x02: count("collection_interval", 2, 1, INTERVAL_MAX_S),
    0x03: count("report_interval", 2, 1, INTERVAL_MAX_S),
    0x10: action("reboot", 0xFF),
    0x11: count("timestamp", 4, 0, 0xFFFF_FFFF),
    0x17: count("time_zone", 2, -120, 140),
    0x1C: _recollection(),
    0x27: action("clear_history", 0x01),
    0x28: action("report_status", 0xFF),
    0x3B: switch("time_sync_enable"),
    0x4A: action("sync_time", 0xFF),
    0x68: switch("history_enable"),
    0x69: switch("retransmit_enable"),
    0x6A: _again(),
    0xF2: count("alarm_report_counts", 2, 1, 1_000),
    0xF5: switch("alarm_release_enable"),
}


def encode(wanted: Mapping[str, Any], *, settings: Mapping[int, Setting]) -> Downlink:
    """The maker's input (`{"report_interval": 600, …}`, in its order), or ours: `{"report_every_s": 600}`."""
    if not wanted:
        raise Unencodable("a downlink sets at least one thing")
    if len(wanted) > DOWNLINK_BYTES_MAX:
        raise Unencodable(f"a downlink carries no more than {DOWNLINK_BYTES_MAX} bytes")
    types = {name: kind for kind, setting in settings.items() for name in setting.names}
    payload = b""
    for name, value in wanted.items():
        maker = "report_interval" if name == "report_every_s" else name
        if maker not in types:
            raise Unencodable(f"{str(name)[:40]!r} is no setting of this device; it has {', '.join(types)}")
        payload += bytes([CHANNEL, types[maker]]) + settings[types[maker]].write(maker, value)
    return Downlink(PORT, payload)


def decode_downlink(port: int | None, data: bytes, *, settings: Mapping[int, Setting]) -> dict[str, Value]:
    """What a downlink sets, in the maker's names."""
    if not data:
        raise Undecodable("no bytes, where at least one item is expected")
    cursor = Cursor(data)
    said: dict[str, Value] = {}
    while cursor.left:
        channel, kind = cursor.unsigned(), cursor.unsigned()
        if channel != CHANNEL or kind not in settings:
            raise Undecodable(f"an item of channel {channel:#04x} and type {kind:#04x} is no setting of this device")
        said |= settings[kind].read(cursor)
    return said

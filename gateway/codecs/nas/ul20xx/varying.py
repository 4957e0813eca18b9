"""Parts of UL20xx configuration packets whose shape depends on their own values."""

from collections.abc import Mapping
from typing import Any

from gateway.codecs.codec import Undecodable, Unencodable
from gateway.codecs.nas.ul20xx.layout import (
    Fixed,
    Flags,
    Layout,
    Number,
    Odd,
    One,
    Packet,
    listed,
    read,
    write,
)
from gateway.codecs.nas.ul20xx.words import (
    Address,
    Days,
    Fade,
    Light,
    StepTime,
    Zenith,
    level,
)
from gateway.codecs.wire import Cursor

OFF = 0xFF
_word = Number(2)
_position = Number(4, signed=True, scale=10_000_000, words={0x7FFFFFFF: "not_configured"})
DEGREES = Number(2, signed=True, scale=100)
ANY = Address("all_devices")
_zenith_step: Layout = (One("zenith_angle__deg", Zenith()), One("dimming_level__percent", level("disabled")))


def _read_boot_delay(cursor: Cursor) -> Packet:
    """One byte in early firmware, two later."""
    return {"boot_delay_range__s": cursor.unsigned(1 if cursor.left == 1 else 2, little=True)}


def _write_usage(values: Mapping[str, Any]) -> bytes:
    voltage = values.get("mains_voltage__V", values.get("mains_voltage__v"))
    interval = One("usage_interval__s", Number(4, words={0: "disabled"})).write(values)
    return interval + (bytes([OFF]) if voltage is None else Number(high=OFF - 1, low=1).write(voltage))


def _read_usage(cursor: Cursor) -> Packet:
    packet: Packet = {"usage_interval__s": cursor.unsigned(4, little=True)}
    voltage = cursor.unsigned()
    return packet if voltage == OFF else {**packet, "mains_voltage__V": voltage}


DIMMING_STEP: Layout = (One("step_time", StepTime()), One("dimming_level__percent", level("inactive")))
_PROFILE: Layout = (One("address", ANY), One("days_active", Days()), Fixed(b"\0", ignored=True))
_PROFILE_ID = One("profile_id", Number(words={OFF: "no_profile"}))


def _read_profile(cursor: Cursor) -> Packet:
    """The number of steps stands before what they hold for."""
    packet, steps = _PROFILE_ID.read(cursor), cursor.unsigned()
    packet |= read(_PROFILE, cursor)
    return {**packet, "dimming_steps": [read(DIMMING_STEP, cursor) for _ in range(steps)]}


def _write_profile(values: Mapping[str, Any]) -> bytes:
    steps = listed(values, "dimming_steps")
    body = write(_PROFILE, values) + b"".join(write(DIMMING_STEP, step) for step in steps)
    return _PROFILE_ID.write(values) + bytes([len(steps)]) + body


class Profile:
    """Which profile; some published examples name it, others count it."""

    def read(self, cursor: Cursor) -> int | str:
        """The value that stands here."""
        place = cursor.unsigned()
        return "all_profiles" if place == OFF else place

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        place = value.removeprefix("profile_") if isinstance(value, str) else value
        return Number(words={OFF: "all_profiles"}, high=7, low=0).write(place)


class ClearedProfile(Address):
    """Whose profile is cleared: an address, or, as the maker's encoder has it, a profile by its number."""

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        if isinstance(value, str) and value.startswith("profile_"):
            return Profile().write(value)
        return Address.write(self, value)


_DIG: Layout = (
    Flags(
        "dig_mode_button",
        "polarity_high_or_rising",
        "notification_on_activation",
        "notification_on_inactivation",
        None,
        None,
        None,
        "source_d4i_motion_sensor",
        optional=frozenset({"source_d4i_motion_sensor"}),
    ),
    One("address", ANY),
    One("active_dimming_level__percent", level("inactive")),
    One("inactive_dimming_level__percent", level("inactive")),
    One("on_delay__s", _word),
    One("off_delay__s", _word),
)
_LIGHT: Layout = (
    Flags("notification_on_every_step", "light_sensor_clamps_profile", "light_sensor_clamps_dig", "interpolate_steps"),
    One("measurement_duration__s", Number()),
    One("address", ANY),
)
_LIGHT_STEP: Layout = (One("light_level__lx", Light()), One("dimming_level__percent", level("inactive")))


def _read_dig(cursor: Cursor) -> Packet:
    """The packet ends where its first byte is 0xFF."""
    place = cursor.unsigned()
    return {"dig_enabled": "dig_disabled"} if place == OFF else {"dig_enabled": place, **read(_DIG, cursor)}


def _write_dig(values: Mapping[str, Any]) -> bytes:
    place = One("dig_enabled", Number(words={OFF: "dig_disabled", 0: "dig_enabled"})).write(values)
    return place if place[0] == OFF else place + write(_DIG, values)


def _read_light(cursor: Cursor) -> Packet:
    """The packet ends where its first byte, the number of steps, is 0xFF."""
    steps = cursor.unsigned()
    if steps == OFF:
        return {"dim_steps": "disabled"}
    return {**read(_LIGHT, cursor), "dim_steps": [read(_LIGHT_STEP, cursor) for _ in range(steps)]}


def _write_light(values: Mapping[str, Any]) -> bytes:
    if values.get("dim_steps") == "disabled":
        return bytes([OFF])
    steps = listed(values, "dim_steps", OFF - 1)
    return bytes([len(steps)]) + write(_LIGHT, values) + b"".join(write(_LIGHT_STEP, step) for step in steps)


_SUN: Layout = (
    Flags("calendar_prefers_meta_pos", "calendar_clamps_profiles", "calendar_clamps_dig", "ignore_gnss",
          optional=frozenset({"ignore_gnss"})),
    One("latitude__deg", DEGREES),
    One("longitude__deg", DEGREES),
)  # fmt: skip


def _read_sun(cursor: Cursor) -> Packet:
    """How many steps stand first: at sunrise in the low half of a byte, at sunset in the high one."""
    counts = cursor.unsigned()
    packet = read(_SUN, cursor)
    packet["sunrise_steps"] = [read(_zenith_step, cursor) for _ in range(counts & 0xF)]
    packet["sunset_steps"] = [read(_zenith_step, cursor) for _ in range(counts >> 4)]
    return packet


def _write_sun(values: Mapping[str, Any]) -> bytes:
    rise, fall = listed(values, "sunrise_steps", 15), listed(values, "sunset_steps", 15)
    steps = b"".join(write(_zenith_step, step) for step in (*rise, *fall))
    return bytes([len(rise) | len(fall) << 4]) + write(_SUN, values) + steps


_OFFSETS: Layout = (
    One("sunrise_offset__minutes", Number(signed=True)),
    One("sunset_offset__minutes", Number(signed=True)),
)
_NO_OFFSETS: Packet = {"sunrise_offset__minutes": "disabled", "sunset_offset__minutes": "disabled"}


def _read_offsets(cursor: Cursor) -> Packet:
    """Both -1: off."""
    offsets = read(_OFFSETS, cursor)
    return _NO_OFFSETS if set(offsets.values()) == {-1} else offsets


def _write_offsets(values: Mapping[str, Any]) -> bytes:
    if all(values.get(name) == word for name, word in _NO_OFFSETS.items()):
        return b"\xff\xff"
    return write(_OFFSETS, values)


_DEFAULTS: tuple[tuple[str, Layout], ...] = (
    ("default_dim__percent", (One("default_dim__percent", Number(low=0, high=100)),)),
    ("max_dim__percent", (One("max_dim__percent", level("default")),)),
    ("fade_duration__s", (One("fade_duration__s", Fade()),)),
    ("switch_point_sunset", (One("switch_point_sunset", Number(words={0: "twilight", 1: "sunset"}, closed=True)),)),
    ("legacy_mode_enabled", (Flags("legacy_mode_enabled"),)),
)


def _read_defaults(cursor: Cursor) -> Packet:
    """A byte says from bit 0 upwards which defaults follow."""
    present, packet = cursor.unsigned(), Packet()
    for bit, (_, layout) in enumerate(_DEFAULTS):
        if present >> bit & 1:
            packet |= read(layout, cursor)
    return packet


def _write_defaults(values: Mapping[str, Any]) -> bytes:
    present = [name in values for name, _ in _DEFAULTS]
    body = b"".join(write(layout, values) for name, layout in _DEFAULTS if name in values)
    return bytes([sum(1 << bit for bit, there in enumerate(present) if there)]) + body


_POSITION: Layout = (One("latitude__deg", _position), One("longitude__deg", _position))


def _text(cursor: Cursor, count: int) -> str:
    try:
        return cursor.take(count).decode()
    except UnicodeDecodeError:
        raise Undecodable("an address is no UTF-8") from None


def _octets(values: Mapping[str, Any]) -> bytes:
    text = values.get("address", "")
    try:
        data = text.encode() if isinstance(text, str) else None
    except UnicodeEncodeError:
        data = None
    if data is None or len(data) > 255:
        raise Unencodable(f"address: {text!r:.40} is no text of at most 255 bytes")
    return data


def _read_place(cursor: Cursor) -> Packet:
    """How long the address is stands before the position, the address behind it."""
    length = cursor.unsigned()
    return {**read(_POSITION, cursor), "address": _text(cursor, length)}


def _write_place(values: Mapping[str, Any]) -> bytes:
    address = _octets(values)
    return bytes([len(address)]) + write(_POSITION, values) + address


def _read_meta(cursor: Cursor) -> Packet:
    """Bit 0: a position follows; bit 1: an address follows, its length before."""
    present, packet = cursor.unsigned(), Packet()
    if present & 1:
        packet |= read(_POSITION, cursor)
    if present & 2:
        packet["address"] = _text(cursor, cursor.unsigned())
    return packet


def _write_meta(values: Mapping[str, Any]) -> bytes:
    position, address = "latitude__deg" in values, "address" in values
    body = write(_POSITION, values) if position else b""
    if address:
        body += bytes([len(_octets(values))]) + _octets(values)
    return bytes([position | address << 1]) + body


def _write_boot_delay(values: Mapping[str, Any]) -> bytes:
    return One("boot_delay_range__s", _word).write(values)


BOOT_DELAY = Odd(_read_boot_delay, _write_boot_delay)
USAGE = Odd(_read_usage, _write_usage)
PROFILE = Odd(_read_profile, _write_profile)
DIG_INPUT = Odd(_read_dig, _write_dig)
LIGHT_SENSOR = Odd(_read_light, _write_light)
SUN_STEPS = Odd(_read_sun, _write_sun)
SUN_OFFSETS = Odd(_read_offsets, _write_offsets)
DEFAULTS = Odd(_read_defaults, _write_defaults)
PLACE = Odd(_read_place, _write_place)
META = Odd(_read_meta, _write_meta)

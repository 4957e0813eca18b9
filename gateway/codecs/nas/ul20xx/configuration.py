"""What a UL20xx can be set to: packets on port 50, echoed by the device once they hold, and asked for on port 49.

The first byte says which packet it is. Firmware 1.0 and 1.1 share some; the rest was laid out anew, with new numbers.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.codecs.codec import Undecodable, Unencodable
from gateway.codecs.nas.ul20xx import varying
from gateway.codecs.nas.ul20xx.layout import (
    Fixed,
    Flags,
    Hex,
    Layout,
    Many,
    Number,
    Odd,
    One,
    Packet,
    Plain,
    listed,
    read,
    wanted,
    write,
)
from gateway.codecs.nas.ul20xx.varying import ANY, DEGREES, OFF, ClearedProfile, Profile
from gateway.codecs.nas.ul20xx.words import REASONS_10, Address, Days, Epoch, Fade, MonthDay, StepTime, level
from gateway.codecs.wire import Cursor

Packets = Mapping[int, tuple[str, Layout]]
"""Which byte says which packet, with the name that the maker gives it and what follows."""

REPORT_EVERY_S = (60, 86_400)
"""How often a status may be sent."""
CHAIN = 0xFE

_word, _alert = Number(2), Number(2, words={0xFFFF: "alert_off"})
_threshold = Number(words={OFF: "disabled"})
_serial: Layout = (One("device_serial", Hex(4, turned=True)),)

_SHARED: Packets = {
    0x01: (
        "deprecated_ldr_input_config_packet",
        (
            One("ldr_off_threshold_high", _threshold),
            One("ldr_on_threshold_low", _threshold),
            Flags(None, None, "trigger_alert_enabled"),
        ),
    ),
    0x03: (
        "deprecated_dig_input_config_packet",
        (
            One("light_on_duration__s", Number(2, words={0xFFFF: "dig_input_disabled"})),
            Flags(None, "signal_edge_rising", "trigger_alert_enabled"),
            One("address", ANY),
            One("dimming_level__percent", level("disabled")),
        ),
    ),
    0x05: (
        "open_drain_output_config_packet",
        (Many("switching_steps", (One("step_time", StepTime()), Flags("open_drain_output_on"))),),
    ),
    0x07: (
        "status_config_packet",
        (One("status_interval__s", Number(4, low=REPORT_EVERY_S[0], high=REPORT_EVERY_S[1])),),
    ),
    0x0B: ("usage_config_packet", (varying.USAGE,)),
    0x0D: ("boot_delay_config_packet", (varying.BOOT_DELAY,)),
    0x15: ("onboard_led_config_packet", (Flags("status_led_enabled"),)),
    0x16: (
        "metering_alert_config_packet",
        (
            Fixed(b"\x01"),
            One("min_power__W", _alert),
            One("max_power__W", _alert),
            One("min_voltage__V", _alert),
            One("max_voltage__V", _alert),
            One("min_power_factor", Number(words={OFF: "alert_off"}, scale=100, low=0, high=1)),
        ),
    ),
}


def _multicast(first: int) -> Layout:
    """An identity for multicast; firmware 1.0 counts its four from 1, 1.1 from 0."""
    return (
        One("multicast_device", Number(words={place: place for place in range(first, first + 4)}, closed=True)),
        One("devaddr", Hex(4, turned=True)),
        One("nwkskey", Hex(16)),
        One("appskey", Hex(16)),
    )


_CLEARED_MULTICAST: Layout = (
    One(
        "multicast_device",
        Number(words={OFF: "all_multicast_devices"} | {n: f"multicast_device_{n}" for n in range(5)}, closed=True),
    ),
)


def _read_cleared_profile(cursor: Cursor) -> Packet:
    """Firmware 1.0: whose profile, and, if not all of them, which."""
    packet: Packet = {"address": Address("all_profiles").read(cursor)}
    return {**packet, "profile_id": cursor.unsigned()} if cursor.left else packet


def _write_cleared_profile(values: Mapping[str, Any]) -> bytes:
    address = One("address", Address("all_profiles")).write(values)
    return address + (One("profile_id", Number()).write(values) if "profile_id" in values else b"")


def _clear(targets: Packets) -> Odd:
    """What is to be forgotten: a byte of its own, and what that needs."""

    def reader(cursor: Cursor) -> Packet:
        code = cursor.unsigned()
        if code not in targets:
            raise Undecodable(f"{code:#04x} is nothing that can be cleared")
        word, layout = targets[code]
        return {"reset_target": word, **read(layout, cursor)}

    def writer(values: Mapping[str, Any]) -> bytes:
        target = wanted(values, "reset_target")
        for code, (word, layout) in targets.items():
            if word == target:
                return bytes([code]) + write(layout, values)
        raise Unencodable(f"reset_target: {target!r:.40} is none of {', '.join(word for word, _ in targets.values())}")

    return Odd(reader, writer)


SETTINGS_10: Packets = MappingProxyType({
    **_SHARED,
    0x06: (
        "calendar_config_packet",
        (varying.SUN_OFFSETS, One("latitude__deg", DEGREES), One("longitude__deg", DEGREES)),
    ),
    0x08: (
        "profile_config_packet",
        (
            One("profile_id", Number(words={OFF: "no_profile"})),
            One("profile_version", Number(words=REASONS_10, high=239)),
            One("address", ANY),
            One("days_active", Days()),
            Many("dimming_steps", varying.DIMMING_STEP),
        ),
    ),
    0x09: ("time_config_packet", (One("device_unix_epoch", Epoch()),)),
    0x0A: (
        "legacy_defaults_config_packet",
        (
            One("default_dim__percent", Number(low=0, high=100)),
            Flags("ldr_alert_enabled", None, "dig_alert_enabled", "dali_alert_enabled"),
        ),
    ),
    0x0C: ("holiday_config_packet", (Plain("holidays", MonthDay()),)),
    0x0E: ("defaults_config_packet", (varying.DEFAULTS,)),
    0x13: ("location_config_packet", (varying.META,)),
    0x52: ("multicast_config_packet", _multicast(1)),
    0xFF: (
        "clear_config_packet",
        (
            _clear({
                0x01: ("ldr_input_config", ()),
                0x03: ("dig_input_config", ()),
                0x04: ("profile_config", (Odd(_read_cleared_profile, _write_cleared_profile),)),
                0x06: ("holiday_config", ()),
                0x52: ("multicast_config", _CLEARED_MULTICAST),
                0xFF: ("factory_reset", _serial),
            }),
        ),
    ),
})  # fmt: skip

_SETTINGS_11: Packets = {
    **_SHARED,
    0x09: ("time_config_packet", (One("device_unix_epoch", Epoch("force_lorawan_devicetimereq")),)),
    0x20: ("calendar_config_packet", (varying.SUN_STEPS,)),
    0x21: ("profile_config_packet", (varying.PROFILE,)),
    0x22: ("fade_config_packet", (One("fade_duration__s", Fade()),)),
    0x23: ("holiday_config_packet", (Plain("holidays", MonthDay(), counted=True),)),
    0x24: (
        "dali_monitor_config_packet",
        (
            Flags("send_dali_alert", "correct_dali_dimming_level", "periodic_bus_scan_enabled"),
            One("monitoring_interval__s", Number(2, words={0: "disabled"})),
        ),
    ),
    0x25: ("fallback_dim_config_packet", (One("fallback_dimming_level__percent", Number(low=0, high=100)),)),
    0x26: ("location_config_packet", (varying.PLACE,)),
    0x27: (
        "lumalink_config_packet",
        (
            One(
                "access_mode",
                Number(words={0: "never_advertise", 1: "first_commission", 2: "every_boot", 3: "always"}, closed=True),
            ),
        ),
    ),
    0x28: ("dig_input_config_packet", (varying.DIG_INPUT,)),
    0x29: ("light_sensor_config_packet", (varying.LIGHT_SENSOR,)),
    0x2A: ("dim_notify_config_packet", (
            One("random_delay__s", Number(step=5, words={OFF: "disabled"})),
            One("packet_limit__s", Number(step=60)),
        ),
    ),
    0x2B: (
        "interface_type_config_packet",
        (One("interface_type", Number(words={0: "dali", 1: "analog_0_10v", OFF: "factory_default"}, closed=True)),),
    ),
    0x52: ("multicast_config_packet", _multicast(0)),
    0x53: ("multicast_fcnt_config_packet", (One("multicast_device", Number()), One("multicast_fcnt", Number(4)))),
    0xFF: (
        "clear_config_packet",
        (
            _clear({
                0x21: ("profile_config", (One("address", ClearedProfile("all_profiles")),)),
                0x23: ("holiday_config", ()),
                0x28: ("dig_input_config", ()),
                0x29: ("light_sensor_config", ()),
                0x52: ("multicast_config", _CLEARED_MULTICAST),
                0xFF: ("factory_reset", _serial),
            }),
        ),
    ),
}  # fmt: skip


def read_packet(packets: Packets, cursor: Cursor) -> Packet:
    """A packet with its name; raises `Undecodable` where its number is not known."""
    code = cursor.unsigned()
    if code not in packets:
        raise Undecodable(f"a packet {code:#04x} is not known on this port")
    name, layout = packets[code]
    return {"packet_type": name, **read(layout, cursor)}


def write_packet(packets: Packets, values: Mapping[str, Any]) -> bytes | None:
    """The bytes of a packet by its name, or `None` where this is the name of none of them."""
    for code, (name, layout) in packets.items():
        if name == values.get("packet_type"):
            return bytes([code]) + write(layout, values)
    return None


def _read_chain(cursor: Cursor) -> Packet:
    """Several packets, one behind the other."""
    packets = []
    while cursor.left:
        packets.append(read_packet(_SETTINGS_11, cursor))
    return {"payloads": [*packets]}


def _write_chain(values: Mapping[str, Any]) -> bytes:
    chain = b""
    for packet in listed(values, "payloads"):
        data = write_packet(_SETTINGS_11, packet)
        if data is None:
            raise Unencodable(f"payloads: {packet.get('packet_type')!r:.60} is no configuration that can be chained")
        chain += data
    return chain


SETTINGS_11: Packets = MappingProxyType(
    {**_SETTINGS_11, CHAIN: ("chained_config_packet", (Odd(_read_chain, _write_chain),))}
)

_SHARED_REQUESTS: Packets = {
    0x01: ("deprecated_ldr_input_config_request", ()),
    0x03: ("deprecated_dig_input_config_request", ()),
    0x07: ("status_config_request", ()),
    0x09: ("time_config_packet", ()),
    0x0B: ("usage_config_request", ()),
    0x0D: ("boot_delay_config_request", ()),
    0x15: ("onboard_led_config_request", ()),
    0x16: ("metering_alert_confic_request", ()),
    0x52: ("multicast_config_request", (One("multicast_device", Number(words={OFF: "all"})),)),
}


def _read_profile_asked(cursor: Cursor) -> Packet:
    """Firmware 1.0: without a number, only which profiles there are."""
    return {"profile_id": Profile().read(cursor) if cursor.left else "no_profiles"}


def _write_profile_asked(values: Mapping[str, Any]) -> bytes:
    return b"" if values.get("profile_id") == "no_profiles" else One("profile_id", Profile()).write(values)


REQUESTS_10: Packets = MappingProxyType({
    **_SHARED_REQUESTS,
    0x06: ("calendar_config_request", ()),
    0x08: ("profile_config_request", (Odd(_read_profile_asked, _write_profile_asked),)),
    0x0A: ("default_dim_config_request", ()),
    0x0C: ("holiday_config_request", ()),
    0x0E: ("defaults_config_request", ()),
    0x13: ("location_config_request", ()),
})  # fmt: skip
REQUESTS_11: Packets = MappingProxyType({
    **_SHARED_REQUESTS,
    0x20: ("calendar_config_request", ()),
    0x21: ("profile_config_request", (One("profile_id", Profile()),)),
    0x22: ("fade_config_request", ()),
    0x23: ("holiday_config_request", ()),
    0x24: ("dali_monitor_config_request", ()),
    0x25: ("fallback_dim_config_request", ()),
    0x26: ("location_config_request", ()),
    0x27: ("lumalink_config_request", ()),
    0x28: ("dig_input_config_request", ()),
    0x29: ("light_input_config_request", ()),
    0x2A: ("dim_notify_config_request", ()),
    0x2B: ("interface_type_config_request", ()),
})  # fmt: skip
ALSO_CALLED = MappingProxyType({
    "ldr_input_config_request": "deprecated_ldr_input_config_request",
    "metering_alert_config_request": "metering_alert_confic_request",
    "light_sensor_config_request": "light_input_config_request",
})  # fmt: skip
"""Requests that the maker's encoder and decoder name differently: the encoder's name, the decoder's."""

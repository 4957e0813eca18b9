"""What a UL20xx is told to do, and answers: packets on port 60; and restarts on port 51.

A level set by hand holds until the next restart or, timed, for up to 255 minutes; then calendar and profiles do.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.codecs.codec import Undecodable, Unencodable
from gateway.codecs.nas.ul20xx.configuration import Packets
from gateway.codecs.nas.ul20xx.layout import Flags, Hex, Layout, Many, Number, Odd, One, Packet, listed, read, write
from gateway.codecs.nas.ul20xx.words import EVERY, Address, driver_status, level
from gateway.codecs.wire import Cursor

ANSWERS = ("off", "on")
MINUTES_MAX = 255

_dimmed: Layout = (One("address", Address("all_devices")), One("dimming_level__percent", level("resume")))
_timed: Layout = (*_dimmed, One("duration__minutes", Number(high=MINUTES_MAX)))
_memory: Layout = (
    One("address", Address()),
    One("memory_bank", Number()),
    One("memory_address", Number()),
)
_size: Layout = (One("read_size__bytes", Number()),)
_curve: Layout = (
    One("address", Address()),
    One("dali_min_level", Number()),
    One("dali_max_level", Number()),
    One("dimming_curve", Number(words={0: "logarithmic", 1: "linear"}, closed=True)),
)


def _read_query(cursor: Cursor) -> Packet:
    """One query has two bytes, its answer three; more are several, and nobody says of how many bytes each."""
    data = cursor.take(cursor.left)
    packet: Packet = {"query_data_raw": data.hex().upper()}
    if 0 < len(data) <= 3:
        packet["address"] = Address().read(Cursor(data))
        packet |= dict(zip(("dali_query", "dali_response"), data[1:], strict=False))
    return packet


def _write_query(values: Mapping[str, Any]) -> bytes:
    return One("query_data_raw", Hex()).write(values)


_ASKED = Flags(
    "usage_requested",
    "status_requested",
    "dim_map_report_requested",
    "request_gnss_notification",
    optional=frozenset({"dim_map_report_requested", "request_gnss_notification"}),
)


def _read_asked(cursor: Cursor) -> Packet:
    """What is asked for; the answer to a dim map has the drivers behind it."""
    packet = _ASKED.read(cursor)
    if packet["dim_map_report_requested"] and cursor.left:
        packet |= Many("drivers", _curve).read(cursor)
    return packet


def _write_asked(values: Mapping[str, Any]) -> bytes:
    drivers = listed(values, "drivers") if "drivers" in values else ()
    return _ASKED.write(values) + b"".join(write(_curve, driver) for driver in drivers)


def _read_memory(cursor: Cursor) -> Packet:
    """Nothing at all where it failed; what was read where this is the answer."""
    if not cursor.left:
        return {"failed": True}
    packet = read((*_memory, *_size), cursor)
    size = packet["read_size__bytes"]
    return {**packet, "memory_value": Hex(int(size)).read(cursor)} if cursor.left and isinstance(size, int) else packet


def _write_memory(values: Mapping[str, Any]) -> bytes:
    return write((*_memory, *_size), values)


def _read_written(cursor: Cursor) -> Packet:
    """Nothing at all where it failed."""
    if not cursor.left:
        return {"failed": True}
    return {**read(_memory, cursor), "memory_value": Hex().read(cursor)}


def _write_written(values: Mapping[str, Any]) -> bytes:
    return write((*_memory, One("memory_value", Hex())), values)


def _read_statuses(cursor: Cursor) -> Packet:
    """Asked with an address alone, answered with a driver and its status each."""
    if cursor.left == 1:
        address = Address().read(cursor)
        return {"address": "all_drivers" if address == "dali_broadcast" else address}
    statuses = []
    while cursor.left:
        statuses.append(driver_status(cursor))
    return {"dali_statuses": [*statuses]}


def _write_statuses(values: Mapping[str, Any]) -> bytes:
    every = values.get("address") == "all_drivers"
    return One("address", Address()).write({"address": "dali_broadcast"} if every else values)


def _read_interfaces(cursor: Cursor) -> Packet:
    """Asked with 0xFF; answered with pairs of a number and a value: 1 input, 2 light, 3 nothing, 4 switches."""
    if cursor.left == 1:
        cursor.unsigned()
        return {}
    numbers, values = zip(*(cursor.take(2) for _ in range(4)), strict=True)
    if numbers != (1, 2, 3, 4):
        raise Undecodable(f"interfaces {numbers}, where 1, 2, 3, 4 are expected")
    dig, light, _, switches = values
    return {
        "dig": "n/a" if dig == EVERY else ANSWERS[dig] if dig < len(ANSWERS) else "invalid_value",
        "ldr": "n/a" if light == EVERY else light,
        "internal_relay_closed": bool(switches & 1),
        "open_drain_output_on": bool(switches & 2),
    }


def _write_interfaces(values: Mapping[str, Any]) -> bytes:
    return bytes([EVERY])


COMMANDS: Packets = {
    0x01: ("manual_dimming", (Many("destination", _dimmed),)),
    0x03: ("custom_dali_request", (Odd(_read_query, _write_query),)),
    0x04: ("custom_dali_command", (One("dali_command", Hex()),)),
    0x05: ("status_usage_request", (Odd(_read_asked, _write_asked),)),
    0x07: ("driver_memory_read", (Odd(_read_memory, _write_memory),)),
    0x08: ("driver_memory_write", (Odd(_read_written, _write_written),)),
    0x09: ("manual_timed_dimming", (Many("destination", _timed),)),
    0x0C: ("open_drain_output_control", (Flags("open_drain_output_on"),)),
}
COMMANDS_10: Packets = MappingProxyType({
    **COMMANDS,
    0x00: ("dali_status_request", (Odd(_read_statuses, _write_statuses),)),
    0x06: ("interface_request", (Odd(_read_interfaces, _write_interfaces),)),
})  # fmt: skip
COMMANDS_11: Packets = MappingProxyType({
    **COMMANDS,
    0x0A: ("address_dali_driver", (One("address", Address("rescan_dali_bus")),)),
    0x0B: ("dali_identify", ()),
})  # fmt: skip
RESTARTS_10: Packets = MappingProxyType({0xFF: ("activate_dfu_command", ())})
RESTARTS_11: Packets = MappingProxyType({**RESTARTS_10, 0xFE: ("restart_controller_command", ())})


def dimming(level_pct: Any, lease_s: Any, address: Any) -> Packet:
    """The timed dimming that a setpoint is: it ends by itself where no new one comes, as a lease does.

    Raises:
        Unencodable: the level is not within 0 to 100, or the lease is not within a minute and 255.
    """
    minutes = lease_s // 60 if isinstance(lease_s, int) and not isinstance(lease_s, bool) else 0
    if not 1 <= minutes <= MINUTES_MAX:
        raise Unencodable(f"lease_s: {lease_s!r:.40} is no whole number from 60 to {MINUTES_MAX * 60 + 59}")
    if isinstance(level_pct, bool) or not isinstance(level_pct, int | float) or not 0 <= level_pct <= 100:
        raise Unencodable(f"setpoint_pct: {level_pct!r:.40} is no number from 0 to 100")
    destination: Packet = {
        "address": address,
        "dimming_level__percent": round(level_pct),
        "duration__minutes": minutes,
    }
    return {"packet_type": "manual_timed_dimming", "destination": [destination]}

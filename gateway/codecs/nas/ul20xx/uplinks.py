"""What a UL20xx sends by itself: status, usage, alerts and boot packets, read into the maker's names.

Numbers are little-endian. S is a byte of flags, `addr` an address, `lvl` a level.

status of firmware 1.0 (port 24)
    epoch (4), S, -RSSI in dBm, SNR in dB (int8), temperature in °C (int8), inputs; LDR where bit 1 of inputs says so;
    then five bytes a profile in force: id, version or reason, addr, days, lvl
status of firmware 1.1 (port 23)
    0x00 (below 1.1.4) or 0x01; epoch, S; with 0x01 a second S; RSSI, SNR, temperature as above;
    with 0x00 inputs, LDR as above, and alerts where bit 4 of inputs says so;
    with 0x01 alerts, the length of the sensor block, and that block: a number each (0x01 LDR, 1 byte; 0x02 and 0x03
    light, 2; 0x04 input, 1; 0x08 tilt, 1) and its value;
    then four bytes an output: addr, reason, lvl, DALI status
usage (port 25; port 26 with 0x00 before)
    addr, flags of what follows: energy in Wh (4), power in W (2), load side's energy (4) and power (2), power factor in
    1/100, mains in V, the driver's and the lamp's seconds (4 each)
alerts (port 61): what, then its length in the high half-byte, or flags; boot and refusals (port 99)
"""

import math
from collections.abc import Callable, Mapping

from gateway.codecs.codec import Undecodable, Value
from gateway.codecs.nas.ul20xx.layout import Flags, Hex, Packet
from gateway.codecs.nas.ul20xx.words import (
    REASONS_10,
    REASONS_11,
    Address,
    Days,
    Epoch,
    dali_status,
    driver_status,
    level,
    measured_light,
    real,
)
from gateway.codecs.wire import Cursor

RESETS = ("reset_0", "watchdog_reset", "soft_reset", "reset_3", "reset_4", "reset_5", "reset_6", "reset_7")
DEVICES = (
    "dali",
    "dali_nc",
    "dali_no",
    "analog_nc",
    "analog_no",
    "dali_analog_nc",
    "dali_analog_no",
    "dali_analog_nc_no",
)
REFUSALS = {
    0x00: "n/a",
    0x01: "n/a",
    0x02: "unknown_fport",
    0x03: "packet_size_short",
    0x04: "packet_size_long",
    0x05: "value_error",
    0x06: "protocol_parse_error",
    0x07: "reserved_flag_set",
    0x08: "invalid_flag_combination",
    0x09: "unavailable_feature_request",
    0x0A: "unsupported_header",
    0x0B: "unreachable_hw_request",
    0x0C: "address_not_available",
    0x0D: "internal_error",
    0x0E: "packet_size_error",
    0x81: "profile_id_seq_error",
    0x82: "profile_destination_eror",
    0x83: "profile_days_error",
    0x84: "profile_step_count_error",
    0x85: "profile_step_value_error",
    0x86: "profile_step_unsorted_error",
}
BUS_HIGH, BUS_ERROR, BUS_MAX = 0x7E, 0x7F, 0x70
LOCATIONS = {0x01: "no_fix", 0x02: "internal_error", 0xFF: "internal_error"}

_flags_10 = Flags(
    "dali_error_external", "dali_connection_error", "ldr_input_on", None, "dig_input_on", "hardware_error", None,
    "internal_relay_closed",
)  # fmt: skip
_flags_11 = Flags(
    None, "dali_connection_error", "ldr_input_on", None, "dig_input_on", "metering_com_error", "ext_rtc_warning",
    "internal_relay_closed",
)  # fmt: skip
_flags_114 = Flags(
    None, "dali_connection_error", None, None, None, "metering_com_error", "ext_rtc_warning", "internal_relay_closed"
)  # fmt: skip
_more_114 = Flags(
    None, None, "open_drain_output_on", None, None, None, "lumalink_connected", "lumalink_connected_after_boot"
)
_alerts = Flags(
    None, None, None, None, "voltage_alert_in_24h", "lamp_error_alert_in_24h", "power_alert_in_24h",
    "power_factor_alert_in_24h",
)  # fmt: skip
_features = Flags(None, None, "dig_input", "ldr_input", "open_drain_output", "metering")
_metering = Flags(
    "lamp_error_alert", "over_current_alert", "under_voltage_alert", "over_voltage_alert", "low_power_factor_alert"
)


def _radio(cursor: Cursor) -> Packet:
    return {
        "downlink_rssi__dBm": -cursor.unsigned(),
        "downlink_snr__dB": cursor.signed(),
        "mcu_temperature__C": cursor.signed(),
    }


def _profile_in_force(cursor: Cursor) -> Packet:
    profile, reason = cursor.unsigned(), cursor.unsigned()
    return {
        "profile_id": "no_profile" if profile == 0xFF else profile,
        "profile_version": reason if reason < 240 else REASONS_10.get(reason, f"reason_{reason}"),
        "address": Address("all_devices").read(cursor),
        "days_active": Days().read(cursor),
        "dimming_level__percent": level("resume").read(cursor),
    }


def _dimming(cursor: Cursor) -> Packet:
    address, reason = Address().read(cursor), cursor.unsigned()
    return {
        "address": address,
        "reason": REASONS_11.get(reason, f"reason_{reason}"),
        "dimming_level__percent": level("n/a").read(cursor),
        "status": dali_status(cursor.unsigned()),
    }


def _all(read: Callable[[Cursor], Packet], cursor: Cursor) -> list[Value]:
    found: list[Value] = []
    while cursor.left:
        found.append(read(cursor))
    return found


def status_10(cursor: Cursor) -> Packet:
    """A status of firmware 1.0."""
    clock, status, radio = Epoch().read(cursor), _flags_10.read(cursor), _radio(cursor)
    inputs = cursor.unsigned()
    status["open_drain_output_on"] = bool(inputs & 0x04)
    packet: Packet = {"packet_type": "status_packet", "device_unix_epoch": clock, "status": status, **radio}
    packet["analog_interfaces"] = _alerts.read(Cursor(bytes([inputs])))
    if inputs & 0x02:
        packet["ldr_input_value"] = cursor.unsigned()
    return {**packet, "profiles": _all(_profile_in_force, cursor)}


def _sensors(data: bytes) -> Packet:
    """The sensors' values; one of later firmware, whose length is not known, takes the rest of the block."""
    cursor, found = Cursor(data), Packet()
    while cursor.left:
        number = cursor.unsigned()
        if number == 0x01:
            found["ldr_input"] = cursor.unsigned()
        elif number == 0x02:
            found["light_sensor__lx"] = measured_light(cursor)
        elif number == 0x03:
            found["d4i_light_sensor__lx"] = measured_light(cursor)
        elif number == 0x04:
            found["dig_input_1_on"] = bool(cursor.unsigned() & 1)
        elif number == 0x08:
            tilt = cursor.unsigned()
            found["tilt_sensor__deg"] = None if tilt == 0xFF else tilt
        else:
            found["unsupported_sensor"] = f"{number:02X}{cursor.take(cursor.left).hex().upper()}"
    return found


def status_11(cursor: Cursor) -> Packet:
    """A status of firmware 1.1."""
    version = cursor.unsigned()
    if version > 1:
        raise Undecodable(f"a status of version {version:#04x}, where 0x00 and 0x01 are known")
    packet: Packet = {"packet_type": "status_packet", "device_unix_epoch": Epoch().read(cursor)}
    if version == 1:
        packet["status"] = {**_flags_114.read(cursor), **_more_114.read(cursor)}
        packet |= _radio(cursor)
        packet["active_alerts"] = _alerts.read(cursor)
        packet["sensor_source"] = _sensors(cursor.take(cursor.unsigned()))
    else:
        status = _flags_11.read(cursor)
        packet |= _radio(cursor)
        inputs = cursor.unsigned()
        packet["status"] = {**status, "open_drain_output_on": bool(inputs & 0x04)}
        if inputs & 0x02:
            packet["ldr_input_value"] = cursor.unsigned()
        if inputs & 0x10:
            packet["active_alerts"] = _alerts.read(cursor)
    return {**packet, "dimming_source": _all(_dimming, cursor)}


def _hours(cursor: Cursor, parts: int) -> float:
    """Seconds as hours, to one of `parts` of an hour, half upwards."""
    return math.floor(cursor.unsigned(4, little=True) * parts / 3_600 + 0.5) / parts


def _factor(cursor: Cursor) -> Value:
    factor = cursor.unsigned()
    return "unknown" if factor == 0xFF else factor / 100


_CONSUMED: tuple[tuple[str, Callable[[Cursor], Value]], ...] = (
    ("active_energy__Wh", lambda cursor: cursor.unsigned(4, little=True)),
    ("active_power__W", lambda cursor: cursor.unsigned(2, little=True)),
    ("load_side_energy__Wh", lambda cursor: cursor.unsigned(4, little=True)),
    ("load_side_power__W", lambda cursor: cursor.unsigned(2, little=True)),
    ("power_factor", _factor),
    ("mains_voltage__V", lambda cursor: cursor.unsigned()),
    ("driver_operating_time__h", lambda cursor: _hours(cursor, 1)),
    ("lamp_on_time__h", lambda cursor: _hours(cursor, 10)),
)


def _consumer(cursor: Cursor) -> Packet:
    packet: Packet = {"address": Address("internal_measurement").read(cursor)}
    present = cursor.unsigned()
    for bit, (name, read) in enumerate(_CONSUMED):
        if present >> bit & 1:
            packet[name] = read(cursor)
    return packet


def usage_10(cursor: Cursor) -> Packet:
    """A usage packet of firmware 1.0."""
    return {"packet_type": "usage_packet", "consumption": _all(_consumer, cursor)}


def usage_11(cursor: Cursor) -> Packet:
    """A usage packet of firmware 1.1."""
    version = cursor.unsigned()
    if version:
        raise Undecodable(f"a usage packet of version {version:#04x}, where 0x00 is known")
    return usage_10(cursor)


def _input_alert(cursor: Cursor) -> Packet:
    second = cursor.unsigned()
    if second >> 4 == 2:
        return {"dig_input_event_counter": cursor.unsigned(2, little=True)}
    if second >> 4 == 4:
        return {"dig_input_on": bool(second & 1), "dig_input_event_counter": cursor.unsigned(4, little=True)}
    raise Undecodable(f"an input's event of {second >> 4} bytes, where 2 or 4 are expected")


def _light_alert(cursor: Cursor) -> Packet:
    length = cursor.unsigned() >> 4
    if length != 2:
        raise Undecodable(f"a light's event of {length} bytes, where 2 are expected")
    return {"ldr_input_on": bool(cursor.unsigned() & 1), "ldr_input_value": cursor.unsigned()}


def _driver_alert(cursor: Cursor) -> Packet:
    cursor.unsigned()
    return {"drivers": _all(driver_status, cursor)}


def _metering_alert(cursor: Cursor) -> Packet:
    packet = _metering.read(cursor)
    packet["power__W"] = cursor.unsigned(2, little=True)
    packet["voltage__V"] = cursor.unsigned(2, little=True)
    return {**packet, "power_factor": cursor.unsigned() / 100}


def _step_notice(cursor: Cursor) -> Packet:
    return {"active_dim_step": cursor.unsigned()}


def _location(cursor: Cursor) -> Packet:
    status = cursor.unsigned()
    if status:
        return {"location_status": LOCATIONS.get(status, "invalid_status")}
    latitude, longitude = real(cursor), real(cursor)
    return {
        "location_status": "good_fix",
        "latitude__deg": f"{latitude:.6f}",
        "longitude__deg": f"{longitude:.6f}",
        "last_fix_utc_time": Epoch().read(cursor),
    }


Alerts = Mapping[int, tuple[str, Callable[[Cursor], Packet]]]
ALERTS_10: Alerts = {
    0x80: ("dig_input_alert", _input_alert),
    0x81: ("ldr_input_alert", _light_alert),
    0x83: ("dali_driver_alert", _driver_alert),
    0x84: ("metering_alert", _metering_alert),
}
ALERTS_11: Alerts = {
    **ALERTS_10,
    0x80: ("dig_input_notification", _input_alert),
    0x81: ("ldr_input_notification", _light_alert),
    0x85: ("deprecated_light_sensor_notification", _step_notice),
    0x86: ("location_notification", _location),
}


def alert(alerts: Alerts, cursor: Cursor) -> Packet:
    """Something happened."""
    code = cursor.unsigned()
    if code not in alerts:
        raise Undecodable(f"an alert {code:#04x} is not known")
    name, read = alerts[code]
    return {"packet_type": name, **read(cursor)}


def system(cursor: Cursor) -> Packet:
    """It has joined, or it refuses a downlink."""
    code = cursor.unsigned()
    if code == 0x00:
        return {"packet_type": "boot_packet", **_boot(cursor)}
    if code == 0x13:
        port, reason = cursor.unsigned(), cursor.unsigned()
        word = REFUSALS.get(reason, "invalid_error_code")
        return {"packet_type": "invalid_downlink_packet", "downlink_from_fport": port, "error_reason": word}
    raise Undecodable(f"a system packet {code:#04x} is neither 0x00 nor 0x13")


def _boot(cursor: Cursor) -> Packet:
    packet: Packet = {
        "device_serial": Hex(4, turned=True).read(cursor),
        "firmware_version": ".".join(map(str, cursor.take(3))),
        "device_unix_epoch": Epoch().read(cursor),
    }
    device = cursor.unsigned()
    if device >= len(DEVICES):
        raise Undecodable(f"device configuration {device} is none of 0 to {len(DEVICES) - 1}")
    packet["device_config"], packet["optional_features"] = DEVICES[device], _features.read(cursor)
    supply, drivers = cursor.unsigned(), cursor.unsigned()
    words = {BUS_HIGH: "bus_high", BUS_ERROR: "bus_error"}
    volts = supply & 0x7F
    packet["dali_supply_state__V"] = volts if volts < BUS_MAX else words.get(volts, "invalid_value")
    packet["dali_power_source_external"] = "external" if supply & 0x80 else "internal"
    packet["dali_addressed_driver_count"] = drivers & 0x7F
    packet["dali_unaddressed_driver_found"] = bool(drivers & 0x80)
    if cursor.left:
        reset = cursor.unsigned()
        packet["reset_reason"] = [word for bit, word in enumerate(RESETS) if reset >> bit & 1]
    return packet

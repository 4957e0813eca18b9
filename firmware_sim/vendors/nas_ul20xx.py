"""NAS UL20xx luminaire controller, firmware 1.1 (DALI), class C.

Source: Nordic Automation Systems, "LCU payloads", firmware 1.1.x (docs.nasys.no/en/lcu), and the maker's own published
decoder. Integers are little-endian.

Port 23, status (from firmware 1.1.4): 0x01; u32 device time in s since 1970; status bits (0 DALI fault outside, 1 DALI
connection, 5 metering, 6 clock, 7 relay closed); more bits; u8 −RSSI in dBm, i8 SNR in dB of the last downlink; i8
temperature in °C; u8 alerts of the last 24 h (bit 5 lamp); u8 length of sensor sources, each a type and a value (0x02
light: u16, lx = 10^(value / 4000) / 1000); then for each output u8 address, u8 reason, u8 level in %, u8 DALI status
(bit 1 lamp failure, bit 2 lamp on). The relay is closed where an output gives more than 1 %.
Port 26, usage: 0x00; u8 address; bits of what follows: 0 u32 energy in Wh, 1 u16 power in W, 4 u8 power factor in 0.01,
5 u8 mains voltage in V.
Port 99, boot: 0x00; u32 serial; 3 × u8 firmware; u32 time; u8 outputs; u8 options; u8 DALI supply; u8 drivers; u8 why.
Port 60, downlinks: 0x01 (u8 address, u8 level)… dims, 0x09 (u8 address, u8 level, u8 minutes)… dims for a time; a level
of 0xFF resumes the device's own program. Port 50: 0x07 u32 status interval in s, echoed when applied. Port 99: 0x13, u8
port, u8 reason, answers a downlink that was refused.
"""

import math
import struct

from firmware_sim.behaviours import Fields
from firmware_sim.vendors.product import Circumstances, Payload, Product, Wish
from telemetry.clock import MINUTE_US, SECOND_US

STATUS, USAGE, CONFIGURE, COMMAND, SYSTEM = 23, 26, 50, 60, 99
BROADCAST, INTERNAL, RESUME = 0xFE, 0xFF, 0xFF
DAY, NIGHT, MANUAL = 0x21, 0x22, 0xFD
"""Reasons of a level: by day, by night, by command."""
RELAY_CLOSED, LAMP_FAILURE, LAMP_ON, LAMP_ALERT = 0x80, 0x02, 0x04, 0x20
LIGHT, LIGHT_MAX = 0x02, 0x7FFF
MINUTES = MINUTE_US // SECOND_US
UNSUPPORTED_HEADER, VALUE_ERROR = 0x0A, 0x05


def _hello(fields: Fields, about: Circumstances) -> list[Payload]:
    serial = int(about.eui[-8:], 16)
    head = struct.pack("<BI3BI", 0x00, serial, 1, 1, 15, about.at_us // SECOND_US)
    return [Payload(SYSTEM, head + bytes((0x00, 0x20, 0x7E, 0x01, 0x04)))]


def _status(fields: Fields, about: Circumstances) -> Payload:
    level = round(fields["level_pct"])
    failed, on = bool(fields["lamp_fault"]), level > 1
    light = min(LIGHT_MAX, round(4_000 * math.log10(max(fields["lux"] * 1_000, 1.0))))
    reason = MANUAL if about.commanded else NIGHT if on else DAY
    dali = (LAMP_FAILURE if failed else 0) | (LAMP_ON if on and not failed else 0)
    head = struct.pack("<BIBB", 0x01, about.at_us // SECOND_US, RELAY_CLOSED if on else 0, 0)
    heard = struct.pack("<Bbb", 84, 7, round(fields["temp_c"]))
    sensors = struct.pack("<BBBH", LAMP_ALERT if failed else 0, 3, LIGHT, light)
    return Payload(STATUS, head + heard + sensors + bytes((BROADCAST, reason, level, dali)))


def _usage(fields: Fields) -> Payload:
    energy_wh, power_w = round(fields["energy_kwh"] * 1_000), round(fields["power_w"])
    voltage_v = min(255, round(fields["voltage_v"]))
    return Payload(USAGE, struct.pack("<BBBIHBB", 0x00, INTERNAL, 0x33, energy_wh, power_w, 95, voltage_v))


def _report(fields: Fields, about: Circumstances) -> list[Payload]:
    return [_usage(fields), _status(fields, about)]


def _edge(fields: Fields, about: Circumstances) -> list[Payload]:
    return [_status(fields, about)]


def _obey(port: int, octets: bytes) -> Wish | None:
    if port == COMMAND and octets[:1] == b"\x09" and len(octets) == 4:
        return _dim(octets[2], octets[3] * MINUTES)
    if port == COMMAND and octets[:1] == b"\x01" and len(octets) == 3:
        return _dim(octets[2], None)
    if port == CONFIGURE and octets[:1] == b"\x07" and len(octets) == 5:
        return Wish(report_every_s=int.from_bytes(octets[1:], "little"), answer=Payload(CONFIGURE, octets))
    return Wish(answer=_refusal(port, UNSUPPORTED_HEADER))


def _dim(level: int, for_s: int | None) -> Wish:
    if level == RESUME:
        return Wish(resume=True)
    return Wish(setpoint_pct=level, for_s=for_s) if level <= 100 else Wish(answer=_refusal(COMMAND, VALUE_ERROR))


def _refusal(port: int, reason: int) -> Payload:
    return Payload(SYSTEM, bytes((0x13, port, reason)))


PRODUCT = Product("nas/ul20xx-1.1", True, _hello, _report, _edge, _obey)

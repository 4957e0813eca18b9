"""Milesight EM500-UDL ultrasonic distance sensor, class A.

Source: Milesight, "EM500 series user guide", uplink and downlink data. Port 85; parts of u8 channel, u8 type, value,
little-endian: 01 75 u8 battery in %, when it has joined and once a day; 03 82 u16 distance in mm, 0xFFFD out of range.
Basic information when it has joined: ff 0b ff power on, ff 01 protocol, ff 16 serial (8 bytes), ff 09 hardware, ff 0a
software, ff 0f class. Downlink ff 03 u16 report interval in s.
"""

import struct

from firmware_sim.behaviours import Fields
from firmware_sim.vendors.product import Circumstances, Payload, Product, Wish

PORT = 85
RANGE_M = (0.3, 10.0)
OUT_OF_RANGE = 0xFFFD


def _hello(fields: Fields, about: Circumstances) -> list[Payload]:
    serial = bytes.fromhex(about.eui)
    return [Payload(PORT, b"\xff\x0b\xff\xff\x01\x01\xff\x16" + serial + bytes.fromhex("ff090200ff0a0101ff0f00"))]


def _report(fields: Fields, about: Circumstances) -> list[Payload]:
    distance_m = fields["distance_m"]
    seen = round(distance_m * 1_000) if RANGE_M[0] <= distance_m <= RANGE_M[1] else OUT_OF_RANGE
    battery = bytes((0x01, 0x75, round(fields["battery_pct"]))) if about.daily else b""
    return [Payload(PORT, battery + struct.pack("<BBH", 0x03, 0x82, seen))]


def _obey(port: int, octets: bytes) -> Wish | None:
    if port == PORT and octets[:2] == b"\xff\x03" and len(octets) == 4:
        return Wish(report_every_s=int.from_bytes(octets[2:], "little"))
    return None


PRODUCT = Product("milesight/em500-udl", False, _hello, _report, _report, _obey)

"""Bosch TPS110 parking lot sensor, class A.

Source: Bosch Connected Devices and Solutions, "Parking Lot Sensor, Communication Interface, Technical Description"
(0.29 and later). Port 1, parking status: u8, bit 0 occupied; sent when it changes. Port 2, heartbeat: the same, and i8
temperature in °C. Port 3, start-up: 12 bytes for the maker, 3 × u8 firmware, u8 cause of the reset (2 power on), u8 as
on port 1.
"""

import struct

from firmware_sim.behaviours import Fields
from firmware_sim.vendors.product import Circumstances, Payload, Product, Wish

STATUS, HEARTBEAT, STARTUP = 1, 2, 3


def _hello(fields: Fields, about: Circumstances) -> list[Payload]:
    return [Payload(STARTUP, bytes(12) + struct.pack("<4B?", 0, 39, 2, 2, fields["occupied"]))]


def _report(fields: Fields, about: Circumstances) -> list[Payload]:
    return [Payload(HEARTBEAT, struct.pack("<?b", fields["occupied"], round(fields["temp_c"])))]


def _edge(fields: Fields, about: Circumstances) -> list[Payload]:
    return [Payload(STATUS, struct.pack("<?", fields["occupied"]))]


def _obey(port: int, octets: bytes) -> Wish | None:
    return None


PRODUCT = Product("bosch/tps110", False, _hello, _report, _edge, _obey)

"""Decentlab DL-PR26 pressure and level sensor, 0 to 1 bar, class A.

Source: Decentlab, "DL-PR26 datasheet" and "LoRaWAN payload and commands". Port 1, big-endian: u8 version 2; u16 device;
u16 flags. Flag 0: u16 pressure, bar = (x − 16384) / 32768; u16 temperature, °C = (x − 384) · 0.003125 − 50. Flag 1: u16
battery in mV. A column of water of 1 m is 0.0980665 bar. Downlinks: u16 command, u16 parameter, u16 CRC (polynomial
0xA001, begun with 0xFFFF): 0x0001 sets the period in s, 0x0002 sets and saves it; one with a wrong CRC is ignored.
"""

import struct

from firmware_sim.behaviours import Fields
from firmware_sim.vendors.product import Circumstances, Payload, Product, Wish

PORT = 1
BAR_A_METRE = 0.0980665
BATTERY_MV = (2_000, 3_300)
"""Two alkaline cells, empty and full."""
SET_PERIOD = (1, 2)


def _hello(fields: Fields, about: Circumstances) -> list[Payload]:
    return []


def _report(fields: Fields, about: Circumstances) -> list[Payload]:
    pressure = min(0xFFFF, round(fields["level_m"] * BAR_A_METRE * 32_768) + 16_384)
    temperature = round((fields["temp_c"] + 50) / 0.003125) + 384
    empty_mv, full_mv = BATTERY_MV
    battery_mv = empty_mv + round((full_mv - empty_mv) * fields["battery_pct"] / 100)
    head = struct.pack(">BHH", 2, int(about.eui[-4:], 16), 0b11)
    return [Payload(PORT, head + struct.pack(">HHH", pressure, temperature, battery_mv))]


def _obey(port: int, octets: bytes) -> Wish | None:
    if len(octets) != 6 or crc(octets[:4]) != int.from_bytes(octets[4:], "big"):
        return None
    command, parameter = struct.unpack(">HH", octets[:4])
    return Wish(report_every_s=parameter) if command in SET_PERIOD else None


def crc(octets: bytes) -> int:
    """The check sum of a downlink."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


PRODUCT = Product("decentlab/dl-pr26", False, _hello, _report, _report, _obey)

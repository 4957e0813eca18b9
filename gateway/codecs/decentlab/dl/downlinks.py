"""Downlink commands of all Decentlab DL devices.

Source: Decentlab GmbH, published table of downlink commands of the DL family. A downlink has 6 bytes on port 1:

    bytes 0, 1    command
    bytes 2, 3    parameter, 0 where the command has none
    bytes 4, 5    CRC-16 of the bytes before (polynomial 0x8005 reflected, start 0xFFFF: the one of Modbus)

All with the most significant byte first. A change is lost with the next reset unless its "+ save" variant is sent.
"""

from collections.abc import Mapping
from typing import Any

from gateway.codecs.codec import Downlink, Undecodable, Unencodable, Value
from gateway.codecs.wire import exactly

PORT = 1
NAMES = ("report_every_s", "command")
WORD_MAX = 0xFFFF


def _saved(*ranges: tuple[int, str, int, int]) -> dict[str, tuple[int, int, int]]:
    """Commands that come in pairs: the next higher code saves too."""
    pairs = [(code + save, name + " + save" * save, low, high) for code, name, low, high in ranges for save in (0, 1)]
    return {name: (code, low, high) for code, name, low, high in pairs}


COMMANDS: dict[str, tuple[int, int, int]] = {
    **_saved(
        (0x0001, "set period", 1, WORD_MAX),
        (0x0003, "set dr", 0, 15),
        (0x0009, "set dr_min", 0, 15),
        (0x000B, "set dr_max", 0, 15),
        (0x000D, "set pwridx_min", 0, 15),
        (0x000F, "set pwridx_max", 0, 15),
        (0x0011, "set send_period", 0, WORD_MAX),
        (0x0013, "set join_period", 0, 1_000),
        (0x0015, "set pwridx", 0, 15),
        (0x0017, "set linkcheck_period", 0, WORD_MAX),
        (0x0019, "set linkcheck_tolerance", 0, WORD_MAX),
        (0x001B, "set linkcheck_limit", 0, WORD_MAX),
        (0x001D, "set port", 1, 223),
    ),
    **{f"set param {n}": (0x0020 + n, 0, WORD_MAX) for n in range(16)},
    **{f"set param {n} + save": (0x0030 + n, 0, WORD_MAX) for n in range(16)},
    **{f"set sensor_period {n}": (0x0050 + n, 0, WORD_MAX) for n in range(10)},
    **{f"set sensor_period {n} + save": (0x0060 + n, 0, WORD_MAX) for n in range(10)},
}
"""Command by name: its code, the least and the greatest parameter."""
PLAIN = {
    "set adr on": 0x0005,
    "set adr on + save": 0x0006,
    "set adr off": 0x0007,
    "set adr off + save": 0x0008,
    "reset": 0xFEFE,
    "factory reset": 0xFEF0,
    "sleep": 0xFEF1,
}
"""Commands without a parameter."""
NAME_OF = {code: name for name, (code, _, _) in COMMANDS.items()} | {code: name for name, code in PLAIN.items()}


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """`{"command": name, "parameter": number}` as the maker has it, or `{"report_every_s": 1 to 65535}`, saved."""
    match dict(wanted):
        case {"report_every_s": period, **rest} if not rest:
            return _downlink("set period + save", period)
        case {"command": str(name), **rest} if rest.keys() <= {"parameter"}:
            return _downlink(name, rest.get("parameter"))
    raise Unencodable("a downlink is report_every_s (seconds), or a command by name with its parameter")


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink commands."""
    exactly(data, 6)
    if port not in (None, PORT):
        raise Undecodable(f"port {port}, where downlinks have {PORT}")
    if _crc(data[:4]) != data[4:]:
        raise Undecodable(f"the checksum is {data[4:].hex()}, where {_crc(data[:4]).hex()} is expected")
    name = NAME_OF.get(int.from_bytes(data[:2]))
    if name is None:
        raise Undecodable(f"command {data[:2].hex()} is none that is documented")
    return {"command": name} if name in PLAIN else {"command": name, "parameter": int.from_bytes(data[2:4])}


def _downlink(name: str, parameter: Any) -> Downlink:
    if name in PLAIN:
        if parameter not in (None, 0) or parameter is False:
            raise Unencodable(f"{name!r} takes no parameter")
        code, parameter = PLAIN[name], 0
    elif name in COMMANDS:
        code, low, high = COMMANDS[name]
        if type(parameter) is not int or not low <= parameter <= high:
            raise Unencodable(f"{name!r} takes a whole number from {low} to {high}")
    else:
        raise Unencodable(f"{name[:40]!r} is no command of these devices")
    head = code.to_bytes(2) + parameter.to_bytes(2)
    return Downlink(PORT, head + _crc(head))


def _crc(data: bytes) -> bytes:
    crc = 0xFFFF
    for each in data:
        crc ^= each
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2)

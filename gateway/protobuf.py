"""Protocol Buffers as bytes, as far as messages of network servers need it: fields by their number, one level deep."""

import struct
from collections.abc import Iterator

from gateway.events import Misspoken

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Number and value of each field: a number as `int`, a fixed one as `float`, all else as bytes.

    Raises:
        Misspoken: the bytes are no message.
    """
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield number, value
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
            raw, at = _take(data, at, size)
            yield number, struct.unpack("<f" if size == 4 else "<d", raw)[0]
        elif wire == BYTES:
            size, at = _read_varint(data, at)
            raw, at = _take(data, at, size)
            yield number, raw
        else:
            raise Misspoken(f"byte {at} begins no field of a message")


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise Misspoken("the message ends within a field")
    return data[at : at + size], at + size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise Misspoken("the message ends within a number, or has one of more than 64 bits")


def varint(value: int) -> bytes:
    """A number as it travels."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

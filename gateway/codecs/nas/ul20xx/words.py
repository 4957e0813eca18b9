"""Values of UL20xx packets that are more than numbers: addresses, levels, times, fades, light, reasons, DALI status.

address   0x01 the 0-10 V output; 0xFE all DALI drivers; 0xFF as the packet says; otherwise even: 2n the driver n
          (0 to 63), 0x80 + 2n the group n (0 to 15)
level     0 to 100 %; 0xFF as the packet says
epoch     seconds since 1970, 4 bytes; below 2015 the clock was never set
step time tens of minutes since midnight
days      bit 0 holidays, bits 1 to 7 Monday to Sunday
zenith    steps of 1/6 degree from 90 degrees
light     float32 in lux (written downwards, as the maker does), or 1/4000 decade a step above 0.001 lx (15 bits)
DALI      status byte of IEC 62386-102, 0xFF: not known
"""

import math
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.codecs.codec import Undecodable, Unencodable, Value
from gateway.codecs.nas.ul20xx.layout import Number, Packet, number
from gateway.codecs.wire import Cursor

ANALOG, BROADCAST, EVERY = 0x01, 0xFE, 0xFF
INVALID = "invalid"
SET_EPOCH_S = 1_420_070_400
"""2015-01-01: a clock below was never set since the start."""
UNSET = "invalid_timestamp"
FADES_S = (0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0, 5.66, 8.0, 11.31, 16.0, 22.63, 32.0, 45.25, 64.0, 90.51)
DAYS = ("holiday", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
DALI_STATUS = (
    "driver_error",
    "lamp_failure",
    "lamp_on",
    "limit_error",
    "fade_running",
    "reset_state",
    "missing_short_address",
    "power_failure",
)
REASONS_10 = {
    245: "relay_off",
    246: "driver_not_found",
    247: "calendar_active",
    248: "init_active",
    249: "profile_not_active",
    250: "ldr_input_active",
    252: "dig_input_active",
    253: "manual_active",
    254: "value_differ",
    255: "unknown",
}
"""Firmware 1.0: why the level is another than the profile's; smaller numbers are the profile's version."""
REASONS_11 = {
    **{step: f"profile_{step}" for step in range(8)},
    0x21: "calendar_day",
    0x22: "calendar_night",
    **{0x30 + step: f"calendar_dawn_step_{step}" for step in range(16)},
    **{0x50 + step: f"calendar_dusk_step_{step}" for step in range(16)},
    0x70: "dig_inactive",
    0x71: "dig_active",
    **{0x80 + step: f"light_monitor_step_{step}" for step in range(8)},
    245: "relay_off",
    246: "driver_not_found",
    248: "fallback_active",
    250: "ldr_input_active",
    252: "dig_input_active",
    253: "manual_active",
    255: "unknown",
}
"""Firmware 1.1: what decides on the level."""
LUX_UNKNOWN = 0xFFFF
_DRIVER = re.compile(r"dali_(single|group)_(\d{1,2})", re.IGNORECASE)


def level(word: str) -> Number:
    """A dimming level in percent, where 0xFF has the meaning `word`."""
    return Number(words={EVERY: word}, low=0, high=100)


@dataclass(frozen=True, slots=True)
class Address:
    """An output or driver; `every` is what 0xFF means here, `None`: nothing."""

    every: str | None = None

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        byte = cursor.unsigned()
        if byte == EVERY and self.every:
            return self.every
        if byte == ANALOG:
            return "analog_0_10v"
        if byte == BROADCAST:
            return "dali_broadcast"
        if byte & 1:
            return INVALID
        return f"dali_group_{byte >> 1 & 0xF}" if byte & 0x80 else f"dali_single_{byte >> 1}"

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        words = {"analog_0_10v": ANALOG, "dali_broadcast": BROADCAST}
        if self.every:
            words[self.every] = EVERY
        if isinstance(value, str):
            if value in words:
                return bytes([words[value]])
            driver = _DRIVER.fullmatch(value)
            if driver:
                group, place = driver[1].lower() == "group", int(driver[2])
                if place < (16 if group else 64):
                    return bytes([place * 2 + (0x80 if group else 0)])
        raise Unencodable(f"{value!r:.40} is none of {', '.join(words)}, dali_single_0 to 63, dali_group_0 to 15")


@dataclass(frozen=True, slots=True)
class Epoch:
    """A moment as RFC 3339 text; `zero` is the word for 0, where it has a meaning."""

    zero: str | None = None

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        seconds = cursor.unsigned(4, little=True)
        if seconds == 0 and self.zero:
            return self.zero
        if seconds < SET_EPOCH_S:
            return UNSET
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        if self.zero and value == self.zero:
            return bytes(4)
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
            if moment is not None and moment.tzinfo is not None:
                return int(moment.timestamp()).to_bytes(4, "little")
        except (ValueError, OverflowError):
            pass
        raise Unencodable(f"{value!r:.40} is no time with its offset from 1970 to 2106")


class StepTime:
    """Minutes of the day in steps of ten, as HH:MM."""

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        hours, minutes = divmod(cursor.unsigned() * 10, 60)
        return f"{hours:02}:{minutes:02}"

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        found = re.fullmatch(r"(\d\d?):(\d0)", value) if isinstance(value, str) else None
        tens = int(found[1]) * 6 + int(found[2]) // 10 if found else 145
        if not found or int(found[2]) > 50 or tens > 144:
            raise Unencodable(f"{value!r:.40} is no time HH:MM of whole ten minutes")
        return bytes([tens])


class Days:
    """On which days something holds, as a list."""

    def read(self, cursor: Cursor) -> list[Value]:
        """The value that stands here."""
        byte = cursor.unsigned()
        return [day for bit, day in enumerate(DAYS) if byte >> bit & 1]

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        if not isinstance(value, list) or not all(day in DAYS for day in value):
            raise Unencodable(f"{value!r:.40} is no list of {', '.join(DAYS)}")
        return bytes([sum(1 << bit for bit, day in enumerate(DAYS) if day in value)])


class Fade:
    """How long a change of the level takes; written to the nearest that there is."""

    def read(self, cursor: Cursor) -> Value:
        """The value that stands here."""
        code = cursor.unsigned()
        if code == EVERY:
            return "ignore"
        if code >= len(FADES_S):
            raise Undecodable(f"fade {code} is none of 0 to {len(FADES_S) - 1}")
        return FADES_S[code]

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        if value == "ignore":
            return bytes([EVERY])
        seconds = number(value)
        if not 0.45 <= seconds <= 90.53:
            raise Unencodable(f"{value} is not within 0.5 to 90.51 s")
        return bytes([min(range(len(FADES_S)), key=lambda code: abs(math.log(FADES_S[code] / seconds)))])


class Zenith:
    """The angle of the sun from the vertical, in degrees, as text."""

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        return f"{cursor.signed() / 6 + 90:.2f}"

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        steps = round((number(value) - 90) * 6)
        if not -128 <= steps <= 127:
            raise Unencodable(f"{value} is not within 68.67 to 111.17 degrees")
        return steps.to_bytes(1, "little", signed=True)


def in_lux(light: float) -> str:
    """Four digits that count, at most three after the point."""
    return f"{light:.{3 - int(min(max(math.log10(light), 0), 3)) if light > 0 else 3}f}"


def real(cursor: Cursor) -> float:
    """A float32; raises `Undecodable` where it is no finite number."""
    value: float = struct.unpack("<f", cursor.take(4))[0]
    if not math.isfinite(value):
        raise Undecodable("a float32 is no finite number")
    return value


class Light:
    """A threshold in lux, as text; written towards 0 as the maker's encoder does, at most one bit below."""

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        return in_lux(real(cursor))

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        light = number(value)
        if not 0 <= light <= 200_000:
            raise Unencodable(f"{value} is not within 0 to 200000 lx")
        raw = int(struct.unpack("<I", struct.pack("<f", light))[0])
        if struct.unpack("<f", struct.pack("<I", raw))[0] > light:
            raw -= 1
        return raw.to_bytes(4, "little")


def measured_light(cursor: Cursor) -> str:
    """Lux in steps of 1/4000 decade, as text."""
    raw = cursor.unsigned(2, little=True)
    return "unavailable" if raw == LUX_UNKNOWN else in_lux(10 ** ((raw & 0x7FFF) / 4_000) / 1_000)


class MonthDay:
    """A day of every year, as MM/DD."""

    def read(self, cursor: Cursor) -> str:
        """The value that stands here."""
        return f"{cursor.unsigned():02}/{cursor.unsigned():02}"

    def write(self, value: Any) -> bytes:
        """The bytes of a value."""
        found = re.fullmatch(r"(\d\d?)/(\d\d?)", value) if isinstance(value, str) else None
        if not found or not 1 <= int(found[1]) <= 12 or not 1 <= int(found[2]) <= 31:
            raise Unencodable(f"{value!r:.40} is no MM/DD")
        return bytes([int(found[1]), int(found[2])])


def dali_status(byte: int) -> dict[str, Value] | None:
    """The flags of a driver's status, or `None` where they are not known."""
    return None if byte == EVERY else {name: bool(byte >> bit & 1) for bit, name in enumerate(DALI_STATUS)}


def driver_status(cursor: Cursor) -> Packet:
    """A driver with its status."""
    return {"address": Address().read(cursor), "status": dali_status(cursor.unsigned())}

"""Times of day as people write them, on the wall clock or by the sun, and durations."""

import re
from dataclasses import dataclass

DAY_MINUTES = 24 * 60
MIDNIGHT, DUSK, DAWN = "midnight", "dusk", "dawn"

_WALL = re.compile(r"(\d\d):(\d\d)")
_LONG = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SUN = re.compile(r"(dusk|dawn)(?:([+-])(\d\d):(\d\d))?")


_PARTS_S = (86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Daytime:
    """So many minutes after midnight of the wall clock, or after (negative: before) the town's dusk or dawn."""

    after: str
    minutes: int

    @property
    def by_sun(self) -> bool:
        """Whether it moves with the seasons."""
        return self.after != MIDNIGHT


def read_daytime(text: str) -> Daytime:
    """`HH:MM` with `24:00` for the end of the day, `dusk`, `dawn`, `dusk+00:30`, `dawn-01:00`.

    Raises:
        ValueError: it is none of them.
    """
    if found := _WALL.fullmatch(text):
        hours, minutes = int(found[1]), int(found[2])
        if minutes < 60 and hours * 60 + minutes <= DAY_MINUTES:
            return Daytime(MIDNIGHT, hours * 60 + minutes)
    elif (found := _SUN.fullmatch(text)) and int(found[4] or 0) < 60 and int(found[3] or 0) < 12:
        minutes = int(found[3] or 0) * 60 + int(found[4] or 0)
        return Daytime(found[1], -minutes if found[2] == "-" else minutes)
    raise ValueError(f"{text!r} is no time of day as 22:00, dusk or dawn-00:30")


def read_duration_s(text: str) -> int:
    """`90s`, `5m`, `6h30m`, `2d` in seconds.

    Raises:
        ValueError: it is none of them.
    """
    found = _LONG.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is no duration as 90s, 5m, 6h30m or 2d")
    return sum(part_s * int(number or 0) for part_s, number in zip(_PARTS_S, found.groups(), strict=True))

"""How large the database will become: from what a day adds now, and how long it is kept.

Each kind's rows and hours grow until the first of them are as old as they are kept, and stay at that size; daily
rollups grow for ever. What a day adds is what the last whole day added, in bytes as rows lie now, compressed or not.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from storage import errors, lifecycle, queries
from storage.pool import Connection
from telemetry.clock import DAY_US, HOUR_US, to_datetime
from telemetry.kinds import KINDS

SQL = queries.load("forecast")
ROWS_MIN = 1_000
"""Fewer rows say too little of what a row weighs."""
YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Part:
    """Something that grows: its bytes now, what a day adds, and how many days it keeps; `None` keeps for ever."""

    size_bytes: float
    day_bytes: float
    days: int | None

    def after(self, days: float) -> float:
        """Bytes after so many days at the present pace; what has become less than before is never given back."""
        grown = self.size_bytes + self.day_bytes * days
        return grown if self.days is None else max(self.size_bytes, min(grown, self.day_bytes * self.days))

    @property
    def settles_in_days(self) -> float:
        """When it has its final size; 0 if it has."""
        if self.days is None or not self.day_bytes:
            return 0.0
        return max(0.0, self.days - self.size_bytes / self.day_bytes)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The size now, what a day adds now, and the size once all is as old as it is kept.

    Daily rollups count in `settled_bytes` as they are now, because they go on growing by `year_bytes` a year.
    """

    size_bytes: float
    day_bytes: float
    settled_bytes: float
    year_bytes: float
    parts: Sequence[Part]

    def full_in_days(self, free_bytes: float) -> float | None:
        """When so many free bytes will be used up; `None` if not within a hundred years."""
        return full_in_days(self.parts, free_bytes)


def foresee(parts: Sequence[Part], other_bytes: float = 0.0) -> Forecast:
    """What becomes of parts; `other_bytes` stay as they are."""
    settled = max((part.settles_in_days for part in parts), default=0.0)
    kept = [part for part in parts if part.days is not None]
    ever = [part for part in parts if part.days is None]
    return Forecast(
        size_bytes=other_bytes + sum(part.size_bytes for part in parts),
        day_bytes=sum(part.after(1) - part.size_bytes for part in parts),
        settled_bytes=other_bytes + sum(part.after(settled) for part in kept) + sum(part.size_bytes for part in ever),
        year_bytes=sum(part.day_bytes for part in ever) * YEAR_DAYS,
        parts=parts,
    )


def full_in_days(parts: Sequence[Part], free_bytes: float) -> float | None:
    """When parts will have grown by so many bytes: between the days when one of them settles, growth is steady."""
    corners = sorted({0.0, *(part.settles_in_days for part in parts), 100.0 * YEAR_DAYS})
    size = sum(part.size_bytes for part in parts)
    for begin, end in pairwise(corners):
        grown, then = (sum(part.after(day) for part in parts) - size for day in (begin, end))
        if then >= free_bytes:
            return begin if then == grown else begin + (free_bytes - grown) / (then - grown) * (end - begin)
    return None


async def measure(conn: Connection, ages: lifecycle.Ages, now_us: int) -> Forecast | None:
    """The forecast for a database; `None` while it holds too little to foresee anything.

    Raises `errors.StorageError`.
    """
    until = to_datetime(now_us // HOUR_US * HOUR_US)
    parts: list[Part] = []
    with errors.translated():
        house = await lifecycle.keeper(conn)
        for kind in KINDS.values():
            chosen = {"kind": kind.name, "since": until - dt.timedelta(microseconds=DAY_US), "until": until}
            row = await (await conn.execute(SQL["pace"].format(kind=kind.name), chosen)).fetchone()
            assert row is not None, "an aggregate gives one row"
            paces = dict(zip(("", "_hourly", "_daily"), row, strict=True))
            keeps = {"": ages.raw(kind.name), "_hourly": ages.hourly(kind.name), "_daily": None}
            for suffix, pace in paces.items():
                size, rows = await house.weight(conn, f"{kind.name}{suffix}")
                if rows >= ROWS_MIN:
                    parts.append(Part(size, pace * size / rows, keeps[suffix]))
        total = await (await conn.execute(SQL["size"])).fetchone()
    assert total is not None, "a function gives one row"
    return foresee(parts, total[0] - _sum(parts)) if any(part.day_bytes for part in parts) else None


def _sum(parts: Iterable[Part]) -> float:
    return sum(part.size_bytes for part in parts)

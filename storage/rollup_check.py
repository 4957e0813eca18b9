"""The nightly proof that hours, days and zones equal their rows: compared with what the rows say, told by another way.

The rows of a local day are summed up straight, without the hours between, and counters along all readings of the day.
Days that were summed up since the night before are compared, all of them as far as the time goes, and a sample of
what is older. What differs is forgotten and marked dirty, so that maintenance makes it anew.
"""

import datetime as dt
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from psycopg.rows import class_row

from storage import queries, rollups
from storage.keeper import Keeper
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kind import Kind
from telemetry.kinds import KINDS

SQL = queries.load("rollup_check")
BUDGET_S = 60.0
"""Real seconds that a night's check may take."""
SAMPLES, SAMPLE_ASSETS = 10, 20
"""Of each kind, so many slices of so many assets are compared on a day chosen at random."""
BUCKETS = {"hourly": "date_trunc('hour', observed_at, 'UTC')", "daily": "%(day)s::timestamptz"}
"""The bucket of a row within a local day."""
SLICE_ASSETS = 200
"""Assets compared in one statement."""

_log = structlog.get_logger(__name__)


class Slice(NamedTuple):
    """Some assets of a kind on one local day, from `day` until `day_end`."""

    kind: Kind
    day: dt.datetime
    day_end: dt.datetime
    assets: list[int]


class Difference(NamedTuple):
    """An hour or a day of an asset whose rollup is not what its rows say; without an asset, a day of the zones."""

    relation: str
    asset_id: int | None
    bucket: dt.datetime


@dataclass(slots=True)
class Check:
    """What a check has found. `asset_days_left` were touched but not compared for want of time."""

    checked_at: dt.datetime
    asset_days: int = 0
    asset_days_left: int = 0
    differing: int = 0
    example: str | None = None


async def due(conn: Connection, now_us: int) -> bool:
    """Whether this night, from three o'clock local time, has had no check yet."""
    row = await (await conn.execute(SQL["due"], {"at": to_datetime(now_us)})).fetchone()
    return bool(row and row[0])


async def last(conn: Connection, at: dt.datetime) -> Check | None:
    """The newest check up to a moment of the city; `None` before the first."""
    async with conn.cursor(row_factory=class_row(Check)) as cursor:
        await cursor.execute(SQL["last"], {"at": at})
        return await cursor.fetchone()


async def run(conn: Connection, house: Keeper, now_us: int, budget_s: float = BUDGET_S) -> Check:
    """Compare, mark what differs as dirty, and keep and log the result; not within a transaction."""
    began = time.monotonic()
    check = Check(to_datetime(now_us))
    chance = random.Random(now_us)
    sample, touched = await _sample(conn, now_us, chance), await _touched(conn, now_us)
    chance.shuffle(touched)
    seen, still_open = set(), set()
    wrong: list[tuple[Slice, list[Difference]]] = []
    for place, each in enumerate([*sample, *touched]):
        if place >= len(sample) and time.monotonic() - began > budget_s:
            check.asset_days_left = sum(len(left.assets) for left in touched[place - len(sample) :])
            break
        with_zones = (each.kind.name, each.day) not in seen
        differences = await _compare(conn, each, with_zones)
        if differences is None:
            still_open.add((each.kind.name, each.day))
            continue
        seen.add((each.kind.name, each.day))
        check.asset_days += len(each.assets)
        if differences:
            check.example = check.example or await _words(conn, differences[0])
            check.differing += len({found.asset_id for found in differences})
            wrong.append((each, differences))
    for each, differences in wrong:  # only now, because what is dirty is not compared
        await _mend(conn, house, each, differences)
    for name, day in {(each.kind.name, each.day) for each in touched} - still_open:
        await conn.execute(SQL["compared"], {"kind": name, "day": day})
    await _book(conn, check, time.monotonic() - began)
    return check


async def _touched(conn: Connection, now_us: int) -> list[Slice]:
    """All assets on the days that were summed up since they were last compared."""
    await conn.execute(SQL["forget_days_without_rows"])
    rows = await (await conn.execute(SQL["touched"], {"at": to_datetime(now_us)})).fetchall()
    assets = {name: await _assets(conn, name) for name in {row[0] for row in rows} & KINDS.keys()}
    return [
        Slice(KINDS[name], day, day_end, part)
        for name, day, day_end in rows
        if name in assets
        for part in _parts(assets[name])
    ]


async def _sample(conn: Connection, now_us: int, chance: random.Random) -> list[Slice]:
    """A few assets of each kind on days chosen at random."""
    slices = []
    for kind in KINDS.values():
        assets = await _assets(conn, kind.name)
        for _ in range(SAMPLES if assets else 0):
            chosen = {"kind": kind.name, "at": to_datetime(now_us), "place": chance.random()}
            row = await (await conn.execute(SQL["any_day"].format(kind=kind.name), chosen)).fetchone()
            if row is not None:
                slices.append(Slice(kind, row[0], row[1], chance.sample(assets, min(SAMPLE_ASSETS, len(assets)))))
    return slices


async def _assets(conn: Connection, kind: str) -> list[int]:
    return [row[0] for row in await (await conn.execute(SQL["assets"], {"kind": kind})).fetchall()]


def _parts(assets: Sequence[int]) -> Iterator[list[int]]:
    for place in range(0, len(assets), SLICE_ASSETS):
        yield list(assets[place : place + SLICE_ASSETS])


async def _compare(conn: Connection, each: Slice, with_zones: bool) -> list[Difference] | None:
    """What differs, all of it seen at one moment; `None` while something of the day is still to be summed up."""
    kind, found = each.kind, []
    chosen = {"kind": kind.name, "day": each.day, "day_end": each.day_end, "assets": each.assets}
    async with conn.transaction():
        await conn.execute(SQL["one_moment"])
        row = await (await conn.execute(SQL["comparable"], chosen)).fetchone()
        if not (row and row[0]):
            return None
        for relation, bucket in BUCKETS.items():
            rows = await conn.execute(_differing(kind, f"{kind.name}_{relation}", bucket), chosen)
            found += [Difference(f"{kind.name}_{relation}", *row) for row in await rows.fetchall()]
        if with_zones:
            row = await (await conn.execute(_zones_differ(kind), chosen)).fetchone()
            found += [Difference("zone_daily", None, each.day)] if row and row[0] else []
    return found


def _zones_differ(kind: Kind) -> str:
    """The statement that tells whether a day of the zones differs."""
    sums = ", ".join(f"{column.of_rollups} AS {column.name}" for column in rollups.columns(kind))
    different = " OR ".join(_unequal(column, "said") for column in rollups.columns(kind))
    return SQL["zones_differ"].format(kind=kind.name, sums=sums, different=different)


def _differing(kind: Kind, relation: str, bucket: str) -> str:
    """The statement that finds the hours or days that differ."""
    columns = rollups.columns(kind)
    increases = [SQL["increase"].format(kind=kind.name, field=field, bucket=bucket) for field in rollups.counters(kind)]
    unequal = [_unequal(column, "said") for column in columns if column.of_rows]
    unequal += [
        f"(NOT coalesce({field}_unknown, false) AND {_unequal(column, f'{field}_said')})"
        for field in rollups.counters(kind)
        for column in columns
        if column.name == f"{field}_delta"
    ]
    return SQL["differing"].format(
        kind=kind.name,
        relation=relation,
        bucket=bucket,
        sums=", ".join(f"{column.of_rows} AS {column.name}" for column in columns if column.of_rows),
        increases="\n".join(increases),
        different=" OR ".join(unequal),
    )


def _unequal(column: rollups.Column, other: str) -> str:
    """That a column differs; reals that were added up in another order agree to nine digits."""
    kept, said = f"kept.{column.name}", f"{other}.{column.name}"
    if column.type != "double precision":
        return f"{kept} IS DISTINCT FROM {said}"
    close = f"abs({kept} - {said}) <= 1e-9 * greatest(abs({kept}), abs({said}), 1)"
    return f"({kept} IS DISTINCT FROM {said} AND ({close}) IS NOT TRUE)"


async def _mend(conn: Connection, house: Keeper, each: Slice, differences: Iterable[Difference]) -> None:
    """Forget what differs and mark it dirty; maintenance sums it up again."""
    name = each.kind.name
    hours = sorted({found.bucket for found in differences if found.relation == f"{name}_hourly"})
    assets = sorted({found.asset_id for found in differences if found.asset_id is not None})
    async with conn.transaction():
        await conn.execute(SQL["mark_dirty"], {"kind": name, "hours": hours or [each.day]})
        await conn.execute(SQL["forget_days"].format(kind=name), {"day": each.day, "assets": assets})
    if hours:
        await house.forget_hours(conn, each.kind, assets, hours)


async def _words(conn: Connection, found: Difference) -> str:
    """`streetlight_hourly of lamp-17 at 2026-11-22T05:00:00+00:00`."""
    row = await (await conn.execute(SQL["asset_name"], {"asset_id": found.asset_id})).fetchone()
    return f"{found.relation} of {row[0] if row else 'all zones'} at {found.bucket.isoformat()}"


async def _book(conn: Connection, check: Check, took_s: float) -> None:
    result = {"at": check.checked_at, "asset_days": check.asset_days, "asset_days_left": check.asset_days_left}
    further = {"differing": check.differing, "example": check.example, "took_s": took_s}
    await conn.execute(SQL["book"], result | further)
    figures = {"asset_days": check.asset_days, "not_compared": check.asset_days_left, "took_s": round(took_s, 1)}
    if check.differing:
        words = "rollups differed from their rows and are made anew"
        _log.error(words, differing=check.differing, example=check.example, **figures)
    else:
        _log.info("rollups equal their rows", **figures)

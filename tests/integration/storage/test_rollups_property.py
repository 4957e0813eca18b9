"""However readings arrive, rollups are what a plain recomputation of the readings gives, in both modes."""

import datetime as dt
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from storage.registry import import_csv
from telemetry.clock import to_us
from tests.integration.storage.rows import Row, at, register, store, table

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = dt.timedelta(hours=1)
SEASONS = [at("2026-03-28 03:00"), at("2026-10-24 03:00")]
"""Two days and a half from here hold a local day of 23 and of 25 hours."""
ZONES = ["north", "south", "north"]

Figures = dict[str, float | None]


def readings(chance: random.Random, assets: list[int], begin: dt.datetime, swaps: dict[int, dt.datetime]) -> list[Row]:
    """Sixty hours of lamps with gaps; now and then a meter begins anew, and so does that of another device."""
    rows: list[Row] = []
    for asset in assets:
        moment, meter = begin, chance.uniform(0, 1000)
        while moment < begin + 60 * HOUR:
            swapped = asset in swaps and moment >= swaps[asset] > moment - HOUR
            meter = chance.uniform(0, 9000) if swapped else 0.0 if chance.random() < 0.03 else meter + chance.random()
            row = {
                "level_pct": chance.uniform(0, 100),
                "energy_kwh": None if chance.random() < 0.2 else meter,
                "motion": chance.choice([None, 0, 3, 12]),
                "temp_c": chance.choice([None, -3.5, 20.25]),
                "lamp_fault": chance.choice([None, False, True]),
            }
            rows.append((asset, moment, row))
            moment += dt.timedelta(seconds=chance.choice([300, 900, 3000, 9000]))
    return rows


def hour_of(moment: dt.datetime) -> dt.datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def day_of(moment: dt.datetime) -> dt.datetime:
    local = moment.astimezone(BERLIN)
    return dt.datetime(local.year, local.month, local.day, tzinfo=BERLIN).astimezone(dt.UTC)


def figures(fields: list[Any], increases: list[float]) -> Figures:
    """What a rollup says of some readings."""
    kept = {name: [f[name] for f in fields if f[name] is not None] for name in fields[0]}
    temperatures = np.array(kept["temp_c"])
    return {
        "count": len(fields),
        "temp_c_n": len(temperatures),
        "temp_c_avg": temperatures.mean() if len(temperatures) else None,
        "temp_c_min": temperatures.min() if len(temperatures) else None,
        "temp_c_max": temperatures.max() if len(temperatures) else None,
        "level_pct_avg": float(np.mean(kept["level_pct"])),
        "motion_sum": sum(kept["motion"]) if kept["motion"] else None,
        "lamp_fault_true_count": sum(kept["lamp_fault"]),
        "lamp_fault_n": len(kept["lamp_fault"]),
        "energy_kwh_n": len(kept["energy_kwh"]),
        "energy_kwh_delta": math.fsum(increases) if increases else None,
    }


def increases_of(rows: Iterable[Row], swaps: dict[int, dt.datetime]) -> dict[tuple[int, dt.datetime], float]:
    """By asset and moment: what a meter counted since its reading before, unless it began anew or is another."""
    by_asset: dict[int, list[tuple[dt.datetime, float]]] = defaultdict(list)
    for asset, moment, fields in sorted(rows, key=lambda row: row[:2]):
        if fields["energy_kwh"] is not None:
            by_asset[asset].append((moment, float(fields["energy_kwh"])))
    return {
        (asset, moment): value - before
        for asset, points in by_asset.items()
        for (before_at, before), (moment, value) in pairwise(points)
        if value >= before and not (asset in swaps and before_at < swaps[asset] <= moment)
    }


def plain(
    rows: list[Row],
    swaps: dict[int, dt.datetime],
    bucket_of: Callable[[dt.datetime], dt.datetime],
    zones: Mapping[int, str] | None = None,
) -> dict[Any, Figures]:
    """The rollup of each asset, or of each zone where they are given, by bucket."""
    counted = increases_of(rows, swaps)
    groups: dict[Any, tuple[list[Any], list[float]]] = defaultdict(lambda: ([], []))
    for asset, moment, fields in rows:
        group = groups[zones[asset] if zones else asset, bucket_of(moment)]
        group[0].append(fields)
        group[1].extend(counted[asset, moment] for _ in [0] if (asset, moment) in counted)
    return {each: figures(*group) for each, group in groups.items()}


async def agree(conn: Connection, relation: str, keys: str, wanted: dict[Any, Figures]) -> None:
    names = list(next(iter(wanted.values())))
    rows = await table(conn, f"SELECT {keys}, {', '.join(names)} FROM {relation}")
    kept = {row[:2]: dict(zip(names, row[2:], strict=True)) for row in rows if row[:2] in wanted}
    assert kept.keys() == wanted.keys()
    for key, said in wanted.items():
        for name, value in said.items():
            other = kept[key][name]
            close = value is not None and other is not None and math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9)
            assert close or (value is None and other is None), (relation, key, name, value, other)


async def arrive(conn: Connection, pool: Pool, chance: random.Random, rows: list[Row]) -> None:
    """In no order, in several batches with maintenance between them; a redelivery marks hours without new rows."""
    shuffled = chance.sample(rows, len(rows))
    cuts = sorted(chance.sample(range(1, len(rows)), 3))
    for begin, end in pairwise([0, *cuts, len(rows)]):
        await store(conn, "streetlight", shuffled[begin:end])
        await store(conn, "streetlight", shuffled[begin:end][:3], redelivered=True)
        await maintain(pool, to_us(max(moment for _, moment, _ in rows) + chance.choice([-5, 1, 30]) * HOUR))
    await maintain(pool, to_us(max(moment for _, moment, _ in rows) + 48 * HOUR))


async def test_rollups_are_what_the_readings_say(conn: Connection, pool: Pool) -> None:
    for seed in range(4):
        chance, begin = random.Random(seed), SEASONS[seed % 2] + dt.timedelta(days=364 * (seed // 2))
        names = [f"lamp-{seed}-{number}" for number in range(3)]
        await register(conn, *((name, "streetlight", zone) for name, zone in zip(names, ZONES, strict=True)))
        assets = [(await table(conn, "SELECT asset_id FROM asset WHERE asset = %s", name))[0][0] for name in names]
        swaps = {assets[0]: begin + chance.uniform(5, 50) * HOUR}
        swap = f"asset,kind,device\n{names[0]},streetlight,other-{seed}\n"
        await import_csv(conn, swap, to_us(swaps[assets[0]]))
        rows = readings(chance, assets, begin, swaps)
        await arrive(conn, pool, chance, rows)
        await agree(conn, "streetlight_hourly", "asset_id, bucket", plain(rows, swaps, hour_of))
        await agree(conn, "streetlight_daily", "asset_id, bucket", plain(rows, swaps, day_of))
        zones = dict(zip(assets, ZONES, strict=True))
        await agree(conn, "zone_daily", "zone, bucket", plain(rows, swaps, day_of, zones))

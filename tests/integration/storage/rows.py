"""Assets and observations for the storage tests, written as ingest does: rows and dirty hours in one transaction."""

import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from storage import tables
from storage.lifecycle import Partitions, mark_dirty
from storage.pool import Connection
from storage.registry import import_csv
from telemetry.clock import to_us
from telemetry.kinds import KINDS

Fields = Mapping[str, float | int | bool | None]
Row = tuple[int, dt.datetime, Fields]
"""asset id, observed_at, fields"""


def at(text: str) -> dt.datetime:
    """`2026-10-25 01:30` in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


async def register(conn: Connection, *assets: tuple[str, str, str], now: dt.datetime | None = None) -> None:
    """Register (asset, kind, zone) with a device each; asset ids count from 1."""
    lines = [f"{asset},{kind},{zone},device-{asset}" for asset, kind, zone in assets]
    moment = now or at("2026-01-01 00:00")
    await import_csv(conn, "\n".join(["asset,kind,zone,device", *lines]), to_us(moment))


async def store(conn: Connection, kind: str, rows: Sequence[Row], redelivered: bool = False) -> None:
    """Store rows and mark their hours; those `redelivered` are there already."""
    observed_us = np.array([to_us(moment) for _, moment, _ in rows], dtype=np.int64)
    await (await Partitions.of(conn)).ensure(conn, kind, observed_us)
    names = tables.of(KINDS[kind]).column_names
    places = ", ".join(["%s"] * len(names))
    async with conn.transaction(), conn.cursor() as cursor:
        values = [
            (moment, asset, moment, False, None, *(fields.get(n) for n in names[5:])) for asset, moment, fields in rows
        ]
        otherwise = "ON CONFLICT DO NOTHING" if redelivered else ""
        await cursor.executemany(f"INSERT INTO {kind} ({', '.join(names)}) VALUES ({places}) {otherwise}", values)
        await mark_dirty(conn, kind, observed_us)


def random_rows(
    kind: str, assets: Iterable[int], begin: dt.datetime, hours: int, seed: int, step_s: int = 900
) -> list[Row]:
    """Readings of each asset at irregular times, every field within its range and sometimes absent."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for asset in assets:
        moment = begin
        while moment < begin + dt.timedelta(hours=hours):
            rows.append((asset, moment, _random_fields(kind, chance)))
            moment += dt.timedelta(seconds=chance.uniform(0.2, 1.8) * step_s)
    return rows


def _random_fields(kind: str, chance: random.Random) -> Fields:
    fields: dict[str, float | int | bool | None] = {}
    for each in KINDS[kind].properties:
        if each.name != KINDS[kind].marked[0] and chance.random() < 0.2:
            continue
        low, high = max(each.measure.low, 0), min(each.measure.high, 500)
        value = chance.uniform(low, high)
        fields[each.name] = chance.random() < 0.5 if each.type is bool else each.type(value)
    return fields


async def table(conn: Connection, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """All rows that a statement gives."""
    return await (await conn.execute(statement, parameters)).fetchall()

"""What drains did in a span, for the water authority: Einstau and Überstau, spilled water, completeness of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("drainage")


@dataclass(frozen=True, slots=True)
class Event:
    """One `drain_high` or `drain_overflow`; `ended` is `None` while it lasts, `peak_m` where no reading is left."""

    asset_id: int
    asset: str
    type: str
    began: datetime
    ended: datetime | None
    peak_m: float | None


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain that was served; of `received` readings so many `counted`, where so many were `expected`."""

    asset_id: int
    asset: str
    name: str
    zone: str | None
    attributes: dict[str, Any]
    every_s: float
    expected: float
    received: int
    counted: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Where water spills out of a drain: the height of the edge above the invert; no higher level is believed."""

    asset_id: int
    edge_m: float
    level_m_max: float
    hold_s: float


async def events(conn: Connection, since: datetime, until: datetime, above_m: float) -> list[Event]:
    """Every Einstau and Überstau that touches a span, oldest first; no level further above the ground is believed."""
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(SQL["events"], {"since": since, "until": until, "above_m": above_m})
        return await cursor.fetchall()


async def drains(conn: Connection, since: datetime, until: datetime) -> list[Drain]:
    """The drains that a device served in a span, by name."""
    async with conn.cursor(row_factory=class_row(Drain)) as cursor:
        await cursor.execute(SQL["drains"], {"since": since, "until": until})
        return await cursor.fetchall()


async def spilled(conn: Connection, edges: Sequence[Edge], since: datetime, until: datetime) -> dict[int, float]:
    """Of each drain with water above its edge: head to the power of 1.5, times the time that it stood, m^1.5 s."""
    if not edges:
        return {}
    columns = {name: [getattr(each, name) for each in edges] for name in Edge.__dataclass_fields__}
    rows = await conn.execute(SQL["spilled"], columns | {"since": since, "until": until})
    return dict(await rows.fetchall())

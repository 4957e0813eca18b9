"""Reading what was observed: assets with their latest state, and the observations of one asset, raw or in buckets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql
from psycopg.rows import class_row, dict_row

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kind import Kind, Property

SQL = queries.load("readings")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AssetState:
    """An asset with what is known of it now.

    `device` is the one serving it, `None` where there is none; `observed_at` and `age_s` (seconds of city time) are of
    the latest observation, `None` where there never was one, and then `latest` is empty.
    """

    asset_id: int
    asset: str
    kind: str
    name: str
    zone: str | None
    lat: float | None
    lon: float | None
    device: str | None
    attributes: dict[str, Any]
    online: bool
    observed_at: datetime | None
    age_s: float | None
    latest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Width:
    """The width of a bucket: a number of seconds, or of local days."""

    seconds: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Observations in [since, until), of which a page begins after `after`; `None` is the beginning."""

    since: datetime
    until: datetime
    after: datetime | None = None


async def assets(
    conn: Connection,
    *,
    now_us: int,
    limit: int,
    kind: str | None = None,
    zone: str | None = None,
    after: str | None = None,
) -> list[AssetState]:
    """Up to `limit` assets in service by name, after a name; of one kind or zone where asked."""
    chosen = {"now": to_datetime(now_us), "limit": limit, "kind": kind, "zone": zone, "after": after}
    async with conn.cursor(row_factory=class_row(AssetState)) as cursor:
        await cursor.execute(SQL["assets"], chosen)
        return await cursor.fetchall()


async def asset(conn: Connection, name: str, now_us: int) -> AssetState | None:
    """One asset, also a retired one; `None` if there never was one of this name."""
    async with conn.cursor(row_factory=class_row(AssetState)) as cursor:
        await cursor.execute(SQL["asset"], {"asset": name, "now": to_datetime(now_us)})
        return await cursor.fetchone()


async def zone_exists(conn: Connection, zone: str) -> bool:
    """Whether a zone of this name is registered."""
    found = await conn.execute(SQL["zone_exists"], {"zone": zone})
    row = await found.fetchone()
    return bool(row and row[0])


async def observations(conn: Connection, kind: Kind, asset_id: int, span: Span, limit: int) -> list[Row]:
    """Up to `limit` observations of an asset, oldest first: its times, the fields of its kind, and `seq`."""
    columns = sql.SQL(", ").join(sql.Identifier(each.name) for each in kind.properties)
    return await _rows(conn, "raw", kind, columns, {"asset_id": asset_id, "limit": limit} | _bounds(span))


async def buckets(
    conn: Connection, kind: Kind, asset_id: int, span: Span, limit: int, width: Width, timezone: str
) -> list[Row]:
    """Up to `limit` buckets that hold anything, oldest first: `bucket`, `count`, and figures of each field.

    Every field has `_avg`, `_min` and `_max`; of a boolean these are of 0 and 1, and `_true_count` is how often it was
    true; what is summed up over time has `_sum` too.
    """
    columns = sql.SQL(", ").join(_figures(each) for each in kind.properties)
    name = "bucketed_by_day" if width.days else "bucketed"
    chosen = {"asset_id": asset_id, "limit": limit, "width": timedelta(days=width.days, seconds=width.seconds)}
    return await _rows(conn, name, kind, columns, chosen | {"timezone": timezone} | _bounds(span))


def bucket_names(each: Property) -> tuple[str, ...]:
    """The names of a field's figures in a bucket."""
    names = (f"{each.name}_avg", f"{each.name}_min", f"{each.name}_max")
    further = {"truth": (f"{each.name}_true_count",), "sum": (f"{each.name}_sum",)}
    return names + further.get(each.rollup, ())


def _figures(each: Property) -> sql.Composed:
    value = sql.SQL("{}::int" if each.type is bool else "{}").format(sql.Identifier(each.name))
    figures = [sql.SQL(f"{function}({{}})").format(value) for function in ("avg", "min", "max", "sum")]
    if each.type is not float:
        figures[0] = sql.SQL("{}::float8").format(figures[0])
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(figure, sql.Identifier(name))
        for figure, name in zip(figures, bucket_names(each), strict=False)
    )


def _bounds(span: Span) -> dict[str, datetime | None]:
    return {"since": span.since, "until": span.until, "after": span.after}


async def _rows(conn: Connection, name: str, kind: Kind, columns: sql.Composed, chosen: dict[str, Any]) -> list[Row]:
    statement = sql.SQL(SQL[name]).format(columns=columns, kind=sql.Identifier(kind.name))
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, chosen)
        return await cursor.fetchall()

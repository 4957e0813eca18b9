"""Reading what was observed: assets with their latest state, and the observations of one asset, raw or in buckets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import sql
from psycopg.rows import class_row, dict_row

from storage import city, pieces, queries, spans
from storage.pieces import bucket_names
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kind import Kind
from telemetry.outlook import RULE as OUTLOOK

__all__ = [
    "AssetState",
    "Row",
    "Span",
    "Width",
    "asset",
    "assets",
    "bucket_names",
    "buckets",
    "energy_by_day",
    "observations",
]

SQL = queries.load("readings")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AssetState:
    """An asset with what is known of it now.

    `device` is the one serving it, `None` where there is none; `observed_at` and `age_s` (seconds of city time) are of
    the latest observation, `None` where there never was one, and then `latest` is empty. `outlook` is what the rules
    remember of a drain's (`telemetry.outlook`); it is read for one asset only.
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
    outlook: dict[str, Any] | None = None


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
        await cursor.execute(SQL["asset"], {"asset": name, "now": to_datetime(now_us), "outlook": OUTLOOK})
        return await cursor.fetchone()


async def zone_exists(conn: Connection, zone: str) -> bool:
    """Whether a zone of this name is registered."""
    found = await conn.execute(SQL["zone_exists"], {"zone": zone})
    row = await found.fetchone()
    return bool(row and row[0])


async def observations(conn: Connection, kind: Kind, asset_id: int, span: Span, limit: int) -> list[Row]:
    """Up to `limit` observations of an asset, oldest first: its times, the fields of its kind, and `seq`."""
    columns = sql.SQL(", ").join(sql.Identifier(each.name) for each in kind.properties)
    statement = sql.SQL(SQL["raw"]).format(columns=columns, kind=sql.Identifier(kind.name))
    chosen = {"asset_id": asset_id, "limit": limit, "since": span.since, "until": span.until, "after": span.after}
    return await _rows(conn, statement, chosen)


async def buckets(
    conn: Connection, kind: Kind, asset_id: int, span: Span, limit: int, width: Width, timezone: str
) -> list[Row]:
    """Up to `limit` buckets that hold anything, oldest first: `bucket`, `count`, and figures of each field.

    Every field has `_avg`, `_min` and `_max`; of a boolean these are of 0 and 1, and `_true_count` is how often it was
    true; what is summed up over time has `_sum` too. Buckets of whole hours or days are made of rollups, but for what
    the ends of the span cut off and what has just come in, so they reach as far back as rollups are kept.
    """
    sources = await _sources(conn, kind, span, width, timezone)
    name = "bucketed_by_day" if width.days else "bucketed"
    statement = sql.SQL(SQL[name]).format(figures=pieces.figures(kind), pieces=_pieces(kind))
    chosen: dict[str, Any] = {"asset_id": asset_id, "limit": limit, "after": span.after, "timezone": timezone}
    chosen["width"] = timedelta(days=width.days, seconds=width.seconds)
    for source in ("day", "hour", "row"):
        intervals = getattr(sources, f"{source}s")
        chosen |= {
            f"{source}_since": [each[0] for each in intervals],
            f"{source}_until": [each[1] for each in intervals],
        }
    return await _rows(conn, statement, chosen)


async def energy_by_day(conn: Connection, since: datetime, until: datetime) -> list[tuple[datetime, float | None]]:
    """What all lamps of the city drew, kWh by local day (its beginning); `None` where no meter counted on."""
    return await (await conn.execute(SQL["energy_by_day"], {"since": since, "until": until})).fetchall()


async def _sources(conn: Connection, kind: Kind, span: Span, width: Width, timezone: str) -> spans.Sources:
    """What each part of the span is answered from."""
    since = max(span.since, span.after or span.since)
    zone = ZoneInfo(timezone) if width.days else None
    if width.seconds % 3600 or (zone and not spans.has_whole_hours(zone, since, span.until)):
        return spans.of_rows(since, span.until)
    found = await conn.execute(SQL["open_hours"], {"kind": kind.name, "since": since, "until": span.until})
    open_hours = [row[0] for row in await found.fetchall()]
    if zone and await city.timezone(conn) != timezone:
        zone = None
    return spans.of_rollups(since, span.until, open_hours, zone)


def _pieces(kind: Kind) -> sql.Composed:
    """Rows, hours and days as pieces of one shape."""
    sources = [
        sql.SQL(SQL["rollups_of"]).format(
            columns=pieces.of_rollups(kind),
            relation=sql.Identifier(f"{kind.name}_{relation}"),
            since=sql.SQL(f"{source}_since"),
            until=sql.SQL(f"{source}_until"),
        )
        for source, relation in (("day", "daily"), ("hour", "hourly"))
    ]
    rows = sql.SQL(SQL["rows_of"]).format(columns=pieces.of_rows(kind), kind=sql.Identifier(kind.name))
    return sql.SQL(" UNION ALL ").join([*sources, rows])


async def _rows(conn: Connection, statement: sql.Composed, chosen: dict[str, Any]) -> list[Row]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, chosen)
        return await cursor.fetchall()

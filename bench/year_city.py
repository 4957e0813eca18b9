"""A city of 10,000 assets, a year of rollups, a month of observations every 5 minutes, made by the server itself.

What a value is follows from the asset and the moment alone, so that every storage mode holds the same. Rows lie in the
order of time, as they would have come in; indexes are built once the rows are there. The hours of the last month and
all days are summed up from what lies below them.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import psycopg

from storage import native, rollups, tables, timescale
from telemetry.clock import to_us
from telemetry.kind import Kind, Property
from telemetry.kinds import KINDS

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
"""The city's moment: raw observations end just before it."""
RAW_DAYS, YEAR_DAYS = 30, 365
DAY = dt.timedelta(days=1)
STEP_S = 300
ZONES = 50
SHARES = {"streetlight": 40, "drain_level": 10, "parking_bay": 50}
"""Assets of each kind in a hundred."""
NOT_FITTED = {"voltage_v", "lux", "distance_m", "flow_l_s", "rain_mm_h", "confidence_pct"}
"""Fields that this city's devices do not report."""
KWH_A_READING = 0.05 * STEP_S / 3600
RAW_FROM, YEAR_FROM = NOW - RAW_DAYS * DAY, NOW - YEAR_DAYS * DAY


def build(url: str, mode: str, scale: float) -> Iterator[str]:
    """Fill the migrated, empty database at `url`; says what it has done, step by step."""
    with psycopg.connect(
        url, autocommit=True, options="-c timezone=UTC -c maintenance_work_mem=1GB -c work_mem=1GB"
    ) as conn:
        yield from _timed("registry", conn, lambda: _register(conn, scale))
        for kind in KINDS.values():
            raw = _raw_native if mode == "native" else _raw_timescale
            hours = _hours_native if mode == "native" else _hours_timescale
            yield from _timed(f"{kind.name}: observations", conn, partial(raw, conn, kind))
            yield from _timed(f"{kind.name}: hours", conn, partial(hours, conn, kind))
            yield from _timed(f"{kind.name}: days", conn, partial(_days, conn, kind))
            conn.execute(_latest(kind))
        yield from _timed("statistics", conn, lambda: conn.execute("ANALYZE"))
        for table in ("asset", "installation", "device", "latest_observation", "zone_daily"):
            conn.execute(f"VACUUM {table}")


def _timed(what: str, conn: psycopg.Connection, work: Callable[[], object]) -> Iterator[str]:
    began = time.monotonic()
    work()
    row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row
    yield f"{what}: {time.monotonic() - began:.0f} s, {row[0] / 1024**3:.1f} GiB"


def _register(conn: psycopg.Connection, scale: float) -> None:
    conn.execute(
        "INSERT INTO zone SELECT 'zone-' || n, 'Zone ' || n, 51.4, 6.8 FROM generate_series(1, %s) n", (ZONES,)
    )
    for kind, share in SHARES.items():
        conn.execute(
            "INSERT INTO asset (asset, kind, name, zone, lat, lon, attributes)"
            f" SELECT '{kind}-' || n, '{kind}', 'Asset ' || n, 'zone-' || (1 + n %% {ZONES}),"
            " 51.4 + n * 1e-5, 6.8, '{}'"
            " FROM generate_series(1, %s) n",
            (round(100 * share * scale),),
        )
    conn.execute("INSERT INTO device SELECT 'device-' || asset, true, '1', %s FROM asset", (NOW - 9 * DAY,))
    conn.execute(
        "INSERT INTO installation (asset_id, device, kind) SELECT asset_id, 'device-' || asset, kind FROM asset"
    )
    conn.execute("ANALYZE asset, device, installation")
    conn.execute("INSERT INTO raw_horizon (kind, dropped_before) SELECT kind, %s FROM kind", (RAW_FROM,))


def _values(kind: Kind) -> str:
    """The fields of an observation of asset `a.asset_id` at second `s`, in the order of the table."""
    return ", ".join(_value(each) for each in kind.properties)


def _value(each: Property) -> str:
    if each.name in NOT_FITTED:
        return f"NULL::{tables.SQL_TYPES[each.type].name}"
    if each.type is bool:
        return "(a.asset_id + s / 3600) % 3 = 0"
    if each.type is int:
        return "((a.asset_id + s / 300) % 4)::int"
    if each.rollup == "counter":
        return f"(s / {STEP_S} - 5800000) * {KWH_A_READING}::float8"
    return _gauge(each)


def _gauge(each: Property) -> str:
    low, high = max(each.measure.low, 0), min(each.measure.high, 100)
    return f"({low} + {high - low} * ((a.asset_id * 37 + s / 300 * 17) % 1000) / 1000)::float8"


def _every(since: dt.datetime, until: dt.datetime, step_s: int, kind: Kind) -> str:
    """Each asset at each second `s`, all assets of a moment together, as they would have come in."""
    return f"""generate_series({int(since.timestamp())}, {int(until.timestamp()) - 1}, {step_s}) s
        CROSS JOIN LATERAL (SELECT asset_id FROM asset WHERE kind = '{kind.name}' AND s IS NOT NULL OFFSET 0) a"""


def _raw(kind: Kind, target: str, since: dt.datetime, until: dt.datetime) -> str:
    return f"""INSERT INTO {target}
               SELECT to_timestamp(s), a.asset_id, to_timestamp(s + 1), false, NULL, {_values(kind)}
               FROM {_every(since, until, STEP_S, kind)}"""


def _raw_native(conn: psycopg.Connection, kind: Kind) -> None:
    """Month by month: filled while it stands alone, then indexed and attached."""
    first, last = (next(iter(native.months_of(np.array([to_us(moment)])))) for moment in (RAW_FROM, NOW))
    for month in range(first, last + 1):
        begin, end = native.begin_of(month), native.end_of(month)
        name = native.partition_name(kind.name, range(month, month + 1))
        with conn.transaction():
            conn.execute(f"CREATE TABLE {name} (LIKE {kind.name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            conn.execute(_raw(kind, name, max(begin, RAW_FROM), min(end, NOW)))
            conn.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (asset_id, observed_at)")
            conn.execute(f"ALTER TABLE {kind.name} ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{end}')")


def _raw_timescale(conn: psycopg.Connection, kind: Kind) -> None:
    for day in range(RAW_DAYS):
        begin = RAW_FROM + day * DAY
        conn.execute(_raw(kind, kind.name, begin, begin + DAY))


def _hour_of_year(column: rollups.Column, fields: dict[str, Property]) -> str:
    """A column of an hour whose rows are gone; twelve readings round a value."""
    name, _, figure = column.name.rpartition("_")
    if column.name == "count":
        return "12"
    if column.name.endswith("_true_count"):
        return "6"
    if name in NOT_FITTED:
        return "0" if figure == "n" else f"NULL::{column.type}"
    factors = {"avg": "", "min": " * 0.9", "max": " * 1.1"}
    if figure in factors:
        return _gauge(fields[name]) + factors[figure]
    return {"n": "12", "sum": "18", "delta": f"{12 * KWH_A_READING}::float8"}[figure]


def _hours_before(kind: Kind, target: str, columns: list[rollups.Column]) -> str:
    names = ", ".join(column.name for column in columns)
    fields = {each.name: each for each in kind.properties}
    values = ", ".join(_hour_of_year(column, fields) for column in columns)
    return f"""INSERT INTO {target} (asset_id, bucket, {names}) SELECT a.asset_id, to_timestamp(s), {values}
               FROM {_every(YEAR_FROM, RAW_FROM, 3600, kind)}"""


def _hours_native(conn: psycopg.Connection, kind: Kind) -> None:
    """The year before the last month by formula, the month from its rows."""
    columns = list(rollups.columns(kind))
    table = f"{kind.name}_hourly"
    sums = ", ".join(column.of_rows or f"{12 * KWH_A_READING}::float8" for column in columns)
    with conn.transaction():
        conn.execute(f"TRUNCATE {table}")  # so that what follows needs no log
        conn.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        conn.execute(f"DROP INDEX {table}_bucket")
        conn.execute(_hours_before(kind, table, columns))
        conn.execute(
            f"""INSERT INTO {table} (asset_id, bucket, {", ".join(column.name for column in columns)})
                SELECT asset_id, date_trunc('hour', observed_at), {sums} FROM {kind.name} GROUP BY 2, 1 ORDER BY 2, 1"""
        )
        conn.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (asset_id, bucket)")
        conn.execute(f"CREATE INDEX {table}_bucket ON {table} (bucket)")


def _hours_timescale(conn: psycopg.Connection, kind: Kind) -> None:
    """The year before by formula into the aggregate's own table, the month by refreshing it."""
    aggregate = timescale.aggregate_of(kind)
    columns = [column for column in rollups.columns(kind) if column.of_rows]
    row = conn.execute(timescale.SQL["materialized"], {"aggregate": aggregate}).fetchone()
    assert row
    conn.execute(timescale.SQL["refresh"].format(aggregate=aggregate), {"since": RAW_FROM, "until": NOW})
    conn.execute(_hours_before(kind, row[0], columns))
    increases = [column for column in rollups.columns(kind) if not column.of_rows]
    if increases:
        values = ", ".join(f"{12 * KWH_A_READING}" for _ in increases)
        conn.execute(
            f"""INSERT INTO {kind.name}_hourly_increase (asset_id, bucket, {", ".join(each.name for each in increases)})
                SELECT a.asset_id, to_timestamp(s), {values} FROM {_every(YEAR_FROM, NOW, 3600, kind)}"""
        )


def _days(conn: psycopg.Connection, kind: Kind) -> None:
    """Local days of assets from their hours, and of zones from their assets."""
    columns = rollups.columns(kind)
    names = ", ".join(column.name for column in columns)
    sums = ", ".join(column.of_rollups for column in columns)
    conn.execute(
        f"""INSERT INTO {kind.name}_daily (asset_id, bucket, {names})
            SELECT asset_id, date_trunc('day', bucket, timezone), {sums}
            FROM {kind.name}_hourly CROSS JOIN city GROUP BY 2, 1"""
    )
    conn.execute(
        f"""INSERT INTO zone_daily (zone, kind, bucket, assets, {names})
            SELECT a.zone, '{kind.name}', d.bucket, count(*), {sums}
            FROM {kind.name}_daily d JOIN asset a USING (asset_id) GROUP BY 1, 3"""
    )


def _latest(kind: Kind) -> str:
    """The newest row of each asset, as the writer keeps it."""
    fields = ", ".join(f"'{each.name}', {each.name}" for each in kind.properties)
    newest = NOW - dt.timedelta(seconds=STEP_S)
    return f"""INSERT INTO latest_observation (asset_id, kind, observed_at, received_at, fields)
               SELECT asset_id, '{kind.name}', observed_at, received_at, jsonb_strip_nulls(jsonb_build_object({fields}))
               FROM asset a JOIN {kind.name} o USING (asset_id)
               WHERE a.kind = '{kind.name}' AND o.observed_at = '{newest}'"""

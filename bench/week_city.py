"""Ten million observations of a town, a week of 5,000 assets every 5 minutes, made by the server itself.

What a value is follows from the asset and the moment alone. Lamps follow the usual profile, bays change every hour and
a half on average, drains breathe, and over one in ten of them the water rises to the street one night. Assets do not
report in the same second. Rows lie in the order in which they would have come in.
"""

import datetime as dt

import psycopg

from telemetry.kind import Kind
from telemetry.kinds import KINDS

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
"""Observations end just before."""
STEP_S = 300
ZONES = 50
SHARES = {"streetlight": 40, "drain_level": 10, "parking_bay": 50}
"""Assets of each kind in a hundred."""
_ATTRIBUTES = {
    "streetlight": "jsonb_build_object('report_every_s', 300, 'cabinet', 'cabinet-' || n / 40)",
    "drain_level": "jsonb_build_object('report_every_s', 300, 'crown_m', 1.0, 'ground_m', 1.5)",
    "parking_bay": "jsonb_build_object('report_every_s', 300)",
}
_LEVEL_PCT = "(ARRAY[30,30,30,50,100,100,0,0,0,0,0,0,0,0,0,0,0,100,100,100,100,50,50,30])[1 + s / 3600 % 24]::float8"
_STORM_S = int((NOW - dt.timedelta(days=2)).timestamp())
_VALUES = {
    "streetlight": {"level_pct": _LEVEL_PCT, "power_w": f"0.6 * {_LEVEL_PCT}", "temp_c": "9::float8"},
    "drain_level": {
        "level_m": "0.3 + 0.1 * sin(s / 9000.0 + a.asset_id) + 0.01 * (s % 7)"
        f" + CASE WHEN a.asset_id % 10 = 0 AND abs(s - {_STORM_S}) < 14400"
        f" THEN 1.4 * (1 - abs(s - {_STORM_S}) / 14400.0) ELSE 0 END",
        "battery_pct": "90::float8",
    },
    "parking_bay": {"occupied": "(s / 5400 + a.asset_id) * (a.asset_id % 7 + 3) % 5 < 3", "battery_pct": "90::float8"},
}


def build(url: str, assets: int, days: float) -> None:
    """Fill the migrated, empty database at `url`, plain PostgreSQL, with that many assets and days."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC -c maintenance_work_mem=1GB") as conn:
        _register(conn, assets)
        for kind in KINDS.values():
            _fill(conn, kind, NOW - dt.timedelta(days=days))
        conn.execute("VACUUM ANALYZE")


def _register(conn: psycopg.Connection, assets: int) -> None:
    conn.execute(
        "INSERT INTO zone SELECT 'zone-' || n, 'Zone ' || n, 51.4, 6.8 FROM generate_series(1, %s) n", (ZONES,)
    )
    for kind, share in SHARES.items():
        conn.execute(
            "INSERT INTO asset (asset, kind, name, zone, lat, lon, attributes)"
            f" SELECT '{kind}-' || n, '{kind}', 'Asset ' || n, 'zone-' || (1 + n %% {ZONES}), 51.4, 6.8,"
            f" {_ATTRIBUTES[kind]} FROM generate_series(1, %s) n",
            (assets * share // 100,),
        )
    conn.execute("INSERT INTO device SELECT 'device-' || asset, true, '1', %s FROM asset", (NOW,))
    conn.execute(
        "INSERT INTO installation (asset_id, device, kind) SELECT asset_id, 'device-' || asset, kind FROM asset"
    )


def _fill(conn: psycopg.Connection, kind: Kind, since: dt.datetime) -> None:
    """All rows of a kind in one partition, indexed once they are there."""
    name, values = f"{kind.name}_bench", _VALUES[kind.name]
    first, last = int(since.timestamp()), int(NOW.timestamp())
    conn.execute(f"CREATE TABLE {name} (LIKE {kind.name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    conn.execute(
        f"""INSERT INTO {name} (observed_at, asset_id, received_at, {", ".join(values)})
            SELECT to_timestamp(s), a.asset_id, to_timestamp(s + 1), {", ".join(values.values())}
            FROM generate_series({first}, {last - 1}, {STEP_S}) slot
            CROSS JOIN LATERAL (
                SELECT asset_id, asset_id * 37 % {STEP_S} AS late FROM asset
                WHERE kind = '{kind.name}' AND slot IS NOT NULL ORDER BY 2, 1 OFFSET 0
            ) a
            CROSS JOIN LATERAL (SELECT slot + a.late AS s) t"""
    )
    conn.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (asset_id, observed_at)")
    conn.execute(f"ALTER TABLE {kind.name} ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{NOW}')")

"""A small town for the dashboards to show: a month of plain readings, then six hours in which things happen.

There are a lamp, drains, bays, a silent one, alarms and commands; what happens in the six hours is told to the figure.

Its city clock stands in June 2018, so that a query which reads the server's clock finds nothing.
"""

import datetime as dt
import json
import time
from collections.abc import Iterator

import numpy as np
import psycopg

from storage import city, lifecycle
from storage.pool import open_pool
from telemetry.clock import HOUR_US, CityClock, to_datetime, to_us
from telemetry.kinds import KINDS

NOW = dt.datetime(2018, 6, 15, 12, 2, tzinfo=dt.UTC)
NOW_US = to_us(NOW)
STANDING = 1e-6
"""The clock's speed: however long the tests take, ages stay what they are."""
HOURS = 6
DAYS = 30
ASSETS = [
    ("lamp-1", "streetlight", "Lamp 1", "north", {}),
    ("lamp-2", "streetlight", "", None, {}),
    ("drain-1", "drain_level", "Dead Run", "north", {"crown_m": 0.6, "ground_m": 1.1}),
    ("drain-2", "drain_level", "Without crown", "south", {}),
    ("drain-3", "drain_level", "Mill", "south", {"crown_m": 2.0}),
    ("drain-4", "drain_level", "Mill", "south", {"crown_m": 3.0, "ground_m": 4.5}),
    ("bay-1", "parking_bay", "Bay 1", "south", {}),
    ("bay-2", "parking_bay", "Bay 2", "south", {"report_every_s": 600}),
    ("bay-3", "parking_bay", "Bay 3", "south", {"reserved_for": "disabled"}),
    ("bay-4", "parking_bay", "Bay 4", "south", {}),
]
SILENT = "bay-4"
LAMP = {"power_w": 22.5, "voltage_v": 229.0, "lux": 3.0, "temp_c": 21.0}
DRAIN = {"flow_l_s": 4.0, "rain_mm_h": 1.5, "temp_c": 14.0}
"""What lamps and drains report besides."""
Row = tuple[str, dt.datetime, dict[str, float | bool]]


async def settle(url: str) -> None:
    """Fill the migrated database at `url` with the town."""
    pool = await open_pool(url, size=1)
    try:
        async with pool.connection() as conn:
            await city.set_clock(conn, CityClock(NOW_US, time.time_ns() // 1000, STANDING))
            partitions = await lifecycle.Partitions.of(conn)
            for kind in KINDS:
                await partitions.ensure(conn, kind, np.arange(NOW_US - DAYS * 24 * HOUR_US, NOW_US, HOUR_US))
        with psycopg.connect(url) as plain:
            _register(plain)
            for kind in KINDS:
                _observe(plain, kind)
            _remember(plain)
            _decide(plain)
            _run(plain)
        async with pool.connection() as conn:
            for kind in KINDS:
                moments = np.arange(NOW_US - DAYS * 24 * HOUR_US, NOW_US, HOUR_US // 2)
                await lifecycle.mark_dirty(conn, kind, moments)
        for _ in range(2):
            await lifecycle.maintain(pool, NOW_US)
    finally:
        await pool.close()


def _register(conn: psycopg.Connection) -> None:
    with conn.cursor() as cursor:
        cursor.execute(
            "INSERT INTO zone VALUES ('north', 'North''s end', 51.44, 6.88), ('south', 'South', 51.42, 6.88)"
        )
        for number, (asset, kind, name, zone, attributes) in enumerate(ASSETS):
            cursor.execute("INSERT INTO device VALUES (%s, true, '1', %s)", (f"d-{asset}", NOW - dt.timedelta(hours=7)))
            cursor.execute(
                "INSERT INTO asset (asset, kind, name, zone, lat, lon, attributes)"
                " VALUES (%s, %s, %s, %s, %s, 6.88, %s) RETURNING asset_id",
                (asset, kind, name, zone, 51.43 + number / 1000, json.dumps(attributes)),
            )
            (asset_id,) = cursor.fetchone() or (0,)
            cursor.execute("INSERT INTO installation VALUES (%s, %s, %s)", (asset_id, f"d-{asset}", kind))


def _readings(asset: str, kind: str) -> Iterator[tuple[dt.datetime, dict[str, float | bool]]]:
    """Every 10 minutes; the silent asset stops after an hour and a half, Dead Run rises over its ground and falls."""
    for step in range(HOURS * 6):
        at = to_datetime(NOW_US - HOURS * HOUR_US) + dt.timedelta(minutes=10 * step + 1)
        if asset == SILENT and step > 9:
            return
        if kind == "streetlight":
            yield at, {"level_pct": 40.0 + step % 3, "setpoint_pct": 40.0, "energy_kwh": 100 + step * 0.01} | LAMP
        elif kind == "drain_level":
            yield at, {"level_m": 1.2 - abs(step - 18) * 0.06, "battery_pct": 80.0} | DRAIN
        else:
            yield at, {"occupied": (step // 6 + int(asset[-1])) % 2 == 0, "battery_pct": 90.0}


def _observe(conn: psycopg.Connection, kind: str) -> None:
    with conn.cursor() as cursor:
        for asset in (asset for asset, of_kind, *_ in ASSETS if of_kind == kind):
            cursor.execute("SELECT asset_id FROM asset WHERE asset = %s", (asset,))
            (asset_id,) = cursor.fetchone() or (0,)
            newest: tuple[dt.datetime, str] | None = None
            for at, fields in _readings(asset, kind):
                names, places = ", ".join(fields), ", ".join(["%s"] * len(fields))
                cursor.execute(
                    f"INSERT INTO {kind} (observed_at, asset_id, received_at, {names}) VALUES (%s, %s, %s, {places})",
                    (at, asset_id, at + dt.timedelta(seconds=1), *fields.values()),
                )
                newest = at, json.dumps(fields)
            assert newest is not None
            at, document = newest
            cursor.execute(
                "INSERT INTO latest_observation VALUES (%s, %s, %s, %s, %s)",
                (asset_id, kind, at, at + dt.timedelta(seconds=1), document),
            )


PLAIN = {
    "streetlight": "level_pct, setpoint_pct, energy_kwh, power_w, voltage_v, lux, temp_c)"
    " SELECT t, asset_id, t, 40, 40, 100 - extract(epoch FROM %(six)s - t) / 60000, 22.5, 229, 3, 21",
    "drain_level": "level_m, battery_pct, flow_l_s, rain_mm_h, temp_c)"
    " SELECT t, asset_id, t, 0.1 + 0.1 * sin(extract(epoch FROM t) / 20000), 80, 4, 0, 14",
    "parking_bay": "occupied, battery_pct) SELECT t, asset_id, t, extract(hour FROM t) BETWEEN 8 AND 17, 90",
}


def _remember(conn: psycopg.Connection) -> None:
    """The month before: every asset every quarter of an hour."""
    six = NOW - dt.timedelta(hours=HOURS)
    for kind, fields in PLAIN.items():
        conn.execute(
            f"INSERT INTO {kind} (observed_at, asset_id, received_at, {fields} FROM asset,"
            " generate_series(%(month)s::timestamptz, %(six)s - interval '15 minutes', interval '15 minutes') AS t"
            " WHERE kind = %(kind)s",
            {"six": six, "month": NOW - dt.timedelta(days=DAYS), "kind": kind},
        )


def _run(conn: psycopg.Connection) -> None:
    """What the platform keeps of itself: processes, checks, rules, refusals."""
    conn.execute("INSERT INTO ingest_instance VALUES ('ingest-1', 3, %s)", (NOW,))
    conn.execute(
        "INSERT INTO self_probe SELECT 'run', number, 'ingest-1', at, at, at + interval '20 ms', at + interval '30 ms'"
        " FROM generate_series(1, 60) AS number, LATERAL (SELECT %s - (60 - number) * interval '1 minute' AS at) sent",
        (NOW,),
    )
    conn.execute("INSERT INTO rollup_check VALUES (%s, 40, 0, 0, NULL, 1.5)", (NOW - dt.timedelta(hours=9),))
    content = json.dumps({"drainage": {"pre_alarm_below_crown_m": 0.25}, "assets": {"drain-3": {}}})
    conn.execute("INSERT INTO rule_version VALUES ('v1', %s, 'Tiefbauamt', %s)", (content, NOW))
    conn.execute("INSERT INTO rule_activation (version, activated_at, author) VALUES ('v1', %s, 'Tiefbauamt')", (NOW,))
    at = NOW - dt.timedelta(hours=3)
    conn.execute(
        "INSERT INTO command (id, asset_id, asset, settings, reason, state, queued_at, acknowledged_at, expires_at)"
        " SELECT 'c9', asset_id, asset, '{\"report_every_s\": 60}', 'override', 'acknowledged', %(at)s, %(at)s,"
        " %(at)s + interval '1 hour' FROM asset WHERE asset = 'drain-1'",
        {"at": at},
    )
    for minutes in (10, 20, 30):
        at = NOW - dt.timedelta(minutes=minutes)
        conn.execute(
            "INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)"
            " VALUES (%s, %s, 'city/v1/drain_level/x/telemetry', 'x', %s, 0, 'unknown_device', 'nobody knows it', '')",
            (at.date(), at, str(minutes).encode()),
        )


ALARMS = [
    ("a1", "asset:drain-1", "drain-1", "drain_overflow", "critical", "unacknowledged", 3, None),
    ("a2", "asset:drain-1", "drain-1", "drain_high", "warning", "returned_unacknowledged", 4, 1),
    ("a3", "asset:bay-4", "bay-4", "device_silent", "warning", "shelved", 2, None),
    ("a4", "platform", None, "ledger_imbalance", "critical", "acknowledged", 5, None),
    ("a5", "asset:lamp-1", "lamp-1", "lamp_fault", "warning", "normal", 6, 5),
]
COMMANDS = [
    ("lamp-1", 40, "verified", "program", 2.0),
    ("lamp-2", 40, "failed", "program", 2.0),
    ("lamp-1", 40, "verified", "program", 1.5),
    ("lamp-1", 80, "sent", "override", 1.0),
]
"""Asset, setpoint, state, reason, hours ago; the third renews the lease of the first."""


def _decide(conn: psycopg.Connection) -> None:
    with conn.cursor() as cursor:
        for name, subject, of, kind, severity, state, raised_h, cleared_h in ALARMS:
            raised = NOW - dt.timedelta(hours=raised_h, minutes=-1)
            cleared = None if cleared_h is None else NOW - dt.timedelta(hours=cleared_h)
            cursor.execute(
                "INSERT INTO alarm (id, subject, asset, type, severity, state, raised_at, cleared_at, observed_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (name, subject, of, kind, severity, state, raised, cleared, raised),
            )
        for number, (asset, setpoint, state, reason, hours) in enumerate(COMMANDS):
            at = NOW - dt.timedelta(hours=hours)
            cursor.execute(
                "INSERT INTO command (id, asset_id, asset, settings, reason, state, queued_at, expires_at)"
                " SELECT %s, asset_id, asset, %s, %s, %s, %s, %s FROM asset WHERE asset = %s",
                (f"c{number}", f'{{"setpoint_pct": {setpoint}}}', reason, state, at, at + dt.timedelta(hours=1), asset),
            )
        for days, open_now in ((0, 3), (1, 0)):
            cursor.execute(
                "INSERT INTO ledger (day, received, stored, duplicate, quarantined) VALUES (%s, %s, 240, 5, 2)",
                (NOW.date() - dt.timedelta(days=days), 247 + open_now),
            )
        yesterday = NOW.date() - dt.timedelta(days=1)
        cursor.execute("INSERT INTO ledger_check VALUES (%s, %s, 0, 240, 240, 2, 2, NULL)", (yesterday, NOW))
        for zone, free in (("north", 0), ("south", 1)):
            document = {"name": zone, "capacity": 3, "free": free, "occupied": 1, "unknown": 0, "closed": 0}
            document |= {
                "free_min": free,
                "free_max": free,
                "trend": "steady",
                "verified_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            }
            if free:
                document["forecast"] = [
                    {"minutes": 15, "free": 2, "free_low": 1, "free_high": 3},
                    {"minutes": 60, "free": 0, "free_low": 0, "free_high": 2},
                ]
            cursor.execute("INSERT INTO zone_availability VALUES (%s, %s, %s)", (zone, NOW, json.dumps(document)))

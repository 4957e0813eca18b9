"""What waited in the quarantine is history once it is stored: summed up, in its place, and the latest only if it is."""

import hashlib
import json

from ingest.replay import Replayed, replay
from storage import registry, registry_change
from storage.ledger_check import check_day
from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import at, store, table

NOW_US = to_us(at("2026-11-23 09:00"))
RECEIVED = at("2026-11-02 08:00")
NEWER = at("2026-11-20 12:00")


async def refuse(conn: Connection, device: str, readings: dict[str, float]) -> None:
    """Uplinks of an unknown device, kept and booked as ingest does."""
    for ts, level_pct in readings.items():
        payload = json.dumps({"ts": ts, "level_pct": level_pct}).encode()
        await conn.execute(
            "INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)"
            " VALUES (%s, %s, %s, %s, %s, 0, 'unknown_device', '', %s)",
            (RECEIVED.date(), RECEIVED, f"city/v1/streetlight/{device}/telemetry", device,
             hashlib.sha256(payload).digest(), payload),
        )  # fmt: skip
    await conn.execute(
        "INSERT INTO ledger AS l (day, received, quarantined) VALUES (%(day)s, %(n)s, %(n)s) ON CONFLICT (day)"
        " DO UPDATE SET received = l.received + %(n)s, quarantined = l.quarantined + %(n)s",
        {"day": RECEIVED.date(), "n": len(readings)},
    )


async def test_old_uplinks_of_devices_registered_since(pool: Pool, conn: Connection) -> None:
    await registry.import_csv(conn, "asset,kind,device\nheard,streetlight,L7\nunheard,streetlight,\n", 0)
    ((heard,), (unheard,)) = await table(conn, "SELECT asset_id FROM asset WHERE asset ~ 'heard' ORDER BY 1")
    await store(conn, "streetlight", [(heard, NEWER, {"level_pct": 90.0})])
    latest = "INSERT INTO latest_observation VALUES (%s, 'streetlight', %s, %s, '{\"level_pct\": 90}')"
    await conn.execute(latest, (heard, NEWER, NEWER))
    await conn.execute("INSERT INTO ledger (day, received, stored) VALUES (%s, 1, 1)", (NEWER.date(),))
    await maintain(pool, NOW_US)
    await refuse(conn, "L8", {"2026-11-01T10:05:00Z": 20, "2026-11-01T10:35:00Z": 40})
    await refuse(conn, "L9", {"2026-11-01T10:05:00Z": 60, "2026-11-02T07:00:00Z": 80})

    await registry_change.swap(conn, "heard", "L8", to_us(at("2026-11-01 00:00")), NOW_US)
    await registry.import_csv(conn, "asset,kind,device\nunheard,streetlight,L9\n", NOW_US)
    assert await replay(pool, await registry.load(conn), NOW_US) == Replayed(4, 4, 0, 0)
    await maintain(pool, NOW_US)

    found = "SELECT observed_at, (fields ->> 'level_pct')::float8 FROM latest WHERE asset_id = %s"
    assert await table(conn, found.replace("%s", str(heard))) == [(NEWER, 90.0)]
    assert await table(conn, found.replace("%s", str(unheard))) == [(at("2026-11-02 07:00"), 80.0)]
    hourly = "SELECT asset_id, bucket, count, level_pct_avg FROM streetlight_hourly ORDER BY 1, 2"
    assert await table(conn, hourly) == [
        (heard, at("2026-11-01 10:00"), 2, 30.0),
        (heard, at("2026-11-20 12:00"), 1, 90.0),
        (unheard, at("2026-11-01 10:00"), 1, 60.0),
        (unheard, at("2026-11-02 07:00"), 1, 80.0),
    ]
    daily = "SELECT count(*), sum(count) FROM streetlight_daily WHERE bucket < '2026-11-03Z'"
    assert await table(conn, daily) == [(3, 4)]
    for day in (RECEIVED.date(), NEWER.date()):
        assert (await check_day(conn, day, NOW_US)).balances

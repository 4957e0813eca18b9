"""What the report on drains finds in the database."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from lamplighter.report.drainage import POLENI
from lamplighter.report.drainage_found import find
from rules.rulefile.active import content
from storage import alarms, rule_versions
from storage.alarms import Cleared, Raised
from storage.lifecycle import maintain
from storage.pool import connect, open_pool
from storage.registry import import_csv
from storage.rule_versions import RuleVersion
from telemetry.alarms import AlarmType
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_us
from telemetry.thresholds import Thresholds
from tests.integration.storage.rows import store

TOWN = """asset,kind,name,device,crown_m,sill_m,ground_m,report_every_s
D-1,drain_level,Markt,D1,1.0,,1.5,900
D-2,drain_level,Wehr,D2,1.0,1.2,1.5,900
D-3,drain_level,Stumm,D3,1.0,,1.5,900
"""
BEGIN_US = to_us(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


async def test_events_volumes_and_completeness(any_database: str) -> None:
    levels = {"D-1": [0.5, 1.6, 1.6, 29.0, 1.0, 0.5], "D-2": [0.5, 1.3, 1.1, 0.5]}
    async with await connect(any_database) as conn:
        await import_csv(conn, TOWN, BEGIN_US + HOUR_US)
        ids = dict(await (await conn.execute("SELECT asset, asset_id FROM asset")).fetchall())
        for asset, values in levels.items():
            times = [to_datetime(BEGIN_US + quarter * 15 * MINUTE_US) for quarter in range(len(values))]
            readings = [(ids[asset], at, {"level_m": level}) for at, level in zip(times, values, strict=True)]
            await store(conn, "drain_level", readings)
        subject, kind = "asset:D-1", AlarmType.DRAIN_OVERFLOW
        why = {"thresholds": {"clear_delay_s": 1800}}
        first_us = BEGIN_US + 15 * MINUTE_US
        await alarms.turn(conn, [Raised("a", subject, "D-1", kind, first_us, first_us, why)])
        await alarms.turn(conn, [Cleared(subject, kind, first_us + 75 * MINUTE_US)])
        edges = Thresholds(assets={name: {"drainage": {"spill_edge_m": 2.0}} for name in levels})
        await rule_versions.activate(conn, RuleVersion("v", content(edges), "", "d", "anna"), BEGIN_US)
    async with await open_pool(any_database, size=1) as pool:
        await maintain(pool, BEGIN_US + 2 * HOUR_US)
    async with await connect(any_database) as conn:
        until = to_datetime(BEGIN_US + 2 * HOUR_US)
        found = await find(conn, to_datetime(BEGIN_US), until, ZoneInfo("Europe/Berlin"))
    (event,) = found.events
    assert (event.asset, event.began, event.peak_m) == ("D-1", to_datetime(first_us), 1.6)
    assert event.ended == to_datetime(first_us + 45 * MINUTE_US)
    assert [(each.asset, each.expected, each.received) for each in found.drains] == [
        ("D-1", 8, 6),
        ("D-2", 8, 4),
        ("D-3", 4, 0),
    ]
    async with await connect(any_database) as conn:
        month = await find(conn, to_datetime(BEGIN_US - 30 * DAY_US), until, ZoneInfo("Europe/Berlin"))
    assert [each.expected for each in month.drains] == [8, 8, 4]
    ground = POLENI * 2.0 * 2 * 900 * 0.1**1.5
    assert found.volume_m3[ids["D-1"]] == pytest.approx(ground)
    assert found.volume_m3[ids["D-2"]] == pytest.approx(POLENI * 2.0 * 900 * 0.1**1.5)

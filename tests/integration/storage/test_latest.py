"""The view `latest`: the newest observation of each asset, its age by the city clock, and whether its device lives."""

import datetime as dt
from typing import Any

import pytest

from storage import rule_versions
from storage.city import set_clock
from storage.pool import Connection
from storage.registry import Wanted, import_csv
from storage.rule_versions import RuleVersion
from telemetry.clock import CityClock, to_us
from tests.integration.storage.rows import at, table

NOW = at("2018-06-15 12:00")
REGISTRY = """asset,kind,device,report_every_s
lamp-1,streetlight,d-1,
lamp-2,streetlight,d-2,60
lamp-3,streetlight,,
"""
PATIENT = '{"presence": {"missed_intervals": 10}}'


@pytest.fixture(autouse=True)
async def town(native: Connection) -> None:
    await import_csv(native, REGISTRY, to_us(NOW))
    (real,) = (await table(native, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))[0]
    await set_clock(native, CityClock(to_us(NOW), real, 1e-6))


async def heard(conn: Connection, asset: int, seconds_ago: float) -> None:
    moment = NOW - dt.timedelta(seconds=seconds_ago)
    await conn.execute(
        "INSERT INTO latest_observation VALUES (%s, 'streetlight', %s, %s, '{\"level_pct\": 40}')",
        (asset, moment, moment),
    )


async def said(conn: Connection, device: str, online: bool, seconds_ago: float) -> None:
    moment = NOW - dt.timedelta(seconds=seconds_ago)
    await conn.execute("UPDATE device SET online = %s, status_at = %s WHERE device = %s", (online, moment, device))


async def latest(conn: Connection, asset: int) -> tuple[Any, ...]:
    (row,) = await table(
        conn, "SELECT kind, round(age_s::numeric, 1)::float8, online, fields FROM latest WHERE asset_id = %s", asset
    )
    return row


async def online(conn: Connection, asset: int) -> bool:
    return bool((await latest(conn, asset))[2])


async def test_an_asset_that_was_heard(native: Connection) -> None:
    await heard(native, 1, 90)
    assert await latest(native, 1) == ("streetlight", 90.0, True, {"level_pct": 40})


async def test_an_asset_that_was_never_heard_has_its_row(native: Connection) -> None:
    assert await latest(native, 3) == ("streetlight", None, False, None)


@pytest.mark.parametrize(
    ("asset", "seconds_ago", "alive"), [(1, 1799, True), (1, 1801, False), (2, 179, True), (2, 181, False)]
)
async def test_three_report_intervals_of_silence(
    native: Connection, asset: int, seconds_ago: float, alive: bool
) -> None:
    await heard(native, asset, seconds_ago)
    assert await online(native, asset) is alive


async def test_as_many_intervals_of_silence_as_the_rules_in_force_say(native: Connection) -> None:
    await heard(native, 1, 1801)
    await rule_versions.activate(native, RuleVersion("patient", PATIENT, "", "d", "anna"), to_us(NOW))
    assert await online(native, 1)


async def test_a_learned_interval_stands_in_for_one_that_is_not_registered(native: Connection) -> None:
    row = "INSERT INTO rule_state VALUES (%s, 'rhythm', NULL, '{\"learned_us\": 3600000000}')"
    for asset in (1, 2):
        await native.execute(row, (asset,))
        await heard(native, asset, 10_700)
    assert (await online(native, 1), await online(native, 2)) == (True, False)
    known = await table(native, "SELECT every_s, known FROM report_interval ORDER BY asset_id")
    assert known == [(3600.0, "learned"), (60.0, "registered"), (600.0, "usual")]


async def test_a_device_that_said_goodbye_is_off_until_it_speaks_again(native: Connection) -> None:
    await heard(native, 1, 60)
    await said(native, "d-1", online=False, seconds_ago=30)
    assert not await online(native, 1)
    await said(native, "d-1", online=False, seconds_ago=90)
    assert await online(native, 1)


async def test_a_device_that_said_hello_is_on_before_it_reports(native: Connection) -> None:
    await said(native, "d-1", online=True, seconds_ago=30)
    assert await online(native, 1)


async def test_a_retired_asset_is_not_shown(native: Connection) -> None:
    await import_csv(native, "asset,kind\nlamp-1,streetlight\n", to_us(NOW) - 1, Wanted(retire_missing=True))
    assert await table(native, "SELECT asset_id FROM latest") == [(1,)]

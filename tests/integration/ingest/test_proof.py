"""The ledger against the rows that are there: honest traffic, and a planted defect."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from ingest import writer
from ingest.replay import Replayed, replay
from ingest.rows import Rows
from ingest.store import Prepared, prepare
from storage import ledger, registry
from storage.ledger_check import check_day
from storage.pool import Pool
from tests.integration.ingest.conftest import CITY, City, Ingest, now
from tests.parts.patience import eventually


async def test_resending_and_replaying_keep_the_account_and_the_rows_equal(
    ingest: Ingest, city: City, pool: Pool
) -> None:
    ts = now() // 1000
    uplinks = [
        ("streetlight", "L1", [{"ts": ts - n, "level_pct": n * 30} for n in range(5)]),  # the last is out of range
        ("drain_level", "D1", {"ts": ts, "level_m": 0.5}),
        ("parking_bay", "B9", [{"ts": ts, "occupied": True}, {"ts": 0, "occupied": False}]),  # not registered yet
    ]
    for kind, device, payload in uplinks:
        await city.telemetry(kind, device, payload)
    before = await city.settled(8)
    assert (before["stored"], before["quarantined"]) == (5, 3)
    await registry.import_csv(city.conn, CITY + "bay-9,parking_bay,Bay 9,,,,B9,\n", 0)
    assert await replay(pool, await registry.load(city.conn), now()) == Replayed(3, 2, 0, 1)
    assert await city.settled(8) == before | {"replayed": 2}
    for kind, device, payload in uplinks:
        await city.telemetry(kind, device, payload)
    await city.settled(16)
    assert [day.check.rows_found for day in await ledger.days(city.conn) if day.check] == [7]


async def test_an_observation_that_is_forgotten_on_the_way_is_found_out(
    ingest: Ingest, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_one(by_kind: Mapping[str, Rows], careful: bool) -> Prepared:
        return prepare({name: rows.take(np.arange(1, len(rows))) for name, rows in by_kind.items()}, careful)

    monkeypatch.setattr(writer, "prepare", forget_one)
    ts = now() // 1000
    await city.telemetry("streetlight", "L1", [{"ts": ts - n, "level_pct": n} for n in range(5)])

    async def booked() -> date:
        days = await ledger.days(city.conn)
        assert [day.account.received for day in days] == [5]
        return days[0].day

    day = await eventually(booked)
    check = await check_day(city.conn, day, now())
    assert (check.without_fate, check.rows_expected, check.rows_found) == (1, 4, 4)
    assert [each.day for each in await ledger.differing(city.conn)] == [day]
    assert ingest.ledger.total.without_fate == 1

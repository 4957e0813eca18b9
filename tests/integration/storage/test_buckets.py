"""Buckets of hours and days are the same whether they are made of rollups or of rows, in both modes."""

import itertools
import math
from typing import Any

import pytest

from storage import readings, spans
from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from storage.readings import Span, Width
from telemetry.clock import to_us
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, random_rows, register, store, table

NOW = at("2026-10-27 09:20")
SINCE = at("2026-10-23 20:40")
TOWN = [("lamp-1", "streetlight", "north"), ("shaft-1", "drain_level", "north"), ("bay-1", "parking_bay", "south")]
BERLIN = "Europe/Berlin"
WIDTHS = [Width(seconds=3600), Width(seconds=3 * 3600), Width(days=1), Width(days=2)]


@pytest.fixture(autouse=True)
async def town(conn: Connection, pool: Pool) -> None:
    """Four days round the end of summer time summed up, and some readings that came since."""
    await register(conn, *TOWN)
    for asset, (_, kind, _) in enumerate(TOWN, 1):
        rows = random_rows(kind, [asset], at("2026-10-23 15:00"), 90, seed=asset)
        await store(conn, kind, rows[::2])
    await maintain(pool, to_us(NOW))
    for asset, (_, kind, _) in enumerate(TOWN, 1):
        await store(conn, kind, random_rows(kind, [asset], at("2026-10-25 00:30"), 2, seed=9))


def same(one: Any, other: Any) -> bool:
    """Equal but for the last digits of a mean."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and one == other


async def test_rollups_and_rows_give_equal_answers(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    afters = (None, at("2026-10-25 22:00"))
    for (asset, (_, name, _)), width, after in itertools.product(enumerate(TOWN, 1), WIDTHS, afters):
        kind, span = KINDS[name], Span(SINCE, NOW, after)
        summed = await readings.buckets(conn, kind, asset, span, 1000, width, BERLIN)
        with monkeypatch.context() as patched:
            patched.setattr(spans, "of_rollups", lambda since, until, *_: spans.of_rows(since, until))
            rows = await readings.buckets(conn, kind, asset, span, 1000, width, BERLIN)
        assert summed
        assert [row.keys() for row in summed] == [row.keys() for row in rows]
        for one, other in zip(summed, rows, strict=True):
            assert all(same(one[figure], other[figure]) for figure in one), (width, one, other)


async def test_days_outlive_their_rows_unless_they_begin_between_hours(conn: Connection) -> None:
    kind, week = KINDS["parking_bay"], Span(SINCE, NOW)
    days = await readings.buckets(conn, kind, 3, week, 9, Width(days=1), "Asia/Kolkata")
    assert [day["bucket"].minute for day in days] == [30] * len(days)
    (stored,) = await table(conn, "SELECT count(*) FROM parking_bay WHERE observed_at >= %s", SINCE)
    assert sum(day["count"] for day in days) == stored[0]
    berlin = await readings.buckets(conn, kind, 3, week, 9, Width(days=1), BERLIN)
    await conn.execute("DELETE FROM parking_bay WHERE observed_at < %s", (at("2026-10-24 22:00"),))
    later = await readings.buckets(conn, kind, 3, week, 9, Width(days=1), BERLIN)
    assert later[1:] == berlin[1:]
    assert await readings.buckets(conn, kind, 3, week, 9, Width(days=1), "Asia/Kolkata") != days

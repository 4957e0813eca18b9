"""The writer in both modes of storage: rows as they were decoded, duplicates settled, the account with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bus import inbox, packets
from ingest.batch import Gatherer
from ingest.copy import Values, values_of
from ingest.fates import Fates
from ingest.parcel import pack
from ingest.rows import Rows
from ingest.writer import Writer
from storage import registry
from storage.pool import Pool, connect, open_pool
from telemetry import topics
from telemetry.clock import DAY_US
from telemetry.decoding import Decoder
from telemetry.refusals import Reason
from tests.integration.ingest.conftest import CITY

NOON_US = 1_795_000_000_000_000 // DAY_US * DAY_US + DAY_US // 2
MS = NOON_US // 1000


class Desk:
    """Writes payloads as if they had just been read, and looks at what is there."""

    def __init__(self, pool: Pool, decoder: Decoder) -> None:
        self._pool, self._decoder = pool, decoder
        self._writer = Writer(pool, "desk")
        self.now_us = NOON_US

    async def write(self, *uplinks: tuple[str, str, bytes], redelivered: bool = False) -> Fates:
        header = 0x32 | (packets.REDELIVERED if redelivered else 0)
        arrivals = packets.Arrivals(
            [topics.telemetry(kind, device).encode() for kind, device, _ in uplinks],
            [payload for _, _, payload in uplinks],
            [header] * len(uplinks),
            [b""] * len(uplinks),
        )
        gatherer = Gatherer()
        gatherer.add(inbox.Batch([inbox.Read(arrivals, self.now_us, 0.0, None)]))
        batch = gatherer.close()
        fates = await self._writer.write(pack(batch, self._decoder), batch)
        await self._writer.close()
        assert fates.received == fates.stored.total() + fates.duplicate + fates.quarantined.total()
        return fates

    async def do(self, sql: str) -> None:
        async with self._pool.connection() as conn:
            await conn.execute(sql)

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        async with self._pool.connection() as conn:
            return await (await conn.execute(sql)).fetchall()


@asynccontextmanager
async def opened(database: str) -> AsyncIterator[Desk]:
    async with await open_pool(database, size=2) as pool:
        async with pool.connection() as conn:
            await registry.import_csv(conn, CITY, NOON_US)
            loaded = await registry.load(conn)
        yield Desk(pool, Decoder(loaded))


@pytest.fixture
async def desk(any_database: str) -> AsyncIterator[Desk]:
    async with opened(any_database) as desk:
        yield desk


def lamp(ms: int, rest: str = '"level_pct": 50') -> tuple[str, str, bytes]:
    return "streetlight", "L1", b'{"ts": %d, %s}' % (ms, rest.encode())


@pytest.fixture(params=["at once", "by COPY"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows go at once, and many by COPY: here few as well."""
    if request.param == "by COPY":
        monkeypatch.setattr("ingest.store.COPY_ROWS_MIN", 0)


@pytest.mark.usefixtures("either_way")
async def test_values_come_back_as_they_were(desk: Desk) -> None:
    everything = (
        '"seq": 9223372036854775807, "level_pct": 33.333333333333336, "setpoint_pct": 0, "power_w": 1e-3, '
        '"energy_kwh": 123456789.125, "voltage_v": 230, "lux": 0.1, "motion": 65535, "temp_c": -12.5,'
        '"lamp_fault": true'
    )
    fates = await desk.write(
        lamp(MS, everything), lamp(MS - 1), lamp(MS - 2, '"level_pct": 1, "motion": 0, "lamp_fault": false')
    )
    assert fates.stored == {"streetlight": 3}
    columns = "seq, level_pct, setpoint_pct, power_w, energy_kwh, voltage_v, lux, motion, temp_c, lamp_fault"
    assert await desk.rows(f"SELECT {columns} FROM streetlight ORDER BY observed_at") == [
        (None, 1.0, None, None, None, None, None, 0, None, False),
        (None, 50.0, None, None, None, None, None, None, None, None),
        (2**63 - 1, 33.333333333333336, 0.0, 0.001, 123456789.125, 230.0, 0.1, 65535, -12.5, True),
    ]


@pytest.mark.usefixtures("either_way")
async def test_duplicates_within_and_across_batches(desk: Desk) -> None:
    first = await desk.write(lamp(MS), lamp(MS), lamp(MS, '"level_pct": 51'), lamp(MS + 1))
    assert (first.stored.total(), first.duplicate, first.conflicting) == (2, 2, 1)
    second = await desk.write(lamp(MS), lamp(MS + 1, '"level_pct": 1'), lamp(MS + 2))
    assert (second.stored.total(), second.duplicate, second.conflicting) == (1, 2, 1)
    third = await desk.write(lamp(MS), lamp(MS + 3), redelivered=True)
    assert (third.stored.total(), third.duplicate, third.conflicting) == (1, 1, 0)
    assert await desk.rows("SELECT count(*), sum(level_pct) FROM streetlight") == [(4, 200.0)]


async def test_redelivery_without_time(desk: Desk) -> None:
    uplink = ("streetlight", "L1", b'{"seq": 5, "level_pct": 1}')
    assert (await desk.write(uplink, uplink)).duplicate == 1
    desk.now_us += DAY_US - 1_000_000
    again = await desk.write(uplink, ("streetlight", "L1", b'{"seq": 5, "level_pct": 2}'))
    assert (again.duplicate, again.conflicting) == (2, 1)
    desk.now_us += 2_000_000
    assert (await desk.write(uplink)).stored.total() == 1


async def test_everything_at_once_over_months(desk: Desk) -> None:
    rng = np.random.default_rng(1)
    times = rng.integers(1_600_000_000_000, MS, 400).tolist()
    fates = await desk.write(*[lamp(ms) for ms in times], ("parking_bay", "B1", b"nonsense"), lamp(0))
    assert (fates.stored.total(), fates.quarantined.total()) == (len(set(times)) + 1, 1)
    assert await desk.rows("SELECT received, stored, duplicate, quarantined FROM ledger") == [
        (402, len(set(times)) + 1, 400 - len(set(times)), 1)
    ]
    assert await desk.rows("SELECT (extract(epoch FROM observed_at) * 1000)::bigint FROM latest_observation") == [
        (max(times),)
    ]


async def test_the_account_is_kept_by_utc_day_of_receipt(desk: Desk) -> None:
    await desk.write(lamp(MS))
    desk.now_us += DAY_US
    await desk.write(lamp(MS + 1), lamp(MS + 2))
    assert await desk.rows("SELECT received FROM ledger ORDER BY day") == [(1,), (2,)]


async def test_who_settles_is_seen(desk: Desk) -> None:
    """A gateway has no heartbeat: a day after its first booking anybody's farewell forgot what it had settled."""
    await desk.write(lamp(MS))
    await desk.rows("UPDATE ingest_instance SET seen_at = seen_at - interval '2 days' RETURNING instance")
    await desk.write(lamp(MS + 1))
    assert await desk.rows("SELECT clock_timestamp() - seen_at < interval '1 min' FROM ingest_instance") == [(True,)]


async def test_what_nobody_foresaw_condemns_only_its_cause(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(rows: Rows) -> list[Values]:
        if (rows.columns.fields["level_pct"] == 13).any():
            raise ZeroDivisionError("nobody foresaw this")
        return values_of(rows)

    monkeypatch.setattr("ingest.store.values_of", stumbles)
    fates = await desk.write(lamp(MS), lamp(MS + 1, '"level_pct": 13'), lamp(MS + 2))
    assert (fates.stored.total(), fates.quarantined) == (2, {Reason.OUT_OF_RANGE: 1})


@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError])
async def test_an_error_of_ours_that_spares_nobody_condemns_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    mended = False

    def stumbles(rows: Rows) -> list[Values]:
        if not mended:
            raise error("our own mistake")
        return values_of(rows)

    monkeypatch.setattr("ingest.store.values_of", stumbles)
    writing = asyncio.create_task(desk.write(*[lamp(MS + number) for number in range(40)]))
    await asyncio.sleep(1)
    assert not writing.done()
    assert await desk.rows("SELECT count(*) FROM quarantine") == [(0,)]
    mended = True
    fates = await asyncio.wait_for(writing, 20)
    assert (fates.stored.total(), fates.quarantined.total()) == (40, 0)


async def test_what_was_missing_for_a_while_leaves_nothing_behind(desk: Desk) -> None:
    await desk.write(lamp(MS))
    await desk.do("ALTER TABLE ingest_instance RENAME TO mislaid")
    writing = asyncio.create_task(desk.write(lamp(MS + 1)))
    await asyncio.sleep(1)
    await desk.do("ALTER TABLE mislaid RENAME TO ingest_instance")
    assert (await asyncio.wait_for(writing, 20)).stored.total() == 1
    assert (await asyncio.wait_for(desk.write(lamp(MS + 2)), 20)).stored.total() == 1


async def test_who_may_still_commit_is_ended_before_it_is_done_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that had waited for a lock came after all, and its rows were booked once more as duplicates."""
    monkeypatch.setattr("ingest.writer.ATTEMPT_S_MAX", 0.3)
    async with opened(database) as desk, await connect(database) as reader:
        await desk.write(lamp(MS))
        async with reader.transaction():
            await reader.execute("SELECT FROM latest_observation FOR UPDATE")
            writing = asyncio.create_task(desk.write(lamp(MS + 1)))
            await asyncio.sleep(1)
        assert (await asyncio.wait_for(writing, 20)).stored.total() == 1
        assert await desk.rows("SELECT received, stored, duplicate FROM ledger") == [(2, 2, 0)]


async def test_a_partition_that_cannot_be_made_condemns_nobody(database: str) -> None:
    """All rows of its month were quarantined, each as if it were out of range."""
    async with opened(database) as desk:
        await desk.do("CREATE TABLE streetlight_2026_11 (LIKE streetlight INCLUDING ALL)")
        await desk.do(
            "INSERT INTO streetlight_2026_11 (asset_id, observed_at, received_at, level_pct)"
            " VALUES (1, '2020-01-01', '2020-01-01', 1)"
        )
        writing = asyncio.create_task(desk.write(lamp(MS), lamp(MS + 1)))
        await asyncio.sleep(0.7)
        assert not writing.done()
        assert await desk.rows("SELECT count(*) FROM quarantine") == [(0,)]
        await desk.do("DROP TABLE streetlight_2026_11")
        assert (await asyncio.wait_for(writing, 20)).stored.total() == 2

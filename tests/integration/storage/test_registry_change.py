"""Swapping a device and retiring an asset at a moment: installations are split there, history stays."""

import pytest

from storage import registry
from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from storage.registry import import_csv
from storage.registry_change import ChangeRefused, retire, swap
from telemetry.clock import HOUR_US, SECOND_US, to_us
from telemetry.registry import ALWAYS_US, EVER_US
from tests.integration.storage.rows import at, register, store, table

NOON = to_us(at("2026-11-02 12:00"))
NOW = NOON + 8 * HOUR_US


@pytest.fixture
async def lamps(native: Connection) -> Connection:
    await register(native, ("lamp-1", "streetlight", "north"), ("lamp-2", "streetlight", "north"))
    return native


async def served(conn: Connection, device: str) -> list[tuple[int, int, int]]:
    rows = (await registry.load(conn)).served(device, "streetlight")
    return [(each.asset_id, each.served_from_us, each.served_to_us) for each in rows]


async def test_a_swap_splits_the_installations_at_its_moment(lamps: Connection) -> None:
    before = await registry.version(lamps)
    assert await swap(lamps, "lamp-1", "new", NOON, NOW) == "device-lamp-1"
    assert await registry.version(lamps) > before
    assert await served(lamps, "device-lamp-1") == [(1, EVER_US, NOON)]
    assert await served(lamps, "new") == [(1, NOON, ALWAYS_US)]
    assert await table(lamps, "SELECT by, action, subject, detail FROM audit") == [
        (
            "command line",
            "swap_device",
            "asset:lamp-1",
            {"from": "device-lamp-1", "to": "new", "effective": "2026-11-02T12:00:00Z"},
        )
    ]


async def test_backfill_goes_to_the_asset_served_at_its_time(lamps: Connection) -> None:
    await swap(lamps, "lamp-1", "spare", NOON, NOW)
    await swap(lamps, "lamp-2", "device-lamp-1", NOON + HOUR_US, NOW)
    loaded = await registry.load(lamps)
    moments = [NOON - SECOND_US, NOON, NOON + HOUR_US]
    assert [loaded.asset_at("device-lamp-1", "streetlight", moment) for moment in moments] == [1, None, 2]


async def test_a_swap_at_the_moment_of_the_last_one_corrects_it(lamps: Connection) -> None:
    await swap(lamps, "lamp-1", "mistyped", NOON, NOW)
    await swap(lamps, "lamp-1", "new", NOON, NOW)
    assert (await served(lamps, "mistyped"), await served(lamps, "new")) == ([], [(1, NOON, ALWAYS_US)])


async def test_an_asset_without_device_gets_one(lamps: Connection) -> None:
    await import_csv(lamps, "asset,kind\nlamp-3,streetlight\n", NOW)
    assert await swap(lamps, "lamp-3", "new", NOON, NOW) is None
    assert await served(lamps, "new") == [(3, NOON, ALWAYS_US)]


async def test_a_retired_asset_keeps_its_history_and_frees_its_device(lamps: Connection) -> None:
    assert await retire(lamps, "lamp-1", NOON, NOW) == "device-lamp-1"
    one = (await registry.load(lamps)).assets[1]
    assert (one.retired, one.device) == (True, None)
    assert await served(lamps, "device-lamp-1") == [(1, EVER_US, NOON)]
    assert await table(lamps, "SELECT action, subject FROM audit") == [("retire_asset", "asset:lamp-1")]
    assert await swap(lamps, "lamp-2", "device-lamp-1", NOON, NOW) == "device-lamp-2"


async def test_what_cannot_be_is_refused_in_one_sentence_and_changes_nothing(lamps: Connection) -> None:
    await swap(lamps, "lamp-1", "new", NOON, NOW)
    await retire(lamps, "lamp-2", NOON + HOUR_US, NOW)
    await import_csv(lamps, "asset,kind,device\nlamp-3,streetlight,d-3\nlamp-4,streetlight,\n", NOW)
    version = await registry.version(lamps)
    refusals = [
        (swap(lamps, "lamp-9", "other", NOON, NOW), "There is no asset 'lamp-9'."),
        (retire(lamps, "lamp-9", NOON, NOW), "There is no asset 'lamp-9'."),
        (swap(lamps, "lamp-1", "a/b", NOON, NOW), "'a/b' is no name for a device"),
        (swap(lamps, "lamp-1", "new", NOW, NOW), "'lamp-1' is served by 'new' already."),
        (swap(lamps, "lamp-1", "d-3", NOW, NOW), "'d-3' serves 'lamp-3': swap or retire that one first."),
        (
            swap(lamps, "lamp-4", "device-lamp-2", NOON, NOW),
            "'device-lamp-2' served 'lamp-2' until 2026-11-02T13:00:00Z: say a later moment.",
        ),
        (
            swap(lamps, "lamp-1", "other", NOON - SECOND_US, NOW),
            "2026-11-02T11:59:59Z is too early: 'new' has served 'lamp-1' since 2026-11-02T12:00:00Z.",
        ),
        (retire(lamps, "lamp-1", NOON - SECOND_US, NOW), "is too early"),
        (swap(lamps, "lamp-1", "other", NOW + HOUR_US, NOW), "is still to come: the city's time is 2026-11-02T20:00"),
        (retire(lamps, "lamp-2", NOW, NOW), "'lamp-2' is retired already: importing its row brings it back"),
        (swap(lamps, "lamp-2", "other", NOW, NOW), "'lamp-2' is retired already"),
    ]
    for change, words in refusals:
        with pytest.raises(ChangeRefused) as refused:
            await change
        assert words in refused.value.detail
    assert await registry.version(lamps) == version


async def test_a_swap_in_the_past_takes_back_the_step_between_the_meters(conn: Connection, pool: Pool) -> None:
    await register(conn, ("lamp-1", "streetlight", "north"))
    levels = [("10:10", 100.0), ("13:20", 500.0), ("13:40", 500.5)]
    rows = [(1, at(f"2026-11-02 {time}"), {"level_pct": 50.0, "energy_kwh": value}) for time, value in levels]
    await store(conn, "streetlight", rows)
    await maintain(pool, NOW)
    increase = "SELECT energy_kwh_delta FROM streetlight_daily"
    assert await table(conn, increase) == [(400.5,)]
    await swap(conn, "lamp-1", "new", NOON, NOW)
    await maintain(pool, NOW)
    assert await table(conn, increase) == [(0.5,)]

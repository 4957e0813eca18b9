"""Importing a registry into a real database, and reading it back as plain data."""

import time

import pytest

from storage import registry
from storage.pool import Connection
from storage.registry import Counts, RegistryRefused, Wanted, import_csv
from storage.registry_change import retire
from telemetry.clock import HOUR_US
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.registry import ALWAYS_US, EVER_US, Installation, Zone

NOW = 1_795_000_000_000_000
LAMPS = """asset,kind,name,zone,lat,lon,device,min_level_pct,crossing
altstadt,zone,Altstadt,,51.4,7.3,,,
lamp-1,streetlight,Markt 1,altstadt,51.41,7.31,d-1,30,true
lamp-2,streetlight,Markt 2,altstadt,,,d-2,,
"""


@pytest.fixture
def conn(native: Connection) -> Connection:
    return native


async def told(
    conn: Connection, text: str, *, at_us: int = NOW, dry_run: bool = False, retire_missing: bool = False
) -> list[str]:
    lines: list[str] = []
    await import_csv(conn, text, at_us, Wanted(dry_run, retire_missing, tell=lines.append))
    return lines


async def device_of(conn: Connection, asset: str) -> str | None:
    assets = (await registry.load(conn)).assets.values()
    return next(each.device for each in assets if each.asset == asset)


async def installations(conn: Connection) -> set[tuple[str, int, int, int]]:
    loaded = await registry.load(conn)
    served = [each for kinds in loaded.installations.values() for rows in kinds.values() for each in rows]
    return {(i.device, i.asset_id, i.served_from_us, i.served_to_us) for i in served}


async def test_what_is_imported_is_loaded(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    loaded = await registry.load(conn)
    assert loaded.zones == {"altstadt": Zone("altstadt", "Altstadt", 51.4, 7.3)}
    one, two = loaded.assets.values()
    assert (one.asset, one.name, one.zone, one.lat, one.lon, one.device) == (
        "lamp-1", "Markt 1", "altstadt", 51.41, 7.31, "d-1",
    )  # fmt: skip
    assert one.attributes.min_level_pct == 30  # type: ignore[attr-defined]
    assert one.attributes.crossing is True  # type: ignore[attr-defined]
    assert (two.lat, two.attributes.crossing, two.retired) == (None, None, False)  # type: ignore[attr-defined]
    assert loaded.served("d-1", "streetlight") == (Installation("d-1", "streetlight", one.asset_id),)


async def test_a_zone_remembers_since_when_it_and_its_bays_are_as_they_are(conn: Connection) -> None:
    head = "asset,kind,name,zone,device,reserved_for\n"
    bays = "a,zone,A,,,\nb,zone,B,,,\nbay-1,parking_bay,,a,d-1,\nbay-2,parking_bay,,a,d-2,\n"
    steps = [
        (head + bays, {"a", "b"}),
        (head + bays, set()),
        (head + bays.replace("d-1", "d-3"), set()),
        (head + "lamp-1,streetlight,,a,,\n", set()),
        (head + "bay-1,parking_bay,,a,d-3,disabled\n", {"a"}),
        (head + "bay-1,parking_bay,,b,d-3,disabled\n", {"a", "b"}),
        (head + "b,zone,By the sea,,,\n", {"b"}),
    ]
    expected = {}
    for hour, (text, changed) in enumerate(steps):
        at_us = NOW + hour * HOUR_US
        await import_csv(conn, text, at_us)
        expected |= dict.fromkeys(changed, at_us)
        assert {each.zone: each.changed_us for each in (await registry.load(conn)).zones.values()} == expected, text
    gone_us = NOW + 9 * HOUR_US
    await retire(conn, "bay-2", gone_us, gone_us)
    assert (await registry.load(conn)).zones["a"].changed_us == gone_us
    await import_csv(conn, head + "lamp-1,streetlight,,a,,\n", gone_us + HOUR_US, Wanted(retire_missing=True))
    assert (await registry.load(conn)).zones["b"].changed_us == gone_us + HOUR_US, "its last bay went"


async def test_a_first_installation_has_been_there_ever_since(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    assert await installations(conn) == {("d-1", 1, EVER_US, ALWAYS_US), ("d-2", 2, EVER_US, ALWAYS_US)}


async def test_the_version_moves_only_when_something_changes(conn: Connection) -> None:
    before = await registry.version(conn)
    await import_csv(conn, LAMPS, NOW)
    after = await registry.version(conn)
    assert after > before
    assert await told(conn, LAMPS) == []
    assert await registry.version(conn) == after
    assert (await registry.load(conn)).version == after


async def test_a_dry_run_says_what_would_change_and_changes_nothing(conn: Connection) -> None:
    assert await told(conn, LAMPS, dry_run=True) == [
        "+ zone altstadt",
        "+ lamp-1 with device d-1",
        "+ lamp-2 with device d-2",
    ]
    assert (await registry.load(conn)).assets == {}


async def test_a_row_changes_what_it_has_columns_for(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    changes = "asset,kind,name,crossing\nlamp-1,streetlight,Rathaus,\naltstadt,zone,Old town,\n"
    assert await told(conn, changes) == [
        "~ zone altstadt: name Altstadt → Old town",
        "~ lamp-1: name Markt 1 → Rathaus, crossing true → (none)",
    ]
    asset = (await registry.load(conn)).assets[1]
    assert (asset.name, asset.zone, asset.device) == ("Rathaus", "altstadt", "d-1")
    assert asset.attributes.min_level_pct == 30  # type: ignore[attr-defined]
    assert asset.attributes.crossing is None  # type: ignore[attr-defined]


async def test_another_device_is_a_swap_now(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    swap = "asset,kind,device\nlamp-1,streetlight,d-9\n"
    assert await told(conn, swap) == ["~ lamp-1: device d-1 swapped for d-9"]
    assert await installations(conn) == {
        ("d-1", 1, EVER_US, NOW),
        ("d-9", 1, NOW, ALWAYS_US),
        ("d-2", 2, EVER_US, ALWAYS_US),
    }


async def test_two_assets_may_exchange_their_devices(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    await import_csv(conn, "asset,kind,device\nlamp-1,streetlight,d-2\nlamp-2,streetlight,d-1\n", NOW)
    assert (await device_of(conn, "lamp-1"), await device_of(conn, "lamp-2")) == ("d-2", "d-1")


async def test_a_second_swap_at_the_same_moment_replaces_the_first(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    await import_csv(conn, "asset,kind,device\nlamp-1,streetlight,d-8\n", NOW)
    await import_csv(conn, "asset,kind,device\nlamp-1,streetlight,d-9\n", NOW)
    assert ("d-9", 1, NOW, ALWAYS_US) in await installations(conn)
    assert not any(device == "d-8" for device, *_ in await installations(conn))


async def test_an_empty_device_leaves_the_hardware_alone(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    assert await told(conn, "asset,kind,device\nlamp-1,streetlight,\n") == []


async def test_a_device_cannot_serve_two_assets_of_a_kind(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    with pytest.raises(RegistryRefused) as refused:
        await import_csv(conn, "asset,kind,device\nlamp-3,streetlight,d-1\nshaft-1,drain_level,d-1\n", NOW)
    assert list(map(str, refused.value.mistakes)) == [
        "line 2: the device 'd-1' serves 'lamp-1': give that asset another device or retire it"
    ]


async def test_an_asset_keeps_its_kind(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    with pytest.raises(RegistryRefused, match="line 2: 'lamp-1' is a streetlight and stays one"):
        await import_csv(conn, "asset,kind\nlamp-1,parking_bay\n", NOW)


async def test_one_mistake_refuses_the_whole_file(conn: Connection) -> None:
    with pytest.raises(RegistryRefused):
        await import_csv(conn, LAMPS + "lamp-3,lantern,,,,,,,\n", NOW)
    assert (await registry.load(conn)).assets == {}


async def test_what_a_file_does_not_name_stays_unless_it_is_to_be_retired(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    one = "asset,kind\nlamp-1,streetlight\n"
    assert await told(conn, one) == []
    assert await told(conn, one, retire_missing=True) == ["- lamp-2 retired"]
    lamp = (await registry.load(conn)).assets[2]
    assert (lamp.retired, lamp.device) == (True, None)
    assert ("d-2", 2, EVER_US, NOW) in await installations(conn)
    assert await told(conn, one, retire_missing=True) == []


async def test_a_file_without_assets_retires_nothing(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    with pytest.raises(RegistryRefused, match="names no asset"):
        await import_csv(conn, "asset,kind\n", NOW, Wanted(retire_missing=True))
    assert not any(asset.retired for asset in (await registry.load(conn)).assets.values())


async def test_a_retired_asset_comes_back_by_its_row(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    await import_csv(conn, "asset,kind\nlamp-1,streetlight\n", NOW, Wanted(retire_missing=True))
    later = NOW + HOUR_US
    assert await told(conn, LAMPS, at_us=later) == [
        "~ lamp-2: in service again, device d-2 installed",
    ]
    assert ("d-2", 2, later, ALWAYS_US) in await installations(conn)


async def test_a_zone_that_is_only_named_is_added(conn: Connection) -> None:
    lamp = "asset,kind,zone\nlamp-1,streetlight,hafen\n"
    assert await told(conn, lamp) == ["+ zone hafen", "+ lamp-1"]
    assert (await registry.load(conn)).zones == {"hafen": Zone("hafen", "hafen")}


async def test_an_exported_registry_changes_nothing(conn: Connection) -> None:
    await import_csv(conn, LAMPS, NOW)
    exported = await registry.export_csv(conn)
    assert await told(conn, exported, retire_missing=True) == []


async def test_thousands_of_rows_are_quick(conn: Connection) -> None:
    rows = [f"lamp-{n},streetlight,Lamp {n},zone-{n % 20},51.4,7.3,d-{n}" for n in range(5_000)]
    text = "\n".join(["asset,kind,name,zone,lat,lon,device", *rows])
    began = time.monotonic()
    await import_csv(conn, text, NOW)
    assert len((await registry.load(conn)).assets) == 5_000
    assert time.monotonic() - began < 5


async def test_a_stored_value_that_is_no_longer_lawful_is_left_out(conn: Connection) -> None:
    await import_csv(conn, "asset,kind,min_level_pct,crossing\nlamp-1,streetlight,40,true\n", NOW)
    await conn.execute("""UPDATE asset SET attributes = attributes || '{"min_level_pct": 140}'""")
    (lamp,) = (await registry.load(conn)).assets.values()
    assert isinstance(lamp.attributes, StreetLightAttributes)
    assert (lamp.attributes.min_level_pct, lamp.attributes.crossing) == (None, True)


async def test_an_import_says_how_much_it_changes(conn: Connection) -> None:
    assert await import_csv(conn, LAMPS, NOW) == Counts(added=3)
    changes = "asset,kind,name\nlamp-1,streetlight,Rathaus\naltstadt,zone,Altstadt\nlamp-3,streetlight,\n"
    dry = Wanted(dry_run=True, retire_missing=True)
    assert await import_csv(conn, changes, NOW, dry) == Counts(added=1, changed=1, retired=1, unchanged=1)
    wet = Wanted(retire_missing=True, by="me")
    assert await import_csv(conn, changes, NOW, wet) == Counts(added=1, changed=1, retired=1, unchanged=1)
    assert await import_csv(conn, changes, NOW, wet) == Counts(unchanged=3)
    audited = await (await conn.execute("SELECT by, action, detail FROM audit")).fetchall()
    assert audited == [("me", "import_registry", {"added": 1, "changed": 1, "retired": 1, "unchanged": 1})]


async def test_a_devices_model_is_kept_with_it(conn: Connection) -> None:
    lamp = "asset,kind,device,model\nlamp-1,streetlight,{},{}\n"
    assert await told(conn, lamp.format("d-1", "nas/ul2020")) == ["+ lamp-1 with device d-1, a nas/ul2020"]
    assert await told(conn, lamp.format("", "")) == []
    before = await registry.version(conn)
    assert await told(conn, lamp.format("", "nas/ul2030")) == ["~ lamp-1: model nas/ul2020 → nas/ul2030"]
    assert await registry.version(conn) > before
    assert (await registry.load(conn)).models == {"d-1": "nas/ul2030"}
    assert "lamp-1,streetlight,,,,,d-1,nas/ul2030," in await registry.export_csv(conn)
    assert '"model": "nas/ul2030"' in await registry.export_geojson(conn)
    swap = ["~ lamp-1: device d-1 swapped for d-2, model (none) → nas/ul2020"]
    assert await told(conn, lamp.format("d-2", "nas/ul2020")) == swap
    assert (await registry.load(conn)).models == {"d-1": "nas/ul2030", "d-2": "nas/ul2020"}

"""What lamps drew against full light all night, from the rollups of their reports."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from storage import energy
from storage.energy import Dark
from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import Row, at, register, store

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = [dt.datetime(2026, 11, day, tzinfo=BERLIN) for day in (20, 21)]
DARK = [Dark(begin, begin, begin + dt.timedelta(hours=7)) for begin in NIGHTS] + [
    Dark(begin, begin + dt.timedelta(hours=17), begin + dt.timedelta(hours=24)) for begin in NIGHTS
]
ALARM = """INSERT INTO alarm (id, subject, asset, type, severity, state, raised_at, observed_at, cleared_at)
    VALUES (%(subject)s || %(type)s, %(subject)s, %(asset)s, %(type)s, 'warning', 'acknowledged', %(began)s, %(began)s,
            %(ended)s)"""


def night(asset: int, begin: dt.datetime, kwh: float, level_pct: float, power_w: float) -> list[Row]:
    """A lamp's local day: the meter at its beginning and end, and what it gave and drew between."""
    given = [
        (0, {"energy_kwh": kwh, "level_pct": 0.0, "power_w": 0.5}),
        (18, {"energy_kwh": kwh + 0.1, "level_pct": level_pct, "power_w": power_w}),
        (23, {"energy_kwh": kwh + 0.5, "level_pct": level_pct, "power_w": power_w}),
    ]
    return [(asset, begin + dt.timedelta(hours=hour, minutes=30), fields) for hour, fields in given]


async def test_full_light_is_what_a_lamp_drew_at_full_light_else_scaled(conn: Connection, pool: Pool) -> None:
    lamps = [("lamp-1", "streetlight", "ring"), ("lamp-2", "streetlight", "ring"), ("lamp-3", "streetlight", "ring")]
    await register(conn, *lamps)
    rows = [row for place, begin in enumerate(NIGHTS) for row in night(1, begin, place, 100.0, 80.0)]
    rows += night(2, NIGHTS[0], 5.0, 50.0, 30.0) + night(3, NIGHTS[0], 5.0, 0.0, 0.5)
    await store(conn, "streetlight", rows)
    await maintain(pool, to_us(at("2026-11-23 09:00")))
    (found,) = await energy.by_zone_and_month(conn, NIGHTS[0], NIGHTS[1] + dt.timedelta(days=1), DARK)
    assert (found.zone, found.month, found.lamps, found.lamps_unknown) == ("ring", dt.date(2026, 11, 1), 2, 1)
    assert found.nights == 3
    # lamp-1: 80 W, 0.5 kWh on its first day, 0.5 on its second and 0.5 between them. lamp-2: 60 W at full light.
    # Of the 14 dark hours a day, the half hour before a meter's first reading counts no more than that after its last.
    assert found.full_kwh == pytest.approx((27 * 80 + 13 * 60) / 1000)
    assert found.drawn_kwh == pytest.approx(0.5 + 1.0 + 0.5)


async def test_the_dark_before_a_meters_first_reading_is_not_saved(conn: Connection, pool: Pool) -> None:
    await register(conn, ("lamp-1", "streetlight", "ring"))
    evening = NIGHTS[0] + dt.timedelta(hours=20, minutes=15)
    given = {"level_pct": 100.0, "power_w": 80.0}
    rows: list[Row] = [
        (1, evening + dt.timedelta(minutes=minute), given | {"energy_kwh": 80 * minute / 60_000})
        for minute in range(0, 25, 5)
    ]
    await store(conn, "streetlight", [*rows, (1, evening - dt.timedelta(hours=2), given)])
    await maintain(pool, to_us(at("2026-11-20 20:30")))
    (found,) = await energy.by_zone_and_month(conn, NIGHTS[0], NIGHTS[1], DARK)
    assert found.drawn_kwh == pytest.approx(found.full_kwh) == pytest.approx(80 * 20 / 60_000)


async def test_without_readings_there_is_nothing_to_tell(conn: Connection) -> None:
    assert await energy.by_zone_and_month(conn, NIGHTS[0], NIGHTS[1], DARK) == []


async def test_a_lamp_is_unlit_in_the_dark_while_alarms_say_so_once_for_all_of_them(conn: Connection) -> None:
    await register(conn, ("lamp-1", "streetlight", "ring"), ("lamp-2", "streetlight", "alley"))
    await conn.execute('UPDATE asset SET attributes = \'{"cabinet": "K1"}\'')
    noon, hour = NIGHTS[0] + dt.timedelta(hours=12), dt.timedelta(hours=1)
    for subject, asset, kind, began, ended in (
        ("asset:lamp-1", "lamp-1", "lamp_fault", noon, noon + 9 * hour),
        ("asset:lamp-1", "lamp-1", "supply_loss", noon + 8 * hour, noon + 10 * hour),
        ("cabinet:K1", None, "cabinet_outage", NIGHTS[1] + hour, None),
        ("asset:lamp-2", "lamp-2", "lamp_not_following", NIGHTS[0], None),
    ):
        given = {"subject": subject, "asset": asset, "type": kind, "began": began, "ended": ended}
        await conn.execute(ALARM, given)
    found = await energy.by_zone_and_month(conn, NIGHTS[0], NIGHTS[1] + 24 * hour, DARK)
    assert [(each.zone, each.lamps, each.unlit_h) for each in found] == [
        ("alley", 0, 6.0 + 7.0),
        ("ring", 0, 5.0 + 13.0),
    ]

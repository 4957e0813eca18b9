"""`lamplighter import`: history from a file, booked, summed up, and silent."""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

import ingest.history
from lamplighter.cli import run
from storage import ledger
from storage.ledger_check import check_day
from storage.lifecycle import maintain
from storage.pool import connect, open_pool
from telemetry.clock import to_us

T = TypeVar("T")
REGISTRY = """asset,kind,name,zone,lat,lon,device,sensor_height_m
lamp-1,streetlight,,north,,,L1,
lamp-2,streetlight,,north,,,L2,
shaft-1,drain_level,,,,,D1,3
"""
HISTORY = """asset,ts,level_pct,energy_kwh,lamp_fault,distance_m,rain_mm_h
lamp-1,2025-03-01T00:00:00Z,10,100.5,false,,
lamp-1,2025-03-01T01:30:00+01:00,50,101,true,,
lamp-2,1740787200000,70,,,,
shaft-1,2025-03-01T00:00:00Z,,,,1.25,0.5
"""
Look = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def city(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Look:
    """A registered town; what it gives looks into its database."""
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    Path("city.csv").write_text(REGISTRY)
    assert run(["registry", "import", "city.csv"]) == 0
    capfd.readouterr()

    def look(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database) as connection:
            found = connection.execute(sql)
            return found.fetchall() if found.description else []

    return look


def told(capfd: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, str, list[str]]:
    """Exit code, standard output, and the lines of standard error of an import of this text."""
    Path("history.csv").write_text(text)
    code = run(["import", "history.csv", *options])
    out, err = capfd.readouterr()
    return code, out, err.splitlines()


def in_database(url: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    async def connected() -> T:
        async with await connect(url) as conn:
            return await work(conn)

    return asyncio.run(connected())


ACCOUNT = "SELECT sum(received), sum(stored), sum(duplicate), sum(quarantined), sum(conflicting) FROM ledger"


def test_what_a_file_says_is_stored_once_and_booked(
    city: Look, database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert told(capfd, HISTORY) == (0, "4 observations stored, 0 there already.\n", [])
    assert city("SELECT asset_id, level_pct, energy_kwh, lamp_fault FROM streetlight ORDER BY 1, observed_at") == [
        (1, 10.0, 100.5, False), (1, 50.0, 101.0, True), (2, 70.0, None, None),
    ]  # fmt: skip
    assert city("SELECT level_m, distance_m, rain_mm_h, time_from_receipt FROM drain_level") == [
        (1.75, 1.25, 0.5, False)
    ]
    again = HISTORY.replace("70", "71")
    kept = "SELECT detail ->> 'file', (detail -> 'stored')::int FROM audit WHERE action = 'import_history'"
    assert city(kept) == [("history.csv", 4)]
    assert told(capfd, again)[1] == "0 observations stored, 4 there already (1 with other values).\n"
    assert city(ACCOUNT) == [(8, 4, 4, 0, 1)]
    (day,) = in_database(database, ledger.days)
    now_us = to_us(dt.datetime.now(dt.UTC))
    check = in_database(database, lambda conn: check_day(conn, day.day, now_us))
    assert (check.balances, check.rows_found) == (True, 4)


def test_it_enters_the_rollups_and_is_the_latest_only_where_it_is(
    city: Look, database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    told(capfd, "asset,ts,level_pct\nlamp-1,2025-03-02T00:00:00Z,90\n")
    told(capfd, HISTORY)

    async def summed_up() -> None:
        async with await open_pool(database, size=2) as pool:
            await maintain(pool, to_us(dt.datetime(2025, 3, 3, tzinfo=dt.UTC)))

    asyncio.run(summed_up())
    hourly = "SELECT count, level_pct_avg, energy_kwh_delta FROM streetlight_hourly WHERE asset_id = 1 ORDER BY bucket"
    assert city(hourly) == [(2, 30.0, 0.5), (1, 90.0, None)]
    assert city("SELECT count, level_pct_avg FROM streetlight_daily WHERE asset_id = 2") == [(1, 70.0)]
    latest = city("SELECT asset_id, fields ->> 'level_pct' FROM latest WHERE kind = 'streetlight' ORDER BY asset_id")
    assert latest == [(1, "90.0"), (2, "70.0")]
    city("UPDATE raw_horizon SET dropped_before = '2025-03-01Z' WHERE kind = 'streetlight'")
    _, _, err = told(capfd, "asset,ts,level_pct\nlamp-1,2025-02-28T23:00:00Z,90\n")
    assert err[0] == "line 2: streetlight of before 2025-03-01T00:00:00Z is no longer kept"


BAD = """device;ts;level_pct;motion;lamp_fault;occupied;distance_m
L1;2025-03-01T00:00:00Z;10,5;3;WAHR;;
L9;2025-03-01T00:00:00Z;10;;;;
L1;2025-03-01T00:00:00;10;;;;
L1;;10;;;;
L1;2999-01-01T00:00:00Z;10;;;;
L1;2025-03-01T00:10:00Z;110;;;;
L1;2025-03-01T00:10:00Z;ten;;;;
L1;2025-03-01T00:10:00Z;10;2,5;;;
L1;2025-03-01T00:10:00Z;10;;perhaps;;
L1;2025-03-01T00:10:00Z;;3;;;
L1;2025-03-01T00:10:00Z;10;;;true;
L1;2025-03-01T00:10:00Z;10;;;;;;
D1;2025-03-01T00:10:00Z;;;;;40
"""


def test_a_bad_line_refuses_the_file_and_all_are_named(city: Look, capfd: pytest.CaptureFixture[str]) -> None:
    named = [
        "line 3: there is no device 'L9' in the registry (unknown_device)",
        "line 4: ts '2025-03-01T00:00:00' is not RFC 3339 with an offset (bad_timestamp)",
        "line 5: ts is empty (bad_timestamp)",
        "line 7: level_pct 110 is outside 0 to 100 % (out_of_range)",
        "line 8: level_pct 'ten' is no number (wrong_type)",
        "line 9: motion is a number, not an integer (wrong_type)",
        "line 10: lamp_fault 'perhaps' is neither true nor false (wrong_type)",
        "line 11: level_pct is neither given nor derivable (missing_field)",
        "line 12: occupied is no field of a streetlight (wrong_type)",
        "line 13: 9 cells, but the header has 7",
        "line 14: level_m -37 is outside -1 to 30 m (out_of_range)",
    ]
    for options in ((), ("--dry-run",)):
        code, out, err = told(capfd, BAD, *options)
        assert (code, out) == (1, "")
        assert [line for line in err if " ahead of " not in line] == [
            *named,
            "history.csv: 12 of 13 lines are bad; nothing was stored. Mend them, or leave them out with --skip-bad.",
        ]
    assert city(ACCOUNT) == [(None,) * 5]
    code, out, err = told(capfd, BAD, "--skip-bad")
    assert (code, out, len(err)) == (0, "1 observation stored, 0 there already, 12 bad lines left out.\n", 12)
    assert city("SELECT level_pct, motion, lamp_fault FROM streetlight") == [(10.5, 3, True)]
    assert told(capfd, HISTORY, "--dry-run") == (0, "4 lines can be stored.\n", [])
    assert city(ACCOUNT) == [(1, 1, 0, 0, 0)]


def test_a_device_speaks_for_the_asset_that_it_served_at_the_time(
    city: Look, capfd: pytest.CaptureFixture[str]
) -> None:
    run(["registry", "swap", "lamp-1", "L9", "--at", "2025-03-01T00:00:00Z"])
    capfd.readouterr()
    text = "device,ts,level_pct\nL9,2025-03-01T00:00:00Z,9\nL1,2025-02-28T23:59:59Z,1\n"
    assert told(capfd, text)[1] == "2 observations stored, 0 there already.\n"
    assert city("SELECT asset_id, level_pct FROM streetlight ORDER BY observed_at") == [(1, 1.0), (1, 9.0)]
    code, _, err = told(capfd, text.replace("2025-02-28T23:59:59Z", "2025-03-01T00:00:01Z"))
    assert (code, err[0]) == (1, "line 3: the device served no asset of this kind at that time (kind_mismatch)")


def test_what_the_api_exports_is_imported_again(city: Look, capfd: pytest.CaptureFixture[str]) -> None:
    told(capfd, HISTORY)
    exported = (
        "observed_at,received_at,level_pct,setpoint_pct,power_w,energy_kwh,voltage_v,lux,motion,temp_c,lamp_fault,"
        "time_from_receipt,seq\r\n2025-03-01T00:00:00Z,2026-11-23T09:00:00.123456Z,10.0,,,100.5,,,,,false,false,\r\n"
        "2025-03-01T00:30:00Z,2026-11-23T09:00:00.123456Z,50.0,,,101.0,,,,,true,false,7\r\n"
    )
    assert told(capfd, exported, "--asset", "lamp-1")[1] == "0 observations stored, 2 there already.\n"
    assert (
        told(capfd, exported, "--asset", "lamp-2")[1]
        == "1 observation stored, 1 there already (1 with other values).\n"
    )
    assert told(capfd, exported, "--asset", "lamp-9")[2] == [
        "history.csv, line 1: there is no asset 'lamp-9' in the registry"
    ]


@pytest.mark.usefixtures("city")
def test_a_header_that_says_too_little_or_too_much_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capfd, "bucket,level\n")
    assert code == 1
    assert [line.removeprefix("history.csv, line 1: ").partition(":")[0] for line in err] == [
        "unknown column 'bucket'",
        "unknown column 'level'",
        "the column 'asset' or 'device' is missing; of a file that is of one asset, the option --asset says which",
        "the column 'ts' is missing",
    ]


def test_a_run_that_was_cut_short_is_continued_by_the_next(
    city: Look, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.history, "BATCH_ROWS_MAX", 1)
    city("ALTER TABLE drain_level RENAME TO away")
    code, _, err = told(capfd, HISTORY)
    assert code == 1
    assert err[-1].endswith("Until then 3 observations stored, 0 there already: run it again, and it continues.")
    city("ALTER TABLE away RENAME TO drain_level")
    assert told(capfd, HISTORY)[1] == "1 observation stored, 3 there already.\n"
    assert city(ACCOUNT) == [(7, 4, 3, 0, 0)]

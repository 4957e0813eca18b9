"""`lamplighter rules explain`: from the rules' memory in the database to sentences."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from lamplighter.cli import run
from rules.recall import changes
from rules.rulefile.active import content
from rules.state import blank
from storage import alarms, registry, rule_state, rule_versions
from storage.alarms import Raised
from storage.pool import connect
from storage.rule_state import Kept
from storage.rule_versions import RuleVersion
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US
from telemetry.thresholds import DimmingProgram, Lighting, Thresholds
from tests.parts.cities import BERLIN, SUN, City, Life

REGISTRY = """asset,kind,zone,device,crown_m,ground_m
D-17,drain_level,south,D17,1.0,1.5
L-1,streetlight,north,L1,,
"""
RULES = Thresholds(
    version="mine", lighting=Lighting(programs=(DimmingProgram("standard", night_level_pct=40, day_level_pct=40),))
)


@pytest.fixture
def town(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> int:
    """A town whose drain stands above its crown since a minute ago; when that was."""
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.setenv("LAMPLIGHTER_CITY_LAT", str(SUN.lat))
    monkeypatch.setenv("LAMPLIGHTER_CITY_LON", str(SUN.lon))
    monkeypatch.chdir(tmp_path)
    Path("city.csv").write_text(REGISTRY)
    assert run(["registry", "import", "city.csv"]) == 0
    seen_us = time.time_ns() // 1000 - MINUTE_US

    async def remember() -> None:
        async with await connect(database) as conn:
            life = Life(City(await registry.load(conn), RULES, SUN, BERLIN))
            drain = next(key for key, each in life.city.registry.assets.items() if each.asset == "D-17")
            life.observe(seen_us, "drain_level", [(drain, seen_us, 1.2)])
            kept = [
                Kept(each.asset_id, each.rule, each.position_us, each.values)
                for each in changes(life.city, blank(life.city), life.state)
            ]
            await rule_state.save(conn, kept)
            await rule_versions.activate(conn, RuleVersion("mine", content(RULES), "", "d", "anna"), seen_us)
            why = {"rule_version": "mine"}
            await alarms.turn(conn, [Raised("a", "asset:D-17", "D-17", AlarmType.BATTERY_LOW, seen_us, seen_us, why)])

    asyncio.run(remember())
    capfd.readouterr()
    return seen_us


def test_what_holds_and_what_is_next(town: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "explain", "D-17"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "D-17 (drain_level) at" in out
    assert "by the rules mine (by anna" in out
    assert (
        "drain_high is raised at 1.00 m (the crown) and cleared below 0.95 m: it does not stand; its delay runs" in out
    )
    assert "The alarm battery_low stands since" in out
    assert "if it stays so, drain_high is raised" in out
    assert run(["rules", "explain", "L-1", "--json", "--at", "2026-12-24T23:00:00Z"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["name"], found["at"]) == ("L-1", "2026-12-24T23:00:00Z")
    wanted = next(each for each in found["now"] if each["name"] == "wanted")
    assert wanted["figures"] == {"level_pct": 40.0, "by": "program"}


def test_only_a_lamp_needs_the_city_s_place_which_is_the_middle_of_what_is_registered_where_it_is_not_set(
    town: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAMPLIGHTER_CITY_LAT")
    monkeypatch.delenv("LAMPLIGHTER_CITY_LON")
    assert run(["rules", "explain", "D-17"]) == 0
    assert run(["rules", "explain", "D-71"]) == 1
    capfd.readouterr()
    assert run(["rules", "explain", "L-1"]) == 2
    assert "Dusk and dawn need the city's place" in capfd.readouterr().err
    Path("places.csv").write_text(f"asset,kind,lat,lon\nD-17,drain_level,{SUN.lat},{SUN.lon}\n")
    assert run(["registry", "import", "places.csv"]) == 0
    assert run(["rules", "explain", "L-1", "--at", "2026-12-24T23:00:00Z"]) == 0
    assert "It is night; dawn is at 0" in capfd.readouterr().out


def test_an_unknown_asset_is_one_sentence(town: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "explain", "D-71"]) == 1
    assert capfd.readouterr().err == "There is no asset and no parking zone 'D-71'. Did you mean D-17?\n"
    assert run(["rules", "explain", "D-17", "--at", "tomorrow"]) == 2
    assert "'tomorrow' is no moment with offset" in capfd.readouterr().err

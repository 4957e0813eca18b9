"""`lamplighter rules backtest`: other rules over recorded floods and what lamps reported, to the answer."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lamplighter.cli import run
from rules.backtest.lanes import Inline, LaneBroken, Processes
from rules.backtest.replay import Window
from telemetry.clock import HOUR_US, MINUTE_US, to_rfc3339
from tests.parts import floods
from tests.parts.cities import MIDNIGHT_US, city, lamp

REGISTRY = """asset,kind,zone,device,crown_m,ground_m
D-1,drain_level,south,D1,1.0,1.5
L-1,streetlight,north,L1,,
L-2,streetlight,north,L2,,
"""
CANDIDATE = """
[drainage]
high_raise_delay_s = 2400
[[lighting.programs]]
name = "standard"
night_level_pct = 60
"""


@pytest.fixture
def flood(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """A town after the first recorded flood; from when until when that was."""
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.setenv("LAMPLIGHTER_CITY_LAT", "51.45")
    monkeypatch.setenv("LAMPLIGHTER_CITY_LON", "7.01")
    monkeypatch.chdir(tmp_path)
    Path("city.csv").write_text(REGISTRY)
    record = floods.record(floods.GAGES[0])
    crossing_us = record.crossings_us()[0]
    since_us, until_us = crossing_us - 6 * HOUR_US, crossing_us + 18 * HOUR_US
    lines = ["asset,ts,level_m,level_pct,power_w"]
    lines += [
        f"D-1,{to_rfc3339(int(at_us))},{level_m:.4f},,"
        for at_us, level_m in zip(record.at_us, record.level_m, strict=True)
        if since_us <= at_us < until_us
    ]
    for at_us in range(since_us, until_us, 10 * MINUTE_US):
        lines += [f"L-{number},{to_rfc3339(at_us)},,100,{40 * number}" for number in (1, 2)]
    Path("history.csv").write_text("\n".join(lines))
    Path("candidate.toml").write_text(CANDIDATE)
    assert run(["registry", "import", "city.csv"]) == 0
    assert run(["import", "history.csv"]) == 0
    capfd.readouterr()
    return to_rfc3339(since_us), to_rfc3339(until_us)


def tried(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["rules", "backtest", *arguments])
    return code, *capfd.readouterr()


def test_a_rule_change_shows_in_alarms_commands_and_energy(
    flood: tuple[str, str], database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = _rows(database)
    code, out, err = tried(capfd, "candidate.toml", "--from", flood[0], "--to", flood[1], "--warm-up", "1h", "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    moved = [each for each in found["alarms"]["moved"] if each["active"]["type"] == "drain_high"]
    assert {each["raised_later_s"] for each in moved} == {2400 - 360}
    assert [each["type"] for each in found["alarms"]["new"] + found["alarms"]["gone"]] == []
    assert found["energy"]["lamps_known"] == 2
    assert found["energy"]["active_kwh"] != found["energy"]["candidate_kwh"]
    hours = {each["level_pct"]: (each["active"], each["candidate"]) for each in found["lamp_hours"]}
    assert [level for level, (_, candidate) in hours.items() if candidate] == [0, 60]
    assert hours[60] == (0, pytest.approx(sum(active for level, (active, _) in hours.items() if level)))
    programs = [each for each in found["commands"] if each["reason"] == "program"]
    assert {(each["zone"], each["program"]) for each in programs} == {("north", "standard")}
    assert found["observations"]["drain_level"]["count"] == 24 * 12
    assert _rows(database) == before


def test_people_read_a_table_and_see_what_history_lacks(
    flood: tuple[str, str], database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO raw_horizon (kind, dropped_before) VALUES ('drain_level', %s)", (flood[0],))
    code, out, err = tried(
        capfd, "candidate.toml", "--from", flood[0], "--to", flood[1], "--zone", "south", "--warm-up", "10m"
    )
    assert (code, err) == (0, "")
    assert "History is missing: observations of drain_level before" in out
    assert "drain_high" in out
    assert "raised 34 min later" in out
    assert "kWh" not in out


def test_what_cannot_be_tried_is_one_sentence(flood: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text("[drainage]\ndeadband_m = 9\n")
    for arguments, code, sentence in (
        (["bad.toml"], 1, "bad.toml is no rule file. 1 thing is wrong."),
        (["candidate.toml", "--from", flood[1], "--to", flood[0]], 2, "name the earlier moment first"),
        (["candidate.toml", "--from", "2001-01-01", "--to", "2001-01-02"], 1, "No observations are stored from"),
        (["candidate.toml", "--zone", "moon"], 1, "there is no zone moon"),
        (["candidate.toml", "--kind", "tree"], 2, "'tree' is no kind of sensor"),
    ):
        found, _, err = tried(capfd, *arguments)
        assert (found, err.count("\n")) == (code, 1), err
        assert sentence in err


def test_without_a_database_it_is_one_sentence(
    flood: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    code, out, err = tried(capfd, "candidate.toml")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("The database does not answer")


def test_processes_decide_as_one_process_does() -> None:
    town = city([lamp(1), lamp(2, zone="north")])
    windows = [Window(MIDNIGHT_US + number * 5 * MINUTE_US) for number in range(12)]
    found = []
    for lanes in (Inline([town], MIDNIGHT_US, None), Processes([town], MIDNIGHT_US, None)):
        for each in windows:
            lanes.take(each)
        found.append(lanes.outcomes())
        lanes.close()
    assert found[0] == found[1]


def test_a_process_that_ends_before_its_time_is_found() -> None:
    lanes = Processes([city([lamp(1)])], MIDNIGHT_US, None)
    lanes.take(Window(MIDNIGHT_US, {"streetlight": None}))  # type: ignore[dict-item]
    with pytest.raises(LaneBroken):
        lanes.outcomes()
    lanes.close()


def _rows(url: str) -> list[int]:
    """How many rows every table has."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        counted = [connection.execute(f'SELECT count(*) FROM "{name}"').fetchone() for (name,) in names.fetchall()]
    return [row[0] for row in counted if row]

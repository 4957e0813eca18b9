"""What the demo says, in its three voices, and the folder that it lives in."""

import json
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lamplighter.demo import folder as folders
from lamplighter.demo.folder import demo_folder
from lamplighter.demo.options import DEVICES, Options
from lamplighter.demo.report import Glance, Ready, Summary
from lamplighter.demo.views import JsonView, LinesView, ScreenView
from lamplighter.errors import Failure
from storage.figures import Figures
from storage.ledger import Ledger

READY = Ready("http://127.0.0.1:8080", "mqtt://platform:pw@127.0.0.1:1883", "postgresql://me:pw@127.0.0.1/city", "ll_x")
LEDGER = Ledger(
    received=12_345,
    stored=12_300,
    duplicate=40,
    quarantined=5,
    conflicting=0,
    unknown_fields=0,
    unkept=0,
    replayed=0,
    in_flight=0,
    since=date(2026, 11, 22),
)
FIGURES = Figures(
    LEDGER,
    alarms_raised=4,
    alarms_active=1,
    commands_queued=30,
    commands_verified=28,
    commands_lost=1,
    lamps=165,
    lamps_lit=20,
    light_pct=12.5,
    bays_free=41,
    bays=90,
)
SUMMARY = Summary(seconds=60.0, received=3_000, devices=300, city_us=1_795_363_800_000_000, figures=FIGURES)
GLANCE = Glance(1_795_363_800_000_000, 60.0, 123.4, FIGURES, 300, 0.0)


def test_json_is_a_first_line_and_a_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    view = JsonView()
    view.ready(READY)
    view.finished(SUMMARY)
    first, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {
        "ready": True,
        "http": "http://127.0.0.1:8080",
        "mqtt": "mqtt://platform:pw@127.0.0.1:1883",
        "database": "postgresql://me:pw@127.0.0.1/city",
        "ops_token": "ll_x",
    }
    assert last["ledger"] == LEDGER.document(), "as /ops/v1/ledger has it"
    assert (last["messages_per_s"], last["alarms_raised"], last["commands_verified"]) == (50.0, 4, 28)


def test_what_the_weaker_broker_does_not_promise_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    weak = Ready(READY.http, READY.mqtt, READY.database, READY.ops_token, missing="it forgets")
    LinesView().ready(weak)
    JsonView().ready(weak)
    lines = capsys.readouterr().out.splitlines()
    assert "Note: it forgets." in lines
    assert json.loads(lines[-1])["missing"] == "it forgets"


def test_lines_say_where_the_city_answers_and_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    view = LinesView()
    view.ready(READY)
    view.finished(SUMMARY)
    view.finished(replace(SUMMARY, figures=replace(FIGURES, alarms_raised=1, commands_verified=1)))
    out = capsys.readouterr().out
    assert " 4 alarms raised, 28 commands verified." in out
    assert " 1 alarm raised, 1 command verified." in out
    assert READY.http in out
    assert READY.mqtt in out
    assert "12,345 received = 12,300 stored + 40 duplicate + 5 quarantined" in out


def test_the_screen_shows_the_city_of_this_moment(capsys: pytest.CaptureFixture[str]) -> None:
    with ScreenView("Lamplighter") as view:
        view.ready(READY)
        view.glance(GLANCE)
        view.finished(SUMMARY)
    out = capsys.readouterr().out
    for words in ("123 a second", "12,345 received", "1 active", "28 verified of 30", "20 of 165 lit", "41 of 90 bays"):
        assert words in out
    assert "60 × real time" in out


def test_a_replay_stands_alone_unless_devices_are_asked_for() -> None:
    assert Options().simulated == DEVICES
    assert Options(replay=Path("flood.csv")).simulated == 0
    assert Options(replay=Path("flood.csv"), devices=20).simulated == 20


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_that_nobody_named_is_thrown_away(temporary: Path) -> None:
    with demo_folder(None) as folder:
        assert folder.parent == temporary
        (folder / "something").write_text("x")
    assert list(temporary.iterdir()) == []


def test_a_named_folder_is_kept(tmp_path: Path) -> None:
    with demo_folder(tmp_path / "city") as folder:
        (folder / "something").write_text("x")
    assert (tmp_path / "city" / "something").exists()


def test_a_folder_belongs_to_one_demo_at_a_time(tmp_path: Path) -> None:
    city = tmp_path / "city"
    with demo_folder(city), pytest.raises(Failure, match="is in use by another Lamplighter"), demo_folder(city):
        pass
    with demo_folder(city):
        pass


def test_what_a_killed_demo_left_behind_is_swept_away(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / "lamplighter-demo-killed").mkdir()
    with demo_folder(None) as alive:
        monkeypatch.setattr(folders, "_NEW_S", -(time.time() % 1) - 1)
        with demo_folder(None):
            assert alive.exists()
            assert not (temporary / "lamplighter-demo-killed").exists()

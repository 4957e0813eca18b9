"""What the preview makes of rows and variables before a browser draws it: what Grafana makes of them."""

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboards.expand import View
from dashboards.preview import bundle
from dashboards.preview.frames import frames
from dashboards.preview.variables import choose
from lamplighter.cli import run
from storage.reader import Answer

Json = dict[str, Any]
NOON = dt.datetime(2018, 6, 15, 12, tzinfo=dt.UTC)
NOON_MS = 1_529_064_000_000


def fields(answer: Answer, form: str) -> dict[str, tuple[str, list[Any]]]:
    """The only frame's fields by name: type and values."""
    (frame,) = frames(answer, form)
    return {
        field["name"]: (field["type"], values)
        for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True)
    }


def test_a_table_keeps_its_rows_and_columns_their_types() -> None:
    columns = (("At", "timestamptz"), ("Sum", "numeric"), ("Sure", "bool"), ("Said", "text"), ("Kept", "jsonb"))
    rows = [(NOON, Decimal("1.5"), True, "yes", {"a": 1}), (None, None, None, None, None)]
    assert fields(Answer(columns, rows), "table") == {
        "At": ("time", [NOON_MS, None]),
        "Sum": ("number", [1.5, None]),
        "Sure": ("boolean", [True, None]),
        "Said": ("string", ["yes", None]),
        "Kept": ("string", ['{"a": 1}', None]),
    }


def test_each_metric_becomes_a_line_and_lines_share_their_moments() -> None:
    later = NOON + dt.timedelta(minutes=5)
    rows = [(NOON, "north", 1), (NOON, "south", 2), (later, "south", 3)]
    answer = Answer((("time", "timestamptz"), ("metric", "text"), ("value", "int8")), rows)
    assert fields(answer, "time_series") == {
        "Time": ("time", [NOON_MS, NOON_MS + 300_000]),
        "north": ("number", [1, None]),
        "south": ("number", [2, 3]),
    }


def test_seconds_in_a_column_of_moments_become_milliseconds() -> None:
    answer = Answer((("time", "numeric"), ("level", "float8")), [(Decimal(NOON_MS // 1000), float("nan"))])
    assert fields(answer, "time_series") == {"Time": ("time", [NOON_MS]), "level": ("number", [None])}


def variable(name: str, **more: Any) -> Json:
    return {"name": name, "type": "query", "label": name, "query": "${zone:sqlstring}", **more}


async def test_named_values_are_chosen_else_all_else_the_first() -> None:
    asked: list[str] = []

    async def ask(sql: str) -> Answer:
        asked.append(sql)
        return Answer((("__value", "text"), ("__text", "text")), [("a", "A"), ("b", "B")])

    board = {
        "templating": {
            "list": [
                variable("zone", query="zones", multi=True, includeAll=True),
                variable("asset"),
                variable(
                    "kind", type="custom", options=[{"value": "x", "text": "X"}], includeAll=True, multi=True, hide=2
                ),
            ]
        }
    }
    view = View(0, 1, 1, {}, timescaledb=False)
    everything = await choose(board, ask, view, {})
    assert [(each.text, each.value, each.hidden) for each in everything] == [
        ("All", ["a", "b"], False),
        ("A", "a", False),
        ("All", ["x"], True),
    ]
    named = await choose(board, ask, view, {"zone": ["b"], "asset": ["b", "of another dashboard"]})
    assert [each.value for each in named] == [["b"], "b", ["x"]]
    assert asked == ["zones", "'a','b'", "zones", "'b'"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere"], 2, "There is no dashboard nowhere: there are overview, zone"),
        (["--var", "zone"], 2, "--var zone cannot be read: write NAME=VALUE."),
        ([], 2, "No database is named"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAMPLIGHTER_DATABASE_URL", raising=False)
    assert run(["dashboards", "preview", *arguments]) == code
    assert sentence in capfd.readouterr().err


def test_without_node_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    monkeypatch.chdir(tmp_path)
    assert run(["dashboards", "preview"]) == 1
    assert "The program node is missing: the preview needs Node.js with npm" in capfd.readouterr().err


def test_from_the_wheel_one_sentence_says_where_the_preview_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dashboards.preview", None)
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    monkeypatch.chdir(tmp_path)
    assert run(["dashboards", "preview"]) == 1
    assert "run it from the source tree" in capfd.readouterr().err


def test_the_bundle_is_of_just_these_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not bundle.is_made()
    bundle.place().mkdir(parents=True)
    for name in bundle.FILES:
        (bundle.place() / name).touch()
    assert bundle.is_made()
    assert bundle.bundle() == bundle.place()

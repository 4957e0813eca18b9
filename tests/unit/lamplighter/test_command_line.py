"""The command line as contract §2 promises it: help everywhere, one sentence for an error, three exit codes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from lamplighter.cli import run
from lamplighter.cli.later import grown
from lamplighter.cli.spelling import parse_duration, parse_moment
from lamplighter.cli.tree import tree
from lamplighter.settings import PREFIX, Settings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def all_commands() -> Iterator[tuple[str, ...]]:
    waiting: list[tuple[tuple[str, ...], object]] = [((), grown(typer.main.get_command(tree)))]
    while waiting:
        path, command = waiting.pop()
        yield path
        if isinstance(command, TyperGroup):
            waiting += [((*path, name), child) for name, child in command.commands.items()]


@pytest.mark.parametrize("path", list(all_commands()), ids=" ".join)
def test_every_command_helps(path: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    out, err = capfd.readouterr()
    assert "Usage: lamplighter" in out
    assert err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["migrate", "--loudly"],
        ["token", "issue"],
        ["token", "issue", "--role", "king", "--expires", "90d"],
        ["token", "issue", "--role", "admin", "--expires", "soon"],
        ["token", "issue", "--role", "admin", "--expires", "99999999d"],
        ["demo", "--start", "0001-01-01T00:00:00Z"],
        ["demo", "--start", "9999-12-31T23:59:59Z"],
        ["registry", "import", "/no/such/file.csv"],
        ["quarantine", "list", "--reason", "nonsense"],
        ["quarantine", "show", "9223372036854775807"],
        ["report", "ledger", "--from", "yesterday"],
        ["ingest", "--share", "city"],
        ["ingest", "--share", "a/b", "--member", "1"],
        ["migrate"],
        ["migrate", "--config", "/no/such/file.toml"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_and_code_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--seed", "x"], "'--seed': 'x' is no whole number: see `lamplighter demo --help`"),
        (["demo", "--devices", "-1"], "'--devices': '-1' is less than 0:"),
        (["demo", "--http-port", "99999"], "'--http-port': '99999' is more than 65535:"),
        (["demo", "--speed", "fast"], "'--speed': 'fast' is no number:"),
        (["demo", "--speed", "nan"], "'--speed': 'nan' is no number:"),
        (["demo", "--speed", "inf"], "'--speed': 'inf' is more than 100000:"),
        (["demo", "--for"], "Option '--for' requires an argument: see `lamplighter demo --help`."),
        (["quarantine", "list", "--limit"], "requires an argument: see `lamplighter quarantine list --help`."),
        (["quarantine", "show", "abc"], "'ID': 'abc' is no whole number:"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert words in capfd.readouterr().err


def test_no_town_is_installed_under_a_name_that_nobody_can_look_up(capfd: pytest.CaptureFixture[str]) -> None:
    place = ["--lat", "51", "--lon", "7", "--dry-run"]
    for name in ("bad name", "a;b", "a\nb", "-a.de", "a..b", "x" * 64, "300.1.1.1", ""):
        assert run(["install", *place, f"--name={name}"]) == 2
        assert "which no device can look up" in capfd.readouterr().err
    for name in ("lamps", "broker.town.example", "2001:db8::1", "xn--strae-oqa.de"):
        assert run(["install", *place, "--name", name]) == 0


def test_a_file_that_cannot_be_looked_at_is_not_said_to_be_missing(capfd: pytest.CaptureFixture[str]) -> None:
    Path("round.csv").symlink_to("round.csv")
    assert run(["registry", "import", "round.csv"]) == 2
    assert "'round.csv' cannot be read (Too many levels of symbolic links)" in capfd.readouterr().err


def test_a_service_says_at_its_start_which_variables_are_no_settings(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_HTTPPORT", "1")
    assert run(["api"]) == 2
    assert "LAMPLIGHTER_HTTPPORT" in capfd.readouterr().err


def test_who_names_no_command_is_shown_all(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out, err = capfd.readouterr()
    assert "quarantine" in out
    assert err == ""


@pytest.mark.parametrize("arguments", [["migrate"], ["token", "list"], ["registry", "export"]], ids=" ".join)
def test_a_database_that_is_away_is_one_sentence_and_code_1(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", "postgresql://127.0.0.1:1/city")
    assert run(arguments) == 1
    _, err = capfd.readouterr()
    assert err.startswith("The database does not answer")
    assert err.count("\n") == 1


def test_what_nobody_foresaw_is_still_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("storage.migrate.write_draft", burst)
    assert run(["migrate", "--draft"]) == 1
    _, err = capfd.readouterr()
    assert "failed in a way nobody foresaw (ZeroDivisionError: division by zero)" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("1.5m", 90), ("2h", 7_200), ("90d", 7_776_000), ("250ms", 0.25), ("7", 7)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-3s", "soon", "3 weeks", "1e3s", "99999999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no duration"):
        parse_duration(text)


def test_moments_need_an_offset_and_become_utc() -> None:
    assert parse_moment("2026-11-22T16:10:00+01:00").isoformat() == "2026-11-22T15:10:00+00:00"
    for text in ("2026-11-22T16:10:00", "tomorrow", "2026-11-22"):
        with pytest.raises(typer.BadParameter, match="is no moment with offset"):
            parse_moment(text)


def test_a_moment_lies_where_the_city_clock_may_stand() -> None:
    for text in ("1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z"):
        with pytest.raises(typer.BadParameter, match="outside the years 2000 to 2199"):
            parse_moment(text)

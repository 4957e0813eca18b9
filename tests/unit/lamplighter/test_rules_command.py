"""`lamplighter rules check` and `test`, and what doctor says of a rule file."""

from pathlib import Path

import pytest

from lamplighter.cli import run
from lamplighter.doctor import rule_file
from lamplighter.settings import PREFIX, Settings

FAILING = """
assets = [{ asset = "D-17", kind = "drain_level", crown_m = 1.0 }]
[[tests]]
name = "It rains"
series.D-17.level_m = "1.0x9"
expect = [{ at = "5m", alarms = ["drain_high D-17"] }, { at = "10m", alarms = ["drain_high D-17"] }]
"""


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_check_says_what_a_file_comes_to(capfd: pytest.CaptureFixture[str]) -> None:
    sink = "sinks.duty.url_env = 'NOBODY'\nroutes = [{ to = ['duty'] }]\n[calendars.fair]\ndays = ['2026-12-01']"
    Path("rules.toml").write_text(f"[drainage]\ndeadband_m = 0.1\n[notifications]\n{sink}")
    assert run(["rules", "check"]) == 0
    out, err = capfd.readouterr()
    assert "figures that are not as usual: drainage.deadband_m 0.1 (else 0.05)" in out
    assert "fair (1 date)" in out
    assert "notifications: 1 route to 1 sink (duty)" in out
    assert "The sink duty cannot be used from here: the environment variable NOBODY is not set." in out
    assert "Nothing is wrong: this is version rules+" in out
    assert err == "Zones and assets are not looked up: no database is named.\n"


def test_check_says_every_mistake_with_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    Path("rules.toml").write_text("[drainage]\ndeadband_m = 9\nx = 1\n")
    assert run(["rules", "check"]) == 1
    out, err = capfd.readouterr()
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["rules.toml, line 2", "rules.toml, line 3"]
    assert err.endswith("rules.toml is no rule file. 2 things are wrong.\n")


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_one_sentence(content: bytes | None, capfd: pytest.CaptureFixture[str]) -> None:
    if content is not None:
        Path("mine.toml").write_bytes(content)
    assert run(["rules", "check", "mine.toml"]) == 1
    assert "mine.toml" in capfd.readouterr().err


def test_a_failing_test_says_what_was_expected_and_what_happened(capfd: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(FAILING)
    assert run(["rules", "test", "mine.toml"]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines() == [
        "FAILED It rains",
        "       mine.toml, line 6: 5m (12:05): expected the alarms drain_high D-17, but there stood none.",
    ]
    assert err == "1 of 1 tests failed.\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: There are no tests: each begins with [[tests]]."),
        ("[[tests]]\n", "line 1: tests has no name: what it shows, as a sentence."),
        ("[[tests]]\nname = 'a'\nevery = '5'", "line 3: tests.every: '5' is no duration as 90s, 5m, 6h30m or 2d."),
        ("[[tests]]\nname = 'a'\nevery = '0m'", "line 3: every must be longer than nothing."),
        ("[[tests]]\nname = 'a'\nseries.D.level_m = '1'", 'line 3: This test has no asset "D".'),
        (
            "assets = [{asset='D', kind='drain'}]",
            'line 1: There is no kind "drain"; there are drain_level, parking_bay',
        ),
        (
            "assets = [{asset='D', kind='drain_level'}]\n[[tests]]\nname = 'a'\nseries.D = {level = '1'}",
            "line 4: A drain_level has no field level.",
        ),
        (
            "assets = [{asset='D', kind='drain_level'}]\n[[tests]]\nname = 'a'\nseries.D = {level_m = '1 7o'}",
            "line 4: tests.series.D.level_m: '7o' is no series as 70+5x3, 90x2, _x2 or 84.",
        ),
        (
            "[[tests]]\nname = 'a'\nalarm_events = ['5m raise flood D']",
            "line 3: '5m raise flood D' is not WHEN raise|clear TYPE SUBJECT",
        ),
        (
            "[[tests]]\nname = 'a'\nrules.drainage.deadband_m = 9",
            "line 3: tests.rules.drainage.deadband_m is 9, but it",
        ),
        ("rules = 'none.toml'\n[[tests]]\nname = 'a'", "none.toml cannot be read: No such file or directory."),
    ],
)
def test_a_test_that_cannot_be_is_one_sentence_with_its_line(
    text: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("mine.toml").write_text(text)
    assert run(["rules", "test", "mine.toml"]) == 1
    out, err = capfd.readouterr()
    assert sentence in out + err


@pytest.fixture
def a_bad_rule_file() -> None:
    Path("rules.toml").write_text("[drainage]\ndeadband_m = 9\n")


@pytest.mark.usefixtures("a_bad_rule_file")
async def test_doctor_names_a_bad_rule_file() -> None:
    (finding,) = [each async for each in rule_file.examine(Settings.read())]
    assert finding.weight == "wrong"
    assert finding.sentence.startswith("rules.toml, line 2: drainage.deadband_m is 9")

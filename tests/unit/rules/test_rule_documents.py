"""The documents on rules hold what they say: the example is a rule file, the tests that they name are there."""

import re
import tomllib
from pathlib import Path

import pytest

from rules.rulefile.files import read_rule_file
from rules.trial.files import outcomes, scenarios_of
from tests.parts import recordings

DOCS = Path(__file__).parents[3] / "docs"
ROOT = DOCS.parent


def test_the_example_is_a_rule_file() -> None:
    thresholds = read_rule_file(DOCS / "rules.example.toml").thresholds
    assert {each.name for each in thresholds.lighting.programs} == {"standard", "main_road", "town_centre"}
    assert thresholds.figure("drainage", "deadband_m", "S-1", "altstadt") == 0.1
    assert len(thresholds.calendars["holiday"].days) == 11


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text((DOCS / "rules.example.toml").read_text(), "utf-8-sig")
    assert read_rule_file(file).thresholds.lighting.programs


def test_the_test_in_the_guide_runs(tmp_path: Path) -> None:
    (told,) = re.findall(r"```toml file: my_tests.toml\n(.*?)```", (DOCS / "rule_file.md").read_text(), re.DOTALL)
    (tmp_path / "rules.toml").write_text("")
    file = tmp_path / "told.toml"
    file.write_text(told)
    assert [each.failures for each in outcomes(scenarios_of(file))] == [[]]


ROWS = re.findall(
    r"^\| (?!sentence)(?P<words>[^|]+) \| (?P<tests>[^|]+) \|$", (DOCS / "domain.md").read_text(), re.MULTILINE
)
FOLDERS = {".toml": ROOT / "tests" / "rules", ".py": Path(__file__).parent}


@pytest.mark.parametrize(("words", "tests"), ROWS)
def test_each_sentence_of_the_domain_has_the_tests_that_are_named(words: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`", tests)
    assert named
    for each in named:
        file, _, name = each.partition("::")
        path = ROOT / file if "/" in file else FOLDERS[Path(file).suffix] / file
        if path.suffix == ".toml":
            assert name in {told["name"] for told in tomllib.loads(path.read_text())["tests"]}, each
        else:
            assert re.search(rf"^(async )?def {name}\(", path.read_text(), re.MULTILINE), each


def test_what_is_quoted_of_the_domain_stands_there() -> None:
    domain = recordings.SHARED / "DOMAIN.md"
    if not domain.exists():
        pytest.skip("the domain's own page is not here")
    told = " ".join(domain.read_text().split())
    assert [words for words, _ in ROWS if words not in told] == []

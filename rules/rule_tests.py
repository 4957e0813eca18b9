"""Files of rule tests: read with the rule file that they name, and run one test after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.document import BadDocument
from rules.rulefile import read_rules
from rules.scenario import Scenario, read_scenarios, read_sheet
from rules.scenario_run import run
from rules.scenario_verdict import Failure
from telemetry.thresholds import Thresholds

BYTES_MAX = 4 * 1024 * 1024
"""A larger file is none of ours."""


class BadFile(Exception):
    """A file cannot be used: one sentence on the file, and its mistakes by line if it could be read."""

    def __init__(self, sentence: str, path: Path, mistakes: tuple[str, ...] = ()) -> None:
        self.path, self.mistakes = path, mistakes
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    scenario: Scenario
    failures: list[Failure]


def read_text(path: Path) -> str:
    """The text of a file of ours.

    Raises:
        BadFile: it is not there, or no text.
    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise BadFile(f"{path} is larger than any rule file ({BYTES_MAX} bytes).", path)
        return path.read_text("utf-8")
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", path) from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text.", path) from error


def scenarios_of(path: Path) -> list[Scenario]:
    """The tests of a file.

    Raises:
        BadFile: it, or the rule file that it names, cannot be used.
    """
    text = read_text(path)
    try:
        document, sheet = read_sheet(text)
        base = Thresholds()
        if sheet.rules:
            base = _rules(path.parent / sheet.rules)
        return read_scenarios(document, sheet, base)
    except BadDocument as error:
        raise BadFile(f"{path} cannot be run.", path, tuple(map(str, error.mistakes))) from error


def outcomes(scenarios: list[Scenario]) -> Iterator[Outcome]:
    """Run tests, one after the other."""
    return (Outcome(each, run(each)) for each in scenarios)


def _rules(path: Path) -> Thresholds:
    text = read_text(path)
    try:
        return read_rules(text).thresholds
    except BadDocument as error:
        raise BadFile(f"{path} is no rule file.", path, tuple(map(str, error.mistakes))) from error

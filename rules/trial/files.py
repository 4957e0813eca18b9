"""Files of rule tests: read with the rule file that they name, and run one test after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.rulefile.document import BadDocument
from rules.rulefile.files import BadFile, read_rule_file, read_text
from rules.trial.running import run
from rules.trial.scenario import Scenario, read_scenarios, read_sheet
from rules.trial.verdict import Failure
from telemetry.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    scenario: Scenario
    failures: list[Failure]


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
            base = read_rule_file(path.parent / sheet.rules).thresholds
        return read_scenarios(document, sheet, base)
    except BadDocument as error:
        raise BadFile(f"{path} cannot be run.", path, tuple(map(str, error.mistakes))) from error


def outcomes(scenarios: list[Scenario]) -> Iterator[Outcome]:
    """Run tests, one after the other."""
    return (Outcome(each, run(each)) for each in scenarios)

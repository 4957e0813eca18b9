"""Every rule test of `tests/rules` in the notation that users write theirs in."""

from pathlib import Path

import pytest

from rules.trial.files import outcomes, scenarios_of
from rules.trial.scenario import Scenario

FOLDER = Path(__file__).parents[2] / "rules"
SCENARIOS = [each for file in sorted(FOLDER.glob("*.toml")) for each in scenarios_of(file)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.told.name for each in SCENARIOS])
def test_as_the_domain_has_it(scenario: Scenario) -> None:
    (outcome,) = outcomes([scenario])
    assert [f"line {each.line}: {each.sentence}" for each in outcome.failures] == []

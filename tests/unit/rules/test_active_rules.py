"""Which rules are in force while the file and the registry change."""

from dataclasses import replace
from pathlib import Path

import pytest

from rules.rulefile import active
from rules.rulefile.active import ActiveRules
from telemetry.registry import Registry
from tests.parts.cities import city, drain


def town(version: int, zone: str) -> Registry:
    return replace(city([drain(1, zone=zone)]).registry, version=version)


def test_a_file_that_names_a_zone_too_early_is_in_force_once_the_zone_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed refused until somebody touched it."""
    monkeypatch.setattr(active, "LOOK_EVERY_S", 0.0)
    file = tmp_path / "rules.toml"
    file.write_text("[zones.quay.drainage]\ndeadband_m = 0.2\n")
    rules, before, after = ActiveRules(file), town(1, "market"), town(2, "quay")
    assert not any(rules.look(before) for _ in range(3))
    assert rules.mistakes
    assert rules.look(after)
    assert (rules.mistakes, rules.standing.refusals) == ((), 1)
    assert not rules.look(town(3, "market")), "what is in force stays so"


def test_a_file_that_is_not_there_is_a_mistake_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active, "LOOK_EVERY_S", 0.0)
    file = tmp_path / "rules.toml"
    file.write_text("")
    rules = ActiveRules(file)
    registry = town(1, "market")
    assert not rules.look(registry)
    rules.look(registry)
    file.unlink()
    assert not any(rules.look(registry) for _ in range(4))
    assert (len(rules.mistakes), rules.standing.refusals) == (1, 1)


def test_who_stands_by_says_at_once_what_is_wrong_and_not_again_when_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "LOOK_EVERY_S", 0.0)
    rules = ActiveRules(tmp_path / "none.toml")
    rules.check()
    assert not any(rules.look(town(1, "market")) for _ in range(3))
    assert (len(rules.mistakes), rules.standing.refusals) == (1, 1)

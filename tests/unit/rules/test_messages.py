"""What people read of an alarm."""

import re

import msgspec
import pytest

from rules import figure_words
from rules.messages import raised
from tests.docs.pages import ROOT
from tests.unit.rules.test_notifying import standing


def test_inputs_within_inputs_are_told_in_words() -> None:
    """They were told by the names that programs use, such as `level_m`."""
    (alarm,) = standing()
    rain = {"mm_h": 2.5, "from": "zone altstadt"}
    inputs = {"level_m": 1.6, "rain": rain, "rises": True, "latest_at": None, "likely_between": ["a", "b"]}
    limits = {"crown_m": 1.2, "raise_delay_s": 360.0, "step_m_per_min_max": 0.4}
    why = {"inputs": inputs, "thresholds": limits}
    body = raised(msgspec.structs.replace(alarm, why=why)).body
    assert (
        "\nWhy: level 1.6 m, rain (intensity 2.5 mm/h, measured by zone altstadt), rises yes, latest unknown,"
        " likely between a and b\nLimits: crown 1.2 m, raise delay 6 min, step, at most 0.4 m/min\n"
    ) in body


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("observed_at", "2026-11-22T23:00:00+01:00", "observed 2026-11-22 22:00:00 UTC"),
        ("error", "2026-99-99T00:00:00Z", "error 2026-99-99T00:00:00Z"),
        ("error", "9999-12-31T23:59:59-01:00", "error 9999-12-31T23:59:59-01:00"),
        ("stuck_after_s", 172_800, "stuck after 2 days"),
        ("filled_pct", 62.50001, "queue filled 62.5 %"),
        ("wait_s", float("nan"), "wait nan s"),
        ("lamps", ["a", "b", "c"], "lamps a, b, c"),
    ],
)
def test_a_figure_is_told_with_its_unit_and_what_no_rule_made_as_it_is(name: str, value: object, words: str) -> None:
    assert figure_words.told({name: value}) == words


def test_the_page_of_an_alarm_has_the_same_words() -> None:
    page = (ROOT / "api/page/figures.js").read_text(encoding="utf-8")
    units, labels = (page.split(f"const {name} = ")[1].split(";\n")[0] for name in ("UNITS", "LABELS"))
    assert dict(re.findall(r'\["(\w+)", "([^"]+)"\]', units)) == figure_words.UNITS
    assert dict(re.findall(r'(\w+): "([^"]+)"', labels)) == figure_words.LABELS

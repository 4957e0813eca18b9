"""What people read of an alarm."""

import msgspec

from rules.messages import raised
from tests.unit.rules.test_notifying import standing


def test_inputs_within_inputs_are_told_in_words() -> None:
    """They were told as Python writes them, braces and quotes."""
    (alarm,) = standing()
    rain = {"mm_h": 2.5, "from": "zone altstadt"}
    why = {"inputs": {"rain": rain, "rises": True, "until": None, "between": ["a", "b"]}}
    body = raised(msgspec.structs.replace(alarm, why=why)).body
    assert "inputs: rain (mm_h 2.5, from zone altstadt), rises yes, until unknown, between a and b\n" in body

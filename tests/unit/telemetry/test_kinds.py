"""What derives from the one class of a kind."""

import json

import jsonschema
import pytest
from hypothesis import given

from telemetry.compiled import compiled
from telemetry.kind import Kind
from telemetry.kinds import KINDS
from tests.parts.strategies import observations


def test_the_contract_names_three_kinds() -> None:
    assert {"streetlight", "drain_level", "parking_bay"} <= KINDS.keys()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_property_has_a_unit_and_words(kind: Kind) -> None:
    assert kind.marked[0] in {each.name for each in kind.properties}
    assert all(each.unit and each.measure.words for each in kind.properties)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_json_schema_accepts_what_the_wire_decoder_accepts(kind: Kind) -> None:
    validator = jsonschema.Draft202012Validator(kind.json_schema)

    @given(observations(kind))
    def holds(payload: dict[str, object]) -> None:
        validator.validate(payload)
        compiled(kind).one(json.dumps(payload).encode())

    holds()

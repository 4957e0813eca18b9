"""The dashboards are valid by Grafana's published JSON Schemas."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from dashboards.build import documents
from tests.parts.recordings import SHARED

SCHEMAS = SHARED / "data" / "grafana" / "jsonschema"
OWN_FIELDS = ("timeseries", "statetimeline", "table")
"""Shapes whose schema also describes the custom part of their field settings."""

UNJUDGED = (
    {"id": "custom.hideFrom.viz", "value": True},  # Grafana's since 12.2, later than the schema
    {"id": "custom.cellOptions", "value": {"type": "color-text"}},  # fits several of what the schema wants one of
)

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not SCHEMAS.is_dir(),
    reason=f"Grafana's JSON Schemas are not at {SCHEMAS}: set LAMPLIGHTER_SHARED to the folder with data/",
)


def schema(name: str, definition: str | None = None) -> Json:
    parsed: Json = json.loads((SCHEMAS / f"{name}.jsonschema.json").read_text())
    if name == "dashboard":
        # The published schema wants objects here, Grafana itself takes any value: a unit, a width, a list of mappings.
        for mended, key in (("DynamicConfigValue", "value"), ("MatcherConfig", "options")):
            parsed["definitions"][mended]["properties"][key] = {}
    return parsed if definition is None else parsed | {"$ref": f"#/definitions/{definition}"}


def violations(document: Any, by: Json) -> Iterator[str]:
    for error in Draft7Validator(by).iter_errors(document):
        yield f"{error.json_path}: {error.message[:300]}"


DASHBOARDS = {name: json.loads(text) for name, text in documents().items()}
PANELS = [pytest.param(panel, id=panel["title"]) for each in DASHBOARDS.values() for panel in each["panels"]]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_valid(name: str) -> None:
    assert list(violations(DASHBOARDS[name], schema("dashboard"))) == []


@pytest.mark.parametrize("panel", PANELS)
def test_the_options_of_a_panel_are_valid(panel: Json) -> None:
    assert list(violations(panel["options"], schema(panel["type"].replace("-", ""), "Options"))) == []


@pytest.mark.parametrize("panel", PANELS)
def test_the_custom_field_settings_of_a_panel_are_valid(panel: Json) -> None:
    custom = panel["fieldConfig"]["defaults"].get("custom")
    shape = panel["type"].replace("-", "")
    if shape not in OWN_FIELDS:
        assert custom is None
        return
    assert list(violations(custom, schema(shape, "FieldConfig"))) == []


@pytest.mark.parametrize("panel", PANELS)
def test_what_is_set_for_single_fields_is_valid(panel: Json) -> None:
    """Grafana passes over what it does not know, a misspelt setting too."""
    shape, defaults = panel["type"].replace("-", ""), panel["fieldConfig"]["defaults"]
    for override in panel["fieldConfig"]["overrides"]:
        for setting in override["properties"]:
            name, value = setting["id"], setting["value"]
            if setting in UNJUDGED:
                continue
            beside, by = {}, schema("dashboard", "FieldConfig")
            if name.startswith("custom."):
                name, *inner = name.removeprefix("custom.").split(".")
                value = dict.fromkeys(inner, value) or value
                beside, by = defaults["custom"], schema(shape, "FieldConfig")
            assert list(violations({**beside, name: value}, by)) == [], setting["id"]

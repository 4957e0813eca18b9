"""What Grafana loads is what the code says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import intervals, places, postgres
from dashboards.build import BOARDS, GENERATED, build, check, documents
from dashboards.choices import Town
from telemetry.kinds import KINDS
from telemetry.thresholds import Drainage, LampFaults, Parking, Presence, Sensors, Thresholds


def board(name: str, thresholds: Thresholds | None = None) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(json.dumps(BOARDS[name](Town(thresholds or Thresholds())), cls=JSONEncoder))
    return parsed


def overview(thresholds: Thresholds | None = None) -> dict[str, Any]:
    return board("overview", thresholds)


def panel(title: str, dashboard: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in dashboard["panels"] if each["title"] == title)
    return found


def steps(title: str, dashboard: dict[str, Any]) -> list[float]:
    each = panel(title, dashboard)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [step["value"] for step in each]


def test_the_committed_dashboards_equal_the_code() -> None:
    assert check() == []
    assert {path.name for path in GENERATED.glob("*.json")} == documents().keys()


def test_the_sdk_reads_back_what_it_wrote() -> None:
    postgres.register()
    for text in documents().values():
        again = Dashboard.from_json(json.loads(text))
        assert json.loads(json.dumps(again, cls=JSONEncoder)) == json.loads(text)


def test_our_queries_are_read_back_as_our_queries() -> None:
    postgres.register()
    again = Dashboard.from_json(overview())
    targets = [target for each in again.panels or [] for target in getattr(each, "targets", None) or []]
    assert targets
    assert all(isinstance(target, postgres.Query) for target in targets)


def test_building_writes_every_dashboard(tmp_path: Path) -> None:
    written = build(tmp_path / "new")
    assert {path.name: path.read_text() for path in written} == documents()
    assert check(tmp_path / "new") == []


def test_a_dashboard_that_was_not_built_is_found(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "drain.json").unlink()
    assert check(tmp_path) == ["drain.json has not been built: run `lamplighter dashboards build`"]


def test_a_dashboard_changed_by_hand_is_found(tmp_path: Path) -> None:
    path, *_ = build(tmp_path)
    path.write_text(path.read_text().replace("Free parking", "Parking"))
    assert check(tmp_path) == ["overview.json differs from the code: run `lamplighter dashboards build`"]


def test_a_dashboard_that_the_code_does_not_know_is_found(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "old.json").write_text("{}")
    assert check(tmp_path) == ["old.json belongs to no dashboard of the code: remove it"]


@pytest.mark.parametrize("name", BOARDS)
def test_the_first_row_is_of_figures(name: str) -> None:
    """Of four to six: a panel may show several."""
    first = [each for each in board(name)["panels"] if each["gridPos"]["y"] == 0]
    assert {each["type"] for each in first} == {"stat"}
    assert sum(max(1, len(each["fieldConfig"]["overrides"])) for each in first) >= 4


def test_ids_never_change() -> None:
    """A link to a panel, and an annotation on it, name its id: neither is ever given to another."""
    ids = {name: [each["id"] for each in board(name)["panels"]] for name in BOARDS}
    assert ids.pop("overview") == list(range(1, 18))
    assert ids == {
        "zone": list(range(1, 13)),
        "streetlight": list(range(1, 14)),
        "drain": list(range(1, 14)),
        "parking": list(range(1, 10)),
        "alarms": list(range(1, 11)),
        "platform": list(range(1, 15)),
    }
    assert {each["id"]: each["title"] for each in overview()["panels"]} == {
        1: "Online",
        2: "Active alarms",
        3: "Ingest",
        4: "Newest data",
        5: "Failed commands",
        6: "Free parking",
        7: "Alarms",
        8: "Map",
        9: "Free bays by zone",
        10: "Street lighting",
        11: "Water against the crown",
        12: "Stages of the drains",
        13: "Energy of the lamps",
        14: "Readings",
        15: "Devices",
        16: "Silent devices",
        17: "Ledger",
    }


def test_the_drains_limits_are_those_of_the_rules() -> None:
    stricter = replace(Thresholds(), drainage=Drainage(pre_alarm_below_crown_m=0.35))
    assert steps("Water against the crown", overview()) == [None, -Drainage().pre_alarm_below_crown_m, 0]
    assert steps("Water against the crown", overview(stricter)) == [None, -0.35, 0]
    assert "crown_m - 0.35 " in panel("Stages of the drains", overview(stricter))["targets"][0]["rawSql"]


def test_every_limit_follows_the_rules() -> None:
    """No figure of the rules is copied: other rules give other dashboards."""
    other = Thresholds(
        drainage=Drainage(pre_alarm_below_crown_m=0.37, slope_window_s=1_200),
        sensors=Sensors(battery_low_pct=31, battery_deadband_pct=7),
        parking=Parking(almost_full_pct=81, full_pct=93),
        lamp_faults=LampFaults(dead_power_w=1.25, supply_low_v=201),
        presence=Presence(missed_intervals=4),
    )
    assert steps("Room to the crown", board("zone", other)) == [None, 0, 0.37]
    assert "0.37" in panel("Water", board("drain", other))["targets"][0]["rawSql"]
    assert "* 1200 " in panel("Rise", board("drain", other))["targets"][0]["rawSql"]
    assert steps("Charge", board("drain", other)) == [None, 31]
    assert steps("How full", board("parking", other)) == [None, 81, 93]
    assert steps("Power", board("streetlight", other)) == [None, 1.25]
    assert steps("Voltage", board("streetlight", other)) == [None, 201]
    heard = panel("Heard", board("drain", other))["fieldConfig"]["overrides"][0]["properties"]
    assert next(each["value"]["steps"][-1]["value"] for each in heard if each["id"] == "thresholds") == 4


def test_links_lead_to_dashboards_that_have_what_they_choose() -> None:
    variables = {
        each["uid"]: {variable["name"] for variable in each["templating"]["list"]} for each in map(board, BOARDS)
    }
    assert set(places.OF_KIND.values()) | {places.ZONE} <= variables.keys()
    for uid in places.OF_KIND.values():
        assert uid == places.PARKING or "asset" in variables[uid]
    assert all({"zone", "kind", "platform"} <= names for names in variables.values())


def test_an_alarm_leads_to_its_page_at_the_towns_address() -> None:
    town = Town(platform_url="https://lamplighter.example")
    for name in ("overview", "zone", "alarms", "drain", "streetlight"):
        text = json.dumps(BOARDS[name](town), cls=JSONEncoder)
        assert "${platform:raw}/ops/alarms/${__data.fields.id:percentencode}" in text
        constant = next(each for each in json.loads(text)["templating"]["list"] if each["name"] == "platform")
        assert constant["query"] == "https://lamplighter.example"


def test_data_is_stale_when_the_rules_call_its_device_silent() -> None:
    fastest_s = min(kind.wire.report_every_s for kind in KINDS.values())
    patient = replace(Thresholds(), presence=Presence(missed_intervals=5))
    assert steps("Newest data", overview()) == [None, fastest_s, fastest_s * Presence().missed_intervals]
    assert steps("Newest data", overview(patient)) == [None, fastest_s, fastest_s * 5]


def test_every_kind_can_be_chosen_and_is_counted() -> None:
    dashboard = overview()
    kind = next(each for each in dashboard["templating"]["list"] if each["name"] == "kind")
    assert [option["value"] for option in kind["options"]] == list(KINDS)
    for title in ("Ingest", "Readings"):
        assert all(f"JOIN {name} o " in panel(title, dashboard)["targets"][0]["rawSql"] for name in KINDS)


def test_the_intervals_of_panels_are_whole_seconds() -> None:
    for each in (each for name in BOARDS for each in board(name)["panels"]):
        assert intervals.seconds(each.get("interval", "1s")) % 1 == 0

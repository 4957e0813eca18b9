"""What a stock Grafana is given fits the dashboards, lets nobody in by default, and says what it needs."""

import json
import re
from pathlib import Path

import pytest

from dashboards import alerts, postgres
from dashboards.build import BOARDS
from dashboards.choices import Town
from dashboards.lint import query_faults
from storage.reader import ROLE

FOLDER = Path(postgres.__file__).parent / "provisioning"
SOURCE = (FOLDER / "datasources" / "lamplighter.yaml").read_text()
PROVIDER = (FOLDER / "dashboards" / "lamplighter.yaml").read_text()
CONTACT = (FOLDER / "alerting" / "contact.yaml").read_text()
RULES = json.loads((FOLDER / "alerting" / "rules.json").read_text())["groups"][0]["rules"]
README = (FOLDER / "README.md").read_text()
VARIABLE = re.compile(r"\$(LAMPLIGHTER_\w+)")


def values(yaml: str) -> dict[str, str]:
    """The scalar values of a YAML file by their key; none of ours is there twice with two meanings."""
    lines = re.findall(r"^\s*(?:- )?(\w+): (\S.*)$", re.sub(r"(?m)^\s*#.*$", "", yaml), re.MULTILINE)
    return dict(lines)


def test_the_data_source_is_the_one_that_the_dashboards_ask() -> None:
    assert values(SOURCE)["uid"] == postgres.UID
    assert values(SOURCE)["type"] == postgres.PLUGIN


def test_grafana_connects_as_the_reader() -> None:
    assert values(SOURCE)["user"] == ROLE
    assert f"\\password {ROLE}" in (FOLDER / "reader.sql").read_text()


def test_no_password_is_given() -> None:
    assert values(SOURCE)["password"] == "$LAMPLIGHTER_READER_PASSWORD"
    assert "PASSWORD '" not in (FOLDER / "reader.sql").read_text()


@pytest.mark.parametrize("text", [SOURCE, PROVIDER, CONTACT], ids=["source", "provider", "contact"])
def test_variables_are_written_so_that_grafana_expands_them_once(text: str) -> None:
    """Grafana expands `${NAME}` and then its value again, which cuts a password at its `$`."""
    assert VARIABLE.search(text)
    assert not re.search(r"^[^#]*\$\{", text, re.MULTILINE)


def test_every_variable_is_explained_where_it_stands_and_in_the_readme() -> None:
    for text in (SOURCE, PROVIDER, CONTACT):
        for name in VARIABLE.findall(text):
            assert f"#   {name} " in text
            assert f"| `{name}` |" in README


def test_switches_are_literal_because_grafana_makes_variables_strings() -> None:
    assert values(SOURCE)["timescaledb"] == "false"


def test_dashboards_cannot_be_changed_where_the_change_would_be_lost() -> None:
    assert values(PROVIDER)["allowUiUpdates"] == "false"
    assert values(SOURCE)["editable"] == "false"


def test_alert_rules_tell_the_towns_contact_point() -> None:
    assert values(CONTACT)["name"] == alerts.CONTACT
    assert {rule["notification_settings"]["receiver"] for rule in RULES} == {alerts.CONTACT}
    assert "| `LAMPLIGHTER_PLATFORM_URL` |" in README


def test_alert_rules_ask_time_series_of_the_towns_database() -> None:
    for rule in RULES:
        query, *expressions = (each["model"] for each in rule["data"])
        assert query["format"] == "time_series"
        assert list(query_faults(query, ())) == []
        assert [each["datasource"]["uid"] for each in expressions] == ["__expr__", "__expr__"]
        assert rule["condition"] == expressions[-1]["refId"]


def test_alert_rules_show_a_panel_that_is_there() -> None:
    panels = {
        (board.uid, panel.id_val): panel
        for board in (make(Town()) for make in BOARDS.values())
        for panel in board.panels or []
    }
    assert {panels[rule["dashboardUid"], rule["panelId"]].title for rule in RULES} == {"Alarms", "Newest data"}


def test_nothing_of_a_rule_is_lost_to_grafanas_interpolation() -> None:
    """In annotations Grafana expands `${…}` only; everywhere else but in the query it expands `$…` too."""
    for rule in RULES:
        said = json.dumps({key: value for key, value in rule.items() if key != "data"})
        assert set(re.findall(r"\$\{?\w+\}?", said)) <= {"${LAMPLIGHTER_PLATFORM_URL}"}

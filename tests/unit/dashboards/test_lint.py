"""Each trap that a dashboard can fall into is found, and named."""

import copy
import json
from typing import Any

import pytest

from dashboards import lint
from dashboards.build import documents

Json = dict[str, Any]


@pytest.fixture(scope="module")
def built() -> str:
    return documents()["overview.json"]


@pytest.fixture
def overview(built: str) -> Json:
    """The test's own, to be spoilt."""
    parsed: Json = json.loads(built)
    return parsed


def found(dashboard: Json) -> str:
    return "\n".join(lint.findings(dashboard, {"lamplighter-overview", "lamplighter-zone"}))


def test_the_overview_has_no_findings(overview: Json) -> None:
    assert found(overview) == ""


@pytest.mark.parametrize(
    ("key", "value", "finding"),
    [
        ("uid", None, "no uid"),
        ("id", 7, "an id of one Grafana's own database"),
        ("description", "", "no description"),
        ("refresh", "5s", "refreshed every 30 s"),
        ("time", {"from": "now-1h", "to": "now"}, "the last 6 h"),
        ("graphTooltip", 0, "crosshair"),
    ],
)
def test_the_frame_is_looked_at(overview: Json, key: str, value: object, finding: str) -> None:
    overview[key] = value
    assert finding in found(overview)


@pytest.mark.parametrize("key", ["title", "description"])
def test_every_panel_has_words(overview: Json, key: str) -> None:
    del overview["panels"][3][key]
    assert f"it has no {key}" in found(overview)


def test_every_panel_has_a_unit(overview: Json) -> None:
    del overview["panels"][3]["fieldConfig"]["defaults"]["unit"]
    assert "it has no unit" in found(overview)


def test_ids_are_there_and_unique(overview: Json) -> None:
    overview["panels"][1]["id"] = overview["panels"][0]["id"]
    overview["panels"][2]["id"] = None
    assert "2 panels have the id 1" in found(overview)
    assert "a panel has no id" in found(overview)


def test_titles_are_unique(overview: Json) -> None:
    overview["panels"][1]["title"] = overview["panels"][0]["title"]
    assert "2 panels are called Online" in found(overview)


def test_panels_do_not_overlap(overview: Json) -> None:
    overview["panels"].append(copy.deepcopy(overview["panels"][0]) | {"id": 99})
    assert "panels overlap at column 0, row 0" in found(overview)


def test_the_grid_has_no_holes(overview: Json) -> None:
    del overview["panels"][4]
    assert "the grid has a hole at column 17, row 0" in found(overview)


def test_panels_stay_within_the_grid(overview: Json) -> None:
    overview["panels"][5]["gridPos"]["w"] = 6
    assert "reaches beyond the grid's 24 columns" in found(overview)


@pytest.mark.parametrize(
    "url",
    [
        "/d/lamplighter-asset?from=${__from}&to=${__to}&var-asset=${__data.fields.asset}",
        "/d/lamplighter-overview?var-zone=${__data.fields.zone}",
        "/ops/alarms/${id}",
    ],
)
def test_a_link_leads_somewhere(overview: Json, url: str) -> None:
    overview["panels"][6]["fieldConfig"]["defaults"]["links"] = [{"title": "open", "url": url}]
    assert "leads nowhere" in found(overview)


def test_a_link_to_a_known_dashboard_is_fine(overview: Json) -> None:
    overview["links"] = [{"title": "home", "url": "/d/lamplighter-overview?from=${__from}&to=${__to}"}]
    assert found(overview) == ""


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("SELECT now() LIMIT 1", "reads the server's clock"),
        ("SELECT CURRENT_TIMESTAMP LIMIT 1", "reads the server's clock"),
        ("SELECT level_m FROM drain_level", "neither a time filter nor a LIMIT"),
        ("SELECT 1 -- LIMIT 1", "neither a time filter nor a LIMIT"),
        ("SELECT $__time(date(at)) FROM t LIMIT 1", "has parentheses"),
        ("SELECT $__timeGroup(at,5m), x FROM t LIMIT 1", "Grafana names $__timeGroup"),
        ("SELECT $$x$$ LIMIT 1", "trip over $$"),
        ("SELECT $__timeGroop(at,5m) AS x FROM t LIMIT 1", "knows no macro $__timeGroop"),
        ("SELECT 1 -- $__timeFilter(at)\nLIMIT 1", "stands in a comment"),
        ("SELECT 1 FROM t WHERE zone IN ($zone) LIMIT 1", "not written ${zone:sqlstring}"),
        ("SELECT 1 FROM t WHERE zone IN (${zone}) LIMIT 1", "not written ${zone:sqlstring}"),
        ("SELECT 1 FROM t WHERE zone = ${zone:sqlstring} LIMIT 1", "does not stand in IN (…)"),
        ("SELECT 1 FROM t WHERE town IN (${town:sqlstring}) LIMIT 1", "no variable town"),
    ],
)
def test_the_traps_of_grafanas_sql_are_found(overview: Json, sql: str, finding: str) -> None:
    overview["panels"][0]["targets"][0]["rawSql"] = sql
    assert finding in found(overview)


@pytest.mark.parametrize("sql", ["SELECT at AS x FROM t LIMIT 1 ORDER BY 1", 'SELECT at AS "time" FROM t LIMIT 1'])
def test_a_time_series_has_a_time_and_an_order(overview: Json, sql: str) -> None:
    overview["panels"][8]["targets"][0]["rawSql"] = sql
    assert "a time series needs a column time and an order" in found(overview)


def test_every_query_asks_the_towns_database(overview: Json) -> None:
    overview["annotations"]["list"][0]["target"]["datasource"]["uid"] = "another"
    assert "annotation Alarms: it does not ask the town's database" in found(overview)


def test_queries_of_variables_are_looked_at(overview: Json) -> None:
    overview["templating"]["list"][0]["query"] = "SELECT zone FROM zone"
    assert "variable zone: it has neither a time filter nor a LIMIT" in found(overview)

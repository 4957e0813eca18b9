"""Grafana's SQL becomes PostgreSQL's exactly as Grafana makes it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.expand import ExpansionError, View, expand

FROM_US = 1_529_000_000_123_000
TO_US = 1_529_021_600_000_000


def view(timescaledb: bool = False, interval_ms: int = 300_000, **variables: str | list[str]) -> View:
    return View(FROM_US, TO_US, interval_ms, variables, timescaledb)


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("$__timeFilter(o.at)", "o.at BETWEEN '2018-06-14T18:13:20.123Z' AND '2018-06-15T00:13:20Z'"),
        ("$__timeFrom()", "'2018-06-14T18:13:20.123Z'"),
        ("$__timeTo()", "'2018-06-15T00:13:20Z'"),
        ("$__time(at)", 'at AS "time"'),
        ("$__timeEpoch(at)", 'extract(epoch from at) as "time"'),
        ("$__timeGroup(at, '5m')", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup(at, '500ms')", "floor(extract(epoch from at)/0.5)*0.5"),
        ("$__timeGroup(at, 2w)", "floor(extract(epoch from at)/1.2096e+06)*1.2096e+06"),
        ("$__timeGroup(at, $__interval, NULL)", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroupAlias(at, 1h)", 'floor(extract(epoch from at)/3600)*3600 AS "time"'),
        ("$__unixEpochFilter(e)", "e >= 1529000000 AND e <= 1529021600"),
        ("$__unixEpochGroup(e, 5m)", "floor((e)/300)*300"),
        ("$__unixEpochGroupAlias(e, 5m)", 'floor((e)/300)*300 AS "time"'),
        ("$__unixEpochFrom() $__unixEpochTo()", "1529000000 1529021600"),
        ("$__interval_ms $__interval", "300000 5m"),
    ],
)
def test_a_macro_becomes_what_grafana_makes_of_it(written: str, expanded: str) -> None:
    assert expand(written, view()) == expanded


def test_with_timescaledb_times_are_grouped_by_time_bucket() -> None:
    assert expand("$__timeGroup(at, '5m')", view(timescaledb=True)) == "time_bucket('300.000s',at)"


def test_a_comma_directly_behind_a_time_group_names_it() -> None:
    expanded = expand("SELECT $__timeGroup(at,5m), avg(x)", view())
    assert expanded == 'SELECT floor(extract(epoch from at)/300)*300 AS "time", avg(x)'


def test_an_argument_ends_at_its_first_closing_parenthesis() -> None:
    assert expand("$__time(date(at))", view()) == 'date(at AS "time")'


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("IN (${zone:sqlstring})", "IN ('north','o''hara')"),
        ("IN ([[zone:sqlstring]])", "IN ('north','o''hara')"),
        ("IN ($zone)", "IN ('north','o''hara')"),
        ("${zone:csv}", "north,o'hara"),
        ("$one ${one:sqlstring}", "a 'a'"),
        ("IN (${none:sqlstring})", "IN ()"),
        ("$unknown", "$unknown"),
    ],
)
def test_a_variable_becomes_its_choice(written: str, expanded: str) -> None:
    assert expand(written, view(zone=["north", "o'hara"], one="a", none=[])) == expanded


@given(st.lists(st.text(st.characters(exclude_characters="$")), min_size=1))
def test_a_choice_never_leaves_its_quotes(values: list[str]) -> None:
    expanded = expand("IN (${zone:sqlstring})", view(zone=values))
    assert re.fullmatch(r"IN \('(?:[^']|'')*'(?:,'(?:[^']|'')*')*\)", expanded)
    assert expanded.count("'") == sum(2 + 2 * value.count("'") for value in values)


def test_comments_go_before_macros_are_looked_for() -> None:
    sql = "SELECT 1 -- $__nothing(x)\n/* $__nothing(y) */, '-- kept', \"/* kept */\", $$ -- kept $$"
    assert expand(sql, view()) == "SELECT 1 \n, '-- kept', \"/* kept */\", $$ -- kept $$"


@pytest.mark.parametrize("written", ["$__nothing(at)", "$__timeGroup(at)", "$__timeGroup(at, soon)", "${zone:glob}"])
def test_what_grafana_or_we_do_not_know_is_refused(written: str) -> None:
    with pytest.raises(ExpansionError):
        expand(written, view(zone="north"))

"""What may be wrong with a dashboard without Grafana noticing: grid, ids, words, units, and traps of its SQL.

Works on the dashboard's JSON, so that it also judges one exported from Grafana.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from dashboards import places, postgres
from dashboards.expand import MACRO, MACROS, strip_comments

GRID_COLUMNS = 24
ALARM_PAGE = f"${{{places.PLATFORM_VARIABLE}:raw}}/ops/alarms/${{__data.fields.id"

Json = dict[str, Any]


def findings(dashboard: Json, known: Collection[str]) -> list[str]:
    """One sentence for each thing that is wrong; `known` are the uids of dashboards that links may lead to."""
    panels = dashboard.get("panels", [])
    variables = {each["name"] for each in dashboard.get("templating", {}).get("list", [])}
    found = [*_frame(dashboard), *_ids(panels), *_titles(panels), *_grid(panels)]
    for panel in panels:
        found += [f"panel {_name(panel)}: {fault}" for fault in _words(panel)]
    for name, query in queries(dashboard):
        found += [f"{name}: {fault}" for fault in query_faults(query, variables)]
    return found + [f"the link {url} leads nowhere" for url in _links(dashboard) if not _leads_somewhere(url, known)]


def queries(dashboard: Json) -> Iterator[tuple[str, Json]]:
    """Every query of the dashboard with the name of what asks it: panels, annotations, then variables."""
    for panel in dashboard.get("panels", []):
        for target in panel.get("targets", []):
            yield f"panel {_name(panel)}", target
    for annotation in dashboard.get("annotations", {}).get("list", []):
        yield f"annotation {annotation['name']}", annotation["target"]
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable["type"] == "query":
            source = variable.get("datasource")
            yield (
                f"variable {variable['name']}",
                {"rawSql": variable["query"], "format": "table", "datasource": source},
            )


def _name(panel: Json) -> str:
    return str(panel.get("title") or panel.get("id") or "without title")


def _frame(dashboard: Json) -> Iterator[str]:
    if not dashboard.get("uid"):
        yield "the dashboard has no uid, so that links to it break"
    if dashboard.get("id") is not None:
        yield "the dashboard has an id of one Grafana's own database"
    if not dashboard.get("title") or not dashboard.get("description"):
        yield "the dashboard has no title or no description"
    if dashboard.get("refresh") != "30s" or dashboard.get("time") != {"from": "now-6h", "to": "now"}:
        yield "the dashboard does not show the last 6 h, refreshed every 30 s"
    if dashboard.get("graphTooltip") != 1:
        yield "the panels do not share the crosshair"


def _ids(panels: list[Json]) -> Iterator[str]:
    counted = Counter(panel.get("id") for panel in panels)
    if counted.pop(None, 0) or counted.pop(0, 0):
        yield "a panel has no id, so that links to it break"
    for number, times in counted.items():
        if times > 1:
            yield f"{times} panels have the id {number}"


def _titles(panels: list[Json]) -> Iterator[str]:
    counted = Counter(panel.get("title") for panel in panels if panel.get("title"))
    yield from (f"{times} panels are called {title}" for title, times in counted.items() if times > 1)


def _grid(panels: list[Json]) -> Iterator[str]:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in panels:
        place = panel.get("gridPos")
        if place is None:
            yield f"panel {_name(panel)} has no place"
            continue
        if place["x"] + place["w"] > GRID_COLUMNS:
            yield f"panel {_name(panel)} reaches beyond the grid's {GRID_COLUMNS} columns"
        cells = (
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
        taken.update(cells)
    overlaps = sorted(cell for cell, times in taken.items() if times > 1)
    if overlaps:
        yield f"panels overlap at column {overlaps[0][0]}, row {overlaps[0][1]}"
    height = 1 + max((y for _, y in taken), default=-1)
    holes = [(x, y) for y in range(height) for x in range(GRID_COLUMNS) if (x, y) not in taken]
    if holes:
        yield f"the grid has a hole at column {holes[0][0]}, row {holes[0][1]}"


def _words(panel: Json) -> Iterator[str]:
    if not panel.get("title"):
        yield "it has no title"
    if not panel.get("description"):
        yield "it has no description"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "it has no unit"


_SERVERS_CLOCK = re.compile(
    r"\b(now\s*\(|current_timestamp|current_date|localtimestamp|clock_timestamp)", re.IGNORECASE
)
_BOUNDED = re.compile(r"\$__(timeFilter|timeFrom|unixEpochFilter|unixEpochFrom)\(|\bLIMIT\b", re.IGNORECASE)
_NESTED = re.compile(r"\$[_a-zA-Z0-9]+\([^)]*\(")
_ALIASED = re.compile(r"\$__timeGroup\([^)]*\),")
_CHOSEN = re.compile(r"\$\{?([a-zA-Z]\w*)[^\s,)]*")
_COMMENTED_MACRO = re.compile(r"\$__\w+\(")
_TIME = re.compile(r"""AS\s+"?time"?\b|\$__time\(|\$__timeEpoch\(|Alias\(""")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def query_faults(query: Json, variables: Collection[str]) -> Iterator[str]:
    """The faults of one query; `variables` are the dashboard's, which its SQL may use."""
    sql = query.get("rawSql") or ""
    bare = strip_comments(sql)
    if query.get("datasource") != {"type": postgres.PLUGIN, "uid": postgres.UID}:
        yield "it does not ask the town's database"
    if _SERVERS_CLOCK.search(bare.replace("city_now()", "")):
        yield "it reads the server's clock instead of city_now()"
    if not _BOUNDED.search(bare):
        yield "it has neither a time filter nor a LIMIT"
    if query.get("format") == "time_series" and not (_TIME.search(bare) and "ORDER BY" in bare):
        yield "a time series needs a column time and an order"
    yield from _macro_faults(sql, bare)
    yield from _variable_faults(bare, variables)


def _macro_faults(sql: str, bare: str) -> Iterator[str]:
    if _NESTED.search(bare):
        yield "a macro's argument has parentheses, at the first of which Grafana ends it"
    if _ALIASED.search(bare):
        yield "Grafana names $__timeGroup(…) itself where a comma follows it directly"
    if "$$" in bare:
        yield "alert rules and Grafana's comments trip over $$"
    for name in {match[1] for match in MACRO.finditer(bare)} - MACROS.keys() - {"__unixEpochFrom", "__unixEpochTo"}:
        yield f"Grafana knows no macro ${name}"
    if len(_COMMENTED_MACRO.findall(sql)) > len(_COMMENTED_MACRO.findall(bare)):
        yield "a macro stands in a comment, where Grafana before 13 expands it"


def _variable_faults(bare: str, variables: Collection[str]) -> Iterator[str]:
    unquoted = _QUOTED.sub("''", bare)
    for match in _CHOSEN.finditer(unquoted):
        name, written = match[1], match[0]
        if name not in variables:
            yield f"the dashboard has no variable {name}"
        elif written != f"${{{name}:sqlstring}}":
            yield f"the variable {name} is not written ${{{name}:sqlstring}}"
        elif not unquoted[: match.start()].endswith("IN ("):
            yield f"the variable {name}, which may have several values, does not stand in IN (…)"


def _links(node: Any) -> Iterator[str]:
    """The addresses of all links, wherever in the dashboard they are."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "url" and isinstance(value, str):
                yield value
            else:
                yield from _links(value)
    elif isinstance(node, list):
        for value in node:
            yield from _links(value)


def _leads_somewhere(url: str, known: Collection[str]) -> bool:
    """A dashboard that is known, the one that the row names, or the page of an alarm; and at the same time."""
    if url.startswith(ALARM_PAGE):
        return True
    address, _, chosen = url.partition("?")
    uid = address.removeprefix("/d/")
    is_board = address.startswith("/d/") and (uid in known or uid == f"${{__data.fields.{places.BOARD}}}")
    return is_board and chosen.startswith("from=${__from}&to=${__to}")

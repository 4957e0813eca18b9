"""All that a browser needs to draw a dashboard: its JSON, the answers to its queries as frames, and what is chosen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dashboards import intervals
from dashboards.expand import View, expand
from dashboards.preview.frames import frames
from dashboards.preview.variables import Ask, Named, choose
from telemetry.clock import HOUR_US

Json = dict[str, Any]

PAGE_PX = 1600
"""How wide the page is drawn; a panel asks for as many points as it has pixels."""
_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wants to see: the last `hours` before `now_us`, and what is chosen of the variables by name."""

    now_us: int
    timezone: str
    hours: float = 6
    chosen: Named = field(default_factory=dict)


async def document(dashboard: Json, ask: Ask, look: Look, pages: Mapping[str, str]) -> Json:
    """The document of one dashboard; `pages` has the file of every dashboard's page by its uid.

    Raises:
        StorageError: the database does not answer a query.
    """
    from_us = look.now_us - int(look.hours * HOUR_US)
    view = View(from_us, look.now_us, 1000, {}, timescaledb=False)
    chosen = await choose(dashboard, ask, view, look.chosen)
    view = replace(view, variables={each.name: each.value for each in chosen})
    return {
        "dashboard": dashboard,
        "answers": {panel["id"]: await _answered(panel, ask, view) for panel in dashboard["panels"]},
        "marks": [await _marks(each, ask, view) for each in dashboard["annotations"]["list"]],
        "range": {"from_ms": from_us // 1000, "to_ms": look.now_us // 1000},
        "timezone": look.timezone,
        "variables": [asdict(each) for each in chosen],
        "pages": dict(pages),
    }


async def _answered(panel: Json, ask: Ask, view: View) -> Json:
    """The frames of a panel's queries, in the interval that Grafana would choose for its width."""
    points = PAGE_PX * panel["gridPos"]["w"] // _COLUMNS
    least_ms = int(intervals.seconds(panel.get("interval", "1s")) * 1000)
    interval_ms = intervals.automatic_ms((view.to_us - view.from_us) // 1000, points, least_ms)
    found: list[Json] = []
    for target in panel["targets"]:
        answer = await ask(expand(target["rawSql"], replace(view, interval_ms=interval_ms)))
        found += frames(answer, target["format"])
    return {"frames": found, "interval_ms": interval_ms}


async def _marks(annotation: Json, ask: Ask, view: View) -> Json:
    """An annotation's frames; those of every dashboard are tables with a moment and perhaps an end."""
    answer = await ask(expand(annotation["target"]["rawSql"], view))
    return {"name": annotation["name"], "color": annotation["iconColor"], "frames": frames(answer, "table")}

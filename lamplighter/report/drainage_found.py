"""What the database says of drains between two moments, with the volumes that the rules' figures let one estimate."""

import datetime as dt
import math
from zoneinfo import ZoneInfo

from lamplighter.report import in_force
from lamplighter.report.drainage import POLENI, Findings
from storage import drainage
from storage.drainage import Drain, Edge
from storage.pool import Connection
from telemetry.thresholds import Thresholds

HOLD_INTERVALS = 2
"""A level counts no longer than so many report intervals: a gap in the data spills nothing."""


async def find(conn: Connection, since: dt.datetime, until: dt.datetime, timezone: ZoneInfo) -> Findings:
    """Everything of the report. The edge lengths are those of the rules that are in force."""
    thresholds = await in_force.thresholds(conn)
    drains = await drainage.drains(conn, since, until)
    length_m = {each.asset_id: thresholds.figure("drainage", "spill_edge_m", each.asset, each.zone) for each in drains}
    edges = [edge for each in drains if length_m[each.asset_id] > 0 for edge in _edges(each, thresholds)]
    head = await drainage.spilled(conn, edges, since, until)
    volumes = {each.asset_id: POLENI * length_m[each.asset_id] * head.get(each.asset_id, 0.0) for each in edges}
    events = await drainage.events(conn, since, until, thresholds.sensors.above_ground_m_max)
    return Findings(since, until, timezone, drains, events, volumes)


def _edges(drain: Drain, thresholds: Thresholds) -> list[Edge]:
    """Where water leaves a drain: at its sill, else at the ground; nowhere if neither is registered."""
    ground_m = drain.attributes.get("ground_m")
    edge_m = drain.attributes.get("sill_m") or ground_m
    if edge_m is None:
        return []
    above_m = thresholds.figure("sensors", "above_ground_m_max", drain.asset, drain.zone)
    highest_m = math.inf if ground_m is None else ground_m + above_m
    return [Edge(drain.asset_id, edge_m, highest_m, HOLD_INTERVALS * drain.every_s)]

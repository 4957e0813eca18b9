"""The figures of upkeep add up over rounds."""

from prometheus_client import CollectorRegistry

from lamplighter.upkeep_metrics import UpkeepMetrics
from storage.lifecycle import Round
from storage.rollup_check import Check
from telemetry.clock import to_datetime


def test_a_difference_that_a_night_found_stays_counted() -> None:
    figures, registry = UpkeepMetrics(), CollectorRegistry()
    registry.register(figures)
    night = Check(to_datetime(86_400_000_000), asset_days=40, asset_days_left=5, differing=2)
    for done in (Round(days=3, days_left=4), Round(days=1, check=night), Round(idle=True)):
        figures.add(done)
    wanted = {
        "days_total": 4,
        "days_behind": 0,
        "asset_days_checked_total": 40,
        "asset_days_left_total": 5,
        "asset_days_differing_total": 2,
        "checked_timestamp_seconds": 86_400,
    }
    assert {name: registry.get_sample_value(f"lamplighter_upkeep_{name}") for name in wanted} == wanted

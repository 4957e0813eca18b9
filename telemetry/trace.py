"""The one name by which a reading is followed through all logs: from uplink to row, to alarm, to command."""

from telemetry.clock import to_rfc3339


def trace(asset: str, observed_us: int) -> str:
    """`drain-1@2026-11-22T15:10:00Z`: the asset and `observed_at`, by which row, alarm and command know their cause."""
    return f"{asset}@{to_rfc3339(observed_us)}"

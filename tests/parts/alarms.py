"""Words of alarms, as rules publish them."""

import datetime as dt

from telemetry.alarms import Alarm, State

AT = dt.datetime(2026, 11, 22, 20, 15, tzinfo=dt.UTC)


def alarm(name: str, state: State = State.UNACKNOWLEDGED) -> Alarm:
    """One about a drain."""
    return Alarm(
        id=name, subject="asset:drain-1", asset="drain-1", type="drain_high", severity="warning", state=state,
        state_under=None, shelved_until=None, shelved_by=None, shelve_reason=None, raised_at=AT, cleared_at=None,
        observed_at=AT, acknowledged_by=None, acknowledged_at=None, note=None, why={"inputs": {"level_m": 1.2}},
    )  # fmt: skip

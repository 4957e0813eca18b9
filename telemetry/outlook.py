"""Where the water of a drain stands and when it will overflow, as rules keep it and the API tells it."""

from collections.abc import Mapping
from typing import Any

from telemetry.clock import to_rfc3339

RULE = "drain_outlook"
"""The rules keep it under this name."""
STAGES = ("normal", "pre_alarm", "einstau", "ueberstau")
"""The stages, lowest first; rules keep their numbers. Einstau: at or above the crown. Überstau: the ground."""


def document(kept: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """What people are told of it: the stage, the rate of rise in m an hour, and when the water reaches the ground.

    `at_least`: the water stands in the sensor's blind zone and may be higher.
    Rate and overflow are `None` unless the water rises and its last level is fresh; `latest_at` is `None` where it may
    also never get there.
    """
    told = {"stage": STAGES[kept.get("stage", 0)], "at_least": kept.get("at_least", False)}
    told |= {"rate_m_h": None, "observed_at": None, "overflow": None}
    if kept.get("until_us", now_us) <= now_us:
        return told
    ends = {f"{name}_at": kept.get(f"{name}_us") for name in ("earliest", "likely", "latest")}
    overflow = {name: None if at_us is None else to_rfc3339(at_us) for name, at_us in ends.items()}
    return told | {
        "rate_m_h": kept.get("rate_m_h"),
        "observed_at": to_rfc3339(kept["observed_us"]),
        "overflow": overflow,
    }

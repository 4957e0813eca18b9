"""How long what is kept, as settings that must fit together."""

from collections.abc import Mapping
from typing import Any


def ages_in_order(values: Mapping[str, Any]) -> None:
    """That nothing is dropped before it is compressed, and no rows outlive their hours; settings by name.

    Raises:
        ValueError: it is otherwise.
    """
    if not values["compress_days"] <= values["raw_days"] <= values["hourly_days"]:
        raise ValueError("compress_days, raw_days and hourly_days must not decrease in this order")
    raw, hourly = values["raw_days_by_kind"], values["hourly_days_by_kind"]
    for kind in raw | hourly:
        if raw.get(kind, values["raw_days"]) > hourly.get(kind, values["hourly_days"]):
            raise ValueError(f"the observations of {kind} must not be kept longer than its hourly rollups")

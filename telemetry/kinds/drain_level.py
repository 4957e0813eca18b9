"""Drains: a sensor in a manhole reports how high the water stands."""

from collections.abc import Callable
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from telemetry.kind import Attributes, Column, Measure, Observation

Height = Annotated[float, msgspec.Meta(ge=0, le=100)]


class DrainLevelAttributes(Attributes, frozen=True):
    """Heights in metres above the asset's invert; `invert_m_nhn` is the invert above sea level, for information."""

    references: ClassVar[tuple[str, ...]] = ("upstream", "rain_from")
    ascending: ClassVar[tuple[tuple[str, str], ...]] = (("crown_m", "ground_m"),)

    sensor_height_m: Height | None = None
    blind_zone_m: Height | None = None
    crown_m: Height | None = None
    sill_m: Height | None = None
    ground_m: Height | None = None
    upstream: str | None = None
    rain_from: str | None = None
    invert_m_nhn: float | None = None


class DrainLevel(Observation):
    """What a water level sensor in a drain reports."""

    name: ClassVar[str] = "drain_level"
    marked: ClassVar[tuple[str, ...]] = ("level_m", "distance_m")
    report_every_s: ClassVar[int] = 300
    attributes: ClassVar[type[Attributes]] = DrainLevelAttributes

    level_m: Annotated[float | None, Measure("m", -1, 30, "water above the invert")] = None
    distance_m: Annotated[float | None, Measure("m", 0, 30, "from the sensor's face down to the water")] = None
    flow_l_s: Annotated[float | None, Measure("l/s", 0, 100_000, "discharge")] = None
    rain_mm_h: Annotated[float | None, Measure("mm/h", 0, 500, "rain intensity")] = None
    temp_c: Annotated[float | None, Measure("°C", -50, 150, "temperature")] = None
    battery_pct: Annotated[float | None, Measure("%", 0, 100, "battery charge")] = None

    @classmethod
    def complete(cls, fields: dict[str, Column], attribute: Callable[[str], Column]) -> None:
        """`level_m` = `sensor_height_m` − `distance_m` where only the distance was measured."""
        unlevelled = np.isnan(fields["level_m"])
        if unlevelled.any():
            level = attribute("sensor_height_m") - fields["distance_m"]
            np.copyto(fields["level_m"], level, where=unlevelled)

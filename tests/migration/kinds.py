"""Kinds as they might come and change: air quality, and air quality a year later."""

from typing import Annotated, ClassVar

from telemetry.kind import Kind, Measure, Observation
from telemetry.kinds import KINDS


class AirQuality(Observation):
    """What an air quality station reports."""

    name: ClassVar[str] = "air_quality"
    marked: ClassVar[tuple[str, ...]] = ("pm2_5_ug_m3",)
    report_every_s: ClassVar[int] = 600

    pm2_5_ug_m3: Annotated[float | None, Measure("µg/m³", 0, 1_000, "fine dust")] = None
    humid: Annotated[bool | None, Measure("bool", words="condensation in the inlet")] = None


class AirQualityLater(Observation):
    """What an air quality station reports."""

    name: ClassVar[str] = "air_quality"
    marked: ClassVar[tuple[str, ...]] = ("pm2_5_ug_m3",)
    report_every_s: ClassVar[int] = 600

    pm2_5_ug_m3: Annotated[float | None, Measure("µg/m³", 0, 2_000, "fine dust")] = None
    no2_ug_m3: Annotated[float | None, Measure("µg/m³", 0, 500, "nitrogen dioxide")] = None
    humid: Annotated[bool | None, Measure("bool", words="condensation in the inlet")] = None
    runtime_h: Annotated[float | None, Measure("h", 0, words="hours of work", rollup="counter")] = None


class AirQualityRetyped(Observation):
    """What an air quality station reports."""

    name: ClassVar[str] = "air_quality"
    marked: ClassVar[tuple[str, ...]] = ("pm2_5_ug_m3",)
    report_every_s: ClassVar[int] = 600

    pm2_5_ug_m3: Annotated[int | None, Measure("µg/m³", 0, 1_000, "fine dust")] = None


NEW = {**KINDS, "air_quality": Kind(AirQuality)}
LATER = {**KINDS, "air_quality": Kind(AirQualityLater)}
RETYPED = {**KINDS, "air_quality": Kind(AirQualityRetyped)}

"""Street lights: a lamp's controller reports what the lamp gives, draws and sees."""

from typing import Annotated, ClassVar, Literal

import msgspec

from telemetry.kind import Attributes, Measure, Observation

ENERGY_KWH_MAX = 1e12
"""More than any meter counts, and so little that a year of readings still adds up."""

LightingClass = Literal["M1", "M2", "M3", "M4", "M5", "M6", "P1", "P2", "P3", "P4", "P5", "P6"]


class StreetLightAttributes(Attributes, frozen=True):
    """`lighting_class` after EN 13201 (P1–P6, M1–M6); `ring_sign` is sign 394; `direct`: no long-range radio."""

    lighting_class: LightingClass | None = None
    min_level_pct: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    crossing: bool | None = None
    ring_sign: bool | None = None
    cabinet: str | None = None
    direct: bool | None = None


class StreetLight(Observation):
    """What a street light's controller reports."""

    name: ClassVar[str] = "streetlight"
    marked: ClassVar[tuple[str, ...]] = ("level_pct",)
    report_every_s: ClassVar[int] = 600
    attributes: ClassVar[type[Attributes]] = StreetLightAttributes

    level_pct: Annotated[float | None, Measure("%", 0, 100, "light output")] = None
    setpoint_pct: Annotated[float | None, Measure("%", 0, 100, "light output asked for")] = None
    power_w: Annotated[float | None, Measure("W", 0, 2_000, "power drawn")] = None
    energy_kwh: Annotated[float | None, Measure("kWh", 0, ENERGY_KWH_MAX, "energy drawn since ever", "counter")] = None
    voltage_v: Annotated[float | None, Measure("V", 0, 480, "supply voltage")] = None
    lux: Annotated[float | None, Measure("lx", 0, 200_000, "ambient light")] = None
    motion: Annotated[int | None, Measure("1", 0, 65_535, "movements since the last report", "sum")] = None
    temp_c: Annotated[float | None, Measure("°C", -50, 150, "temperature of the controller")] = None
    lamp_fault: Annotated[bool | None, Measure("bool", words="the controller reports a lamp failure")] = None

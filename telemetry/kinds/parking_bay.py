"""Parking bays: a sensor in the ground reports whether a vehicle stands above it."""

from typing import Annotated, ClassVar, Literal

from telemetry.kind import Attributes, Measure, Observation


class ParkingBayAttributes(Attributes, frozen=True):
    """`reserved_for` names who alone may park here; `None` means everybody."""

    reserved_for: Literal["disabled", "charging"] | None = None


class ParkingBay(Observation):
    """What a parking bay's sensor reports."""

    name: ClassVar[str] = "parking_bay"
    marked: ClassVar[tuple[str, ...]] = ("occupied",)
    report_every_s: ClassVar[int] = 900
    attributes: ClassVar[type[Attributes]] = ParkingBayAttributes

    occupied: Annotated[bool | None, Measure("bool", words="a vehicle stands in the bay")] = None
    confidence_pct: Annotated[float | None, Measure("%", 0, 100, "the sensor's trust in its word")] = None
    temp_c: Annotated[float | None, Measure("°C", -50, 150, "temperature")] = None
    battery_pct: Annotated[float | None, Measure("%", 0, 100, "battery charge")] = None

"""What may never be set, whoever asks."""

import pytest

from telemetry.commands import Settings
from telemetry.guards import objection
from telemetry.kinds.parking_bay import ParkingBayAttributes
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.registry import Asset


def lamp(**attributes: object) -> Asset:
    return Asset(1, "L1", "streetlight", "", None, None, None, StreetLightAttributes(**attributes))  # type: ignore[arg-type]


BAY = Asset(2, "B1", "parking_bay", "", None, None, None, ParkingBayAttributes())


@pytest.mark.parametrize(
    ("asset", "settings", "dark"),
    [
        (lamp(min_level_pct=40.0), Settings(setpoint_pct=39.9), True),
        (lamp(lighting_class="M1"), Settings(setpoint_pct=49), True),
        (lamp(), Settings(setpoint_pct=0), True),
        (lamp(ring_sign=True, crossing=True), Settings(setpoint_pct=0), True),
        (lamp(), Settings(setpoint_pct=101), False),
        (lamp(), Settings(setpoint_pct=-1), False),
        (lamp(), Settings(report_every_s=1), False),
        (lamp(), Settings(), False),
        (BAY, Settings(setpoint_pct=50), False),
    ],
)
def test_unlawful(asset: Asset, settings: Settings, dark: bool) -> None:
    sentence = objection(asset, settings, dark)
    assert sentence is not None
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("asset", "settings", "dark"),
    [
        (lamp(min_level_pct=40.0), Settings(setpoint_pct=40), True),
        (lamp(min_level_pct=40.0), Settings(setpoint_pct=0), False),
        (lamp(ring_sign=True), Settings(setpoint_pct=0), True),
        (BAY, Settings(report_every_s=600), True),
    ],
)
def test_lawful(asset: Asset, settings: Settings, dark: bool) -> None:
    assert objection(asset, settings, dark) is None

"""What no rule, API call or command line may set: checked at every door through which a command can come."""

from collections.abc import Mapping

from telemetry.commands import Settings
from telemetry.kinds.streetlight import StreetLight, StreetLightAttributes
from telemetry.registry import Asset

MIN_LEVEL_PCT_DEFAULT = 10.0
"""The floor of a lamp for which no minimum level is registered."""
LIGHTING_CLASS_MIN_PCT: dict[str, float] = {
    **{f"M{n}": level for n, level in enumerate((50.0, 50.0, 40.0, 40.0, 30.0, 30.0), 1)},
    **{f"P{n}": level for n, level in enumerate((30.0, 30.0, 20.0, 20.0, 10.0, 10.0), 1)},
}
"""Default floor of each EN 13201 class in % of the luminaire; the asset's own `min_level_pct` goes before it."""
REPORT_EVERY_S_MIN = 10
REPORT_EVERY_S_MAX = 86_400


NO_CLASSES: Mapping[str, float] = {}


def floor_pct(attributes: StreetLightAttributes, class_min_pct: Mapping[str, float] = NO_CLASSES) -> float:
    """The least level above 0 that a lamp may be dimmed to between dusk and dawn, in %.

    `class_min_pct` are the town's own floors of lighting classes, which may only be higher.
    """
    if attributes.min_level_pct is not None:
        return attributes.min_level_pct
    lighting_class = attributes.lighting_class or ""
    usual = LIGHTING_CLASS_MIN_PCT.get(lighting_class, MIN_LEVEL_PCT_DEFAULT)
    return max(usual, class_min_pct.get(lighting_class, usual))


def may_be_off(attributes: StreetLightAttributes) -> bool:
    """Whether a lamp may go to 0 % at night: only one that bears sign 394 and lights no crossing."""
    return bool(attributes.ring_sign) and not attributes.crossing


def objection(
    asset: Asset, settings: Settings, dark: bool, class_min_pct: Mapping[str, float] = NO_CLASSES
) -> str | None:
    """Why the settings must not be sent to the asset, in one sentence; `None` if they may.

    `dark` is whether it is between dusk and dawn (civil twilight) at any time while the command holds;
    `class_min_pct` are the town's own floors of lighting classes.
    """
    if settings.setpoint_pct is None and settings.report_every_s is None:
        return "The command sets nothing."
    interval = settings.report_every_s
    if interval is not None and not REPORT_EVERY_S_MIN <= interval <= REPORT_EVERY_S_MAX:
        return f"report_every_s must lie between {REPORT_EVERY_S_MIN} and {REPORT_EVERY_S_MAX} seconds."
    setpoint = settings.setpoint_pct
    if setpoint is None:
        return None
    if asset.kind != StreetLight.name or not isinstance(asset.attributes, StreetLightAttributes):
        return f"{asset.asset} is no street light, so setpoint_pct means nothing to it."
    if not 0 <= setpoint <= 100:
        return "setpoint_pct must lie between 0 and 100."
    return _too_dark(asset.asset, asset.attributes, setpoint, class_min_pct) if dark else None


def _too_dark(
    asset: str, attributes: StreetLightAttributes, setpoint: float, class_min_pct: Mapping[str, float]
) -> str | None:
    floor = floor_pct(attributes, class_min_pct)
    if setpoint == 0 and may_be_off(attributes):
        return None
    if setpoint == 0 and attributes.crossing:
        return f"{asset} lights a crossing, which is never off at night."
    if setpoint == 0:
        return f"{asset} bears no sign 394 (red ring), so it must not be off at night."
    if setpoint < floor:
        return f"{asset} must not go below its minimum level of {floor:g} % at night."
    return None

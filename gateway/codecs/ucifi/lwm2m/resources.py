"""The resources of the uCIFI objects by number: our name for each, its type, and the units in which it may come.

Source: OMA LwM2M registry, objects 3416 (2.0), 3431 (1.1), 3435 (2.0). A name ends with the registered unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from gateway.codecs.codec import Undecodable
from gateway.codecs.ucifi.lwm2m.formats import Scalar, is_number, real, whole

UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType({
    "pct": {"/100": 1, "%": 1, "/": 100},
    "c": {"Cel": 1},
    "w": {"W": 1, "kW": 1_000},
    "kwh": {"kWh": 1, "Wh": 0.001, "J": 1 / 3_600_000},
    "v": {"V": 1, "mV": 0.001},
    "a": {"A": 1, "mA": 0.001},
    "h": {"h": 1, "min": 1 / 60, "s": 1 / 3_600},
    "s": {"s": 1, "ms": 0.001, "min": 60, "h": 3_600},
    "cm": {"cm": 1, "m": 100, "mm": 0.1},
    "m3": {"m3": 1, "l": 0.001},
    "k": {"K": 1},
})  # fmt: skip
"""What one of a sender's unit is in ours, by the end of our name."""
MOMENT_S_MAX = 1 << 32


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of an object.

    Attributes:
        name: what we call it, with its unit behind.
        type: `number`, `flag`, `text` or `time` (seconds since 1970); `whole`: a number that TLV writes as an integer.
        ours: the field of the kind that it is.
        parts: how many of the resource's units are one of that field's.
    """

    name: str
    type: Literal["number", "whole", "flag", "text", "time"] = "whole"
    ours: str | None = None
    parts: float = 1.0

    def value(self, raw: Scalar | bytes, unit: str | None) -> float | bool | str:
        """The value in the registered unit; a time as RFC 3339.

        Raises:
            Undecodable: it is of another type, or in a unit that is none of its.
        """
        said = self._scalar(raw) if isinstance(raw, bytes) else raw
        if self.type == "text":
            if isinstance(said, str):
                return said
        elif self.type == "flag":
            if said in (0, 1) and not isinstance(said, str):
                return bool(said)
        elif not isinstance(said, str) and is_number(said):
            return moment(said) if self.type == "time" else said * self._factor(unit)
        raise Undecodable(f"{self.name} is {said!r:.40}, where a {self.type} is expected")

    def _scalar(self, raw: bytes) -> Scalar:
        if self.type == "number":
            return real(raw)
        if self.type == "text":
            try:
                return raw.decode()
            except UnicodeDecodeError:
                raise Undecodable(f"{self.name} is no UTF-8") from None
        return whole(raw)

    def _factor(self, unit: str | None) -> float:
        known = UNITS.get(self.name.rpartition("_")[2], {})
        if unit is None:
            return 1
        if unit not in known:
            raise Undecodable(f"{self.name} in {unit!r:.20}, which is none of its units")
        return known[unit]


def moment(seconds: float) -> str:
    """A time as RFC 3339; raises `Undecodable` where it is none from 1970 to 2106."""
    if not 0 <= seconds < MOMENT_S_MAX:
        raise Undecodable(f"{seconds} is no time in seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


_MEASURED = {
    5518: Resource("measured_time", "time"),
    6042: Resource("measurement_quality"),
    6049: Resource("measurement_quality_pct"),
    6050: Resource("measured_fraction_s", "number"),
}
_LAMP = {
    1: Resource("setpoint_pct", ours="setpoint_pct"),
    2: Resource("command_in_action_pct"),
    3: Resource("level_pct", ours="level_pct"),
    4: Resource("default_dimming_pct"),
    5: Resource("lamp_failure", "flag", ours="lamp_fault"),
    6: Resource("lamp_failure_reason"),
    7: Resource("control_gear_failure", "flag"),
    8: Resource("control_gear_failure_reason"),
    9: Resource("relay_failure", "flag"),
    10: Resource("day_burner", "flag"),
    11: Resource("cycling_failure", "flag"),
    12: Resource("control_gear_communication_failure", "flag"),
    13: Resource("scheduler"),
    14: Resource("invalid_scheduler", "flag"),
    15: Resource("lamp_operating_h", "number"),
    17: Resource("lamp_on_time", "time"),
    18: Resource("lamp_switch_count"),
    20: Resource("control_gear_start_count"),
    21: Resource("control_gear_c", "number", ours="temp_c"),
    22: Resource("thermal_derating", "flag"),
    23: Resource("thermal_derating_count"),
    25: Resource("thermal_shutdown", "flag"),
    26: Resource("thermal_shutdown_count"),
    28: Resource("output_port"),
    29: Resource("standby_mode", "flag"),
    30: Resource("constant_light_output", "flag"),
    31: Resource("cleaning_factor_enabled", "flag"),
    32: Resource("cleaning_period_days"),
    33: Resource("initial_cleaning_factor_pct"),
    34: Resource("cleaning_time", "time"),
    35: Resource("control_type"),
    36: Resource("nominal_lamp_w"),
    37: Resource("minimum_dimming_pct"),
    38: Resource("minimum_lamp_w"),
    39: Resource("colour_temperature_command_k"),
    40: Resource("colour_temperature_k"),
    41: Resource("virtual_power_output_pct"),
    42: Resource("control_at_max_v", "number"),
    43: Resource("control_at_min_v", "number"),
    44: Resource("light_source_v", "number"),
    45: Resource("light_source_a", "number"),
    46: Resource("light_source_w", "number", ours="power_w"),
    47: Resource("light_source_kwh", "number", ours="energy_kwh"),
    48: Resource("maximum_light_source_a", "number"),
    49: Resource("default_fade_s", "number"),
    50: Resource("manual_override_start_time", "time"),
    51: Resource("manual_override_end_time", "time"),
    52: Resource("manual_override_fade_s", "number"),
    53: Resource("manual_override_s"),
    54: Resource("manual_override_active", "flag"),
    55: Resource("default_colour_temperature_k"),
    56: Resource("driver_operating_h", "number"),
    58: Resource("maker_gtin", "text"),
    59: Resource("maker_serial", "text"),
    60: Resource("firmware", "text"),
    61: Resource("dali_version", "text"),
    62: Resource("unit_c", "number"),
    63: Resource("capabilities"),
}
_BAY = {
    1: Resource("occupancy", "flag", ours="occupied"),
    2: Resource("occupation_s"),
    3: Resource("daily_occupation_s"),
    4: Resource("forbidden_parking", "flag"),
    5: Resource("sensor_type", "text"),
    6049: Resource("measurement_quality_pct", ours="confidence_pct"),
}
_FILLING = {
    1: Resource("container_height_cm"),
    2: Resource("filling_pct", "number"),
    3: Resource("filling_cm", ours="level_m", parts=100),
    4: Resource("high_threshold_pct", "number"),
    5: Resource("container_full", "flag"),
    6: Resource("low_threshold_pct", "number"),
    7: Resource("container_empty", "flag"),
    8: Resource("filling_a_day_pct", "number"),
    10: Resource("forecast_full_time", "time"),
    11: Resource("forecast_empty_time", "time"),
    12: Resource("out_of_location", "flag"),
    13: Resource("out_of_position", "flag"),
    14: Resource("container_width_cm"),
    15: Resource("container_type", "text"),
    16: Resource("container_m3", "number"),
    17: Resource("sensor_position", "text"),
    18: Resource("materials", "text"),
    19: Resource("filling_operations_count"),
    21: Resource("cover_open", "flag"),
    22: Resource("temperature_alarm", "flag"),
    23: Resource("water_infiltration_alarm", "flag"),
}
OBJECTS: Mapping[int, Mapping[int, Resource]] = MappingProxyType({
    3416: {**_MEASURED, **_LAMP},
    3431: {**_MEASURED, **_BAY},
    3435: {**_MEASURED, **_FILLING},
})  # fmt: skip
"""The resources of each object by number."""

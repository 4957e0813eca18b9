"""Names of Decentlab's own codec, which two sources carry: `{"value", "unit", "displayName"}` for each value."""

from typing import Any

from tests.unit.gateway.sources.mapping import Entry, To


class Rounded(To):
    """A value that they publish with five decimals."""

    def agrees(self, theirs: Any, ours: Any) -> bool:
        """Whether ours is theirs where rounded alike."""
        return super().agrees(theirs, round(ours, 5))


DISTANCES = {
    f"distance_{name}": To(f"distance_{name}_mm")
    for name in (
        *("minimum", "maximum", "median", "10th_percentile", "25th_percentile", "75th_percentile"),
        *("90th_percentile", "most_frequent_value"),
    )
}
WIND = {
    "wind_speed": To("wind_speed_m_s"),
    "wind_direction": To("wind_direction_deg"),
    "maximum_wind_speed": To("maximum_wind_speed_m_s"),
    "air_temperature": To("temp_c"),
    "x_orientation_angle": To("x_orientation_angle_deg"),
    "y_orientation_angle": To("y_orientation_angle_deg"),
    "north_wind_speed": To("north_wind_speed_m_s"),
    "east_wind_speed": To("east_wind_speed_m_s"),
}
MEASURED: dict[str, dict[str, To]] = {
    "dl-mbx": {
        "distance": To("distance_m", 0.001),
        "number_of_valid_samples": To("number_of_valid_samples"),
    },
    "dl-lid": {
        "distance_average": To("distance_m", 0.001),
        **DISTANCES,
        "number_of_samples": To("number_of_samples"),
        "total_acquisition_time": To("total_acquisition_time_ms"),
    },
    "dl-ctd10": {
        "water_depth": To("level_m", 0.001),
        "temperature": To("temp_c"),
        "electrical_conductivity": To("electrical_conductivity_us_cm"),
        "freezing_flag": To("freezing_flag"),
    },
    "dl-pr26": {"pressure": To("pressure_bar"), "temperature": To("temp_c")},
    "dl-pr36": {"pressure": To("pressure_bar"), "temperature": To("temp_c")},
    "dl-ntu": {
        "status": To("status"),
        "temperature": To("temp_c"),
        "turbidity_in_ntu": To("turbidity_ntu"),
        "turbidity_in_fnu": To("turbidity_fnu"),
        "turbidity_in_mg_l": To("turbidity_mg_l"),
    },
    "dl-tbrg": {
        "precipitation": To("precipitation_mm"),
        "precipitation_interval": To("precipitation_interval_s"),
        "cumulative_precipitation": To("cumulative_precipitation_mm"),
    },
    "dl-atm22": WIND,
    "dl-atm41": {
        **WIND,
        "solar_radiation": To("solar_radiation_w_m2"),
        "precipitation": To("precipitation_mm"),
        "lightning_strike_count": To("lightning_strike_count"),
        "lightning_average_distance": To("lightning_average_distance_km"),
        "vapor_pressure": To("vapor_pressure_kpa"),
        "atmospheric_pressure": To("atmospheric_pressure_kpa"),
        "relative_humidity": To("relative_humidity_pct"),
        "sensor_temperature_internal": To("sensor_temperature_internal_c"),
        "compass_heading": To("compass_heading_deg"),
    },
    "dl-lws": {"leaf_wetness_index": To("leaf_wetness_index")},
    "dl-wrm": {
        "air_temperature": To("temp_c"),
        "air_humidity": To("air_humidity_pct"),
        "surface_temperature": To("surface_temperature_c"),
        "head_temperature": To("head_temperature_c"),
    },
}
OF_THE_CODEC: dict[str, dict[str, Entry]] = {
    f"decentlab__{model}": {
        "protocol_version": To("protocol_version"),
        "device_id": To("device_id"),
        **{f"{name}.value": entry for name, entry in (entries | {"battery_voltage": To("battery_v")}).items()},
        "*.unit": "the unit is in our name",
        "*.displayName": "a label",
    }
    for model, entries in MEASURED.items()
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


AKENZA_NAMES = {"air_temperature": "temperature", "air_humidity": "humidity", "relative_humidity": "humidity"}
OF_AKENZA: dict[str, dict[str, Entry]] = {
    f"decentlab__{model}": {
        **{f"default.{_camel(AKENZA_NAMES.get(name, name))}": entry for name, entry in entries.items()},
        **{f"lifecycle.{_camel(name)}": entry for name, entry in entries.items()},
        "lifecycle.batteryVoltage": To("battery_v"),
        "lifecycle.batteryLevel": "akenza's estimate from the voltage",
        "lifecycle.protocolVersion": To("protocol_version"),
        "lifecycle.deviceId": To("device_id"),
        "lifecycle.deviceID": To("device_id"),
    }
    for model, entries in MEASURED.items()
}
OF_AKENZA["decentlab__dl-mbx"] |= {
    "default.distanceCm": To("distance_m", 0.01),
    "default.fillLevel": "follows from the height of a container that akenza sets",
}
OF_AKENZA["decentlab__dl-pr26"] |= {
    "default.pressure": Rounded("pressure_bar"),
    "default.level": "follows from the pressure, rounded on the way",
    "default.levelCm": "follows from the pressure, rounded on the way",
}

"""Vectors of NAS' own codecs: `{"data", "warnings", "errors"}`.

Theirs name the unit behind two underscores (`downlink_rssi__dBm`); where a word stands in place of the number, ours
has no unit (`dimming_level: "inactive"`), and a word for nothing is left out.
"""

from collections.abc import Iterator
from typing import Any

from tests.unit.gateway.sources.mapping import Entry, To

UNITS = {
    "percent": "pct", "dBm": "dbm", "dB": "db", "C": "c", "lx": "lx", "deg": "deg", "s": "s", "minutes": "min",
    "h": "h", "Wh": "wh", "W": "w", "V": "v", "bytes": "bytes",
}  # fmt: skip
NOTHING = ("n/a", "invalid_timestamp", "unavailable", "unknown")
FLAT = ("status", "analog_interfaces", "active_alerts", "sensor_source")
"""Their groups at the top that have no name with us; a driver's status has none anywhere."""

SAME = (
    "access_mode", "address", "boot_delay_range__s", "consumption.*.active_energy__Wh",
    "consumption.*.active_power__W", "consumption.*.address", "consumption.*.driver_operating_time__h",
    "consumption.*.lamp_on_time__h", "consumption.*.load_side_energy__Wh", "consumption.*.load_side_power__W",
    "consumption.*.mains_voltage__V", "consumption.*.power_factor", "dali_addressed_driver_count",
    "dali_alert_enabled", "dali_command", "dali_power_source_external", "dali_supply_state",
    "dali_unaddressed_driver_found", "days_active.*", "default_dim__percent", "devaddr", "device_config",
    "device_serial", "dig", "dig_alert_enabled", "dig_input_event_counter", "dig_input_on",
    "dimming_level__percent", "dimming_steps.*.dimming_level__percent", "dimming_steps.*.step_time",
    "downlink_from_fport", "downlink_rssi__dBm", "downlink_snr__dB", "error_reason", "fade_duration__s",
    "fallback_dimming_level__percent", "holidays.*", "internal_relay_closed", "latitude__deg", "ldr",
    "ldr_alert_enabled", "ldr_input_on", "ldr_input_value", "ldr_off_threshold_high", "ldr_on_threshold_low",
    "light_on_duration__s", "longitude__deg", "low_power_factor_alert", "mains_voltage__V", "max_power",
    "max_voltage__V", "memory_address", "memory_bank", "memory_value", "min_power__W", "min_power_factor",
    "min_voltage", "multicast_device", "off_delay__s", "on_delay__s", "open_drain_output_on", "optional_features.*",
    "over_current_alert", "over_voltage_alert", "power_factor", "profile_id", "profile_version", "query_data_raw",
    "reset_reason.*", "reset_target", "signal_edge_rising", "status_interval__s", "sunrise_offset__minutes",
    "sunset_offset__minutes", "trigger_alert_enabled", "under_voltage_alert", "usage_interval__s",
    "active_dimming_level__percent", "inactive_dimming_level", "calendar_clamps_dig", "calendar_clamps_profiles",
    "calendar_prefers_meta_pos", "ignore_gnss", "dig_enabled", "dig_mode_button", "polarity_high_or_rising",
    "notification_on_activation", "notification_on_inactivation", "notification_on_every_step",
    "source_d4i_motion_sensor", "interpolate_steps", "light_sensor_clamps_dig", "light_sensor_clamps_profile",
    "measurement_duration__s", "dim_steps.*.dimming_level__percent", "dim_steps.*.dimming_level",
    "dim_steps.*.light_level__lx", "sunrise_steps.*.dimming_level__percent", "sunrise_steps.*.zenith_angle__deg",
    "sunset_steps.*.dimming_level__percent", "sunset_steps.*.zenith_angle__deg", "status.*", "analog_interfaces.*",
    "active_alerts.*", "sensor_source.ldr_input", "sensor_source.dig_input_1_on", "dali_statuses.*.address",
    "dali_statuses.*.status.*", "drivers.*.address", "drivers.*.status.*", "dimming_source.*.address",
    "dimming_source.*.reason", "dimming_source.*.dimming_level__percent", "dimming_source.*.status.*",
    "profiles.*.address", "profiles.*.days_active.*", "profiles.*.dimming_level__percent", "profiles.*.profile_id",
    "profiles.*.profile_version",
)  # fmt: skip


def _ours(theirs: str) -> str:
    steps = [step for step in theirs.split(".") if step not in FLAT]
    stem, _, unit = steps[-1].partition("__")
    return ".".join([*steps[:-1], f"{stem}_{UNITS[unit]}" if unit else stem])


UPLINKS: dict[str, Entry] = {
    **{theirs: To(_ours(theirs)) for theirs in SAME},
    "packet_type": To("message"),
    "device_unix_epoch": To("device_time"),
    "firmware_version": To("firmware"),
    "mcu_temperature__C": To("temp_c"),
    "sensor_source.light_sensor__lx": To("lux"),
    "power__W": To("power_w"),
    "voltage__V": To("voltage_v"),
    "lamp_error_alert": To("lamp_fault"),
    "dimming_source.0.dimming_level__percent": To("level_pct"),
    "profiles.0.dimming_level__percent": To("level_pct"),
    "nwkskey": "a secret of the multicast group: kept out of readings",
    "appskey": "a secret of the multicast group: kept out of readings",
}
ANYWHERE: dict[str, Entry] = {}
FIELDS = {"nas__ul20xx-1.0": UPLINKS, "nas__ul20xx-1.1": UPLINKS}
DOWNLINKS: dict[str, dict[str, Entry]] = {}


def values(vector: dict[str, Any]) -> Any:
    """Their values of an uplink, named as above; of a downlink's bytes as they are, which is what we give too."""
    data = vector["expected"].get("data", {})
    return dict(_named(data)) if vector["kind"] == "uplink" else data


def _named(group: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in group.items():
        if isinstance(value, str) and value in NOTHING:
            continue
        yield (name.partition("__")[0] if _is_word(value) else name), _inner(value)


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(_named(value))
    return [_inner(each) for each in value] if isinstance(value, list) else value


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and not value.replace(".", "").isdigit()

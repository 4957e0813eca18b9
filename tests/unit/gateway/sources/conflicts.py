"""Published vectors whose word is not ours: vector, their path, and the verdict of the maker's data sheet.

Each entry has to be a real difference: one that agrees by now fails the tests and is to be removed. A path of
`refused` stands for a vector that expects a refusal where we decode, or the other way round; `bytes` and `port` for
a downlink's.
"""

CONFLICTS: dict[tuple[str, str], str] = {
    ("bosch__tps110#akenza-uplink-8", "start_up.debug"): (
        "The debug information has 12 bytes (0 to 11); akenza's parser keeps the first 10. Ours keeps all."
    ),
    ("nas__ul20xx-1.1#nas-uplink-51", "refused"): (
        "The block of sensors has its length before it, so that later firmware may add some; the maker's codec notes "
        "an error and reads on. Ours gives the status too, and the sensor it does not know as bytes."
    ),
    **{
        ("nas__ul20xx-1.1#nas-uplink-53", f"dimming_source.0.status.{flag}"): (
            "0xFF says that the driver's status is not known (changelog 0.2); the maker's codec shows all as false."
        )
        for flag in (
            *("driver_error", "lamp_failure", "lamp_on", "limit_error", "fade_running", "reset_state"),
            *("missing_short_address", "power_failure"),
        )
    },
    ("milesight__em300-mld#akenza-uplink-1", "default.leakage"): (
        "Channel 0x20, type 0xCE is a stored measurement with its own time; akenza gives it like a present one. Ours "
        "has it in the history."
    ),
    **{
        ("dragino__ldds04-lb#akenza-uplink-1", f"default.{name}"): (
            "Port 3 brings stored measurements with their own time; akenza gives them like present ones. Ours has them "
            "in the history."
        )
        for name in ("distance1", "distance2", "distance3", "interruptFlag", "interruptLevel")
    },
    ("dragino__ldds20-lb#akenza-uplink-0", "default.temperature"): (
        "327.6 is what the device says without a probe; a DS18B20 measures from -55 to 125 °C. Ours has no temperature."
    ),
    ("dragino__ndds75#akenza-uplink-0", "default.distance"): (
        "57 mm is less than the 280 mm that an NDDS75 measures at least (the sample is an NDDS20's). Ours has no "
        "reading."
    ),
    ("pepperl-fuchs__wilsen-sonic#akenza-uplink-3", "default.temperature"): (
        "0x4101999A is 8.1 °C as a float; akenza cuts the decimals."
    ),
    ("pepperl-fuchs__wilsen-sonic#akenza-uplink-4", "lifecycle.serialNumber"): (
        "The serial number is 14 characters of text; akenza reads their codes as one number."
    ),
}

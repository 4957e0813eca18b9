"""Grafana's names for our units."""

from grafana_foundation_sdk.models import units

from telemetry.kind import Property

METRES = "suffix:m"
"""Not Grafana's own metre, which turns into millimetres below one."""
GRAFANA = {
    "%": units.Percent,
    "W": units.Watt,
    "kWh": units.KiloWattHour,
    "V": units.Volt,
    "lx": units.Lux,
    "°C": units.Celsius,
    "m": METRES,
    "1": units.NoUnit,
    "bool": units.BoolYesNo,
}
"""Units that Grafana has a name for."""

TEXT = units.String
"""The unit of a table whose columns are words; figures among them carry their own."""
METRES_PER_HOUR = "suffix:m/h"
TIMES = "suffix:×"
_DECIMALS = {METRES: 2, METRES_PER_HOUR: 2, TIMES: 1}
COUNT = units.NoUnit
PER_MINUTE = "suffix:/min"
SECONDS = units.Seconds
MOMENT = "dateTimeAsIso"
AGO = "dateTimeFromNow"
DAY = "time:YYYY-MM-DD"


def decimals(unit: str) -> int | None:
    """How many decimals are shown of a unit; `None` leaves it to the size of the figure."""
    return _DECIMALS.get(unit)


def of(measured: Property) -> str:
    """Grafana's unit of a field of a kind; where Grafana has none, the unit is written behind the figure."""
    return GRAFANA.get(measured.unit, f"suffix:{measured.unit}")


def limits(measured: Property) -> tuple[float | None, float | None]:
    """The least and the greatest value that makes sense on an axis; `None` where the field has no bound."""
    low, high = measured.measure.low, measured.measure.high
    return (low if low > float("-inf") else None, high if high < float("inf") else None)

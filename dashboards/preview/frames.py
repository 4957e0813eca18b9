"""What Grafana's PostgreSQL data source makes of rows: data frames, in the JSON of its `/api/ds/query`.

Source: `sqleng/sql_engine.go` of Grafana 11 to 13, and `LongToWide` of its plugin SDK.
"""

import datetime as dt
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from storage.reader import Answer

Json = dict[str, Any]

TYPES = {
    **dict.fromkeys(("timestamptz", "timestamp", "date"), "time"),
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number"),
    "bool": "boolean",
}
"""Grafana's types of fields by PostgreSQL's types; anything else is a string."""
_TIMES = ("time", "timeend")
"""Columns that hold moments also where they are numbers: seconds since 1970."""
_FIRST_MS = 100_000_000_000
"""Smaller numbers in a column of moments are seconds (Grafana's `epochPrecisionToMS`)."""


def frames(answer: Answer, form: str) -> list[Json]:
    """The frames of an answer to a query of the format `table` or `time_series`."""
    fields = [_field(name, of_type) for name, of_type in answer.columns]
    values = [[_value(row[index], field["type"]) for row in answer.rows] for index, field in enumerate(fields)]
    if form == "time_series":
        fields, values = _series(fields, values)
    return [{"schema": {"refId": "A", "fields": fields}, "data": {"values": values}}]


def _field(name: str, of_type: str) -> Json:
    kind = "time" if name in _TIMES else TYPES.get(of_type, "string")
    return {"name": name, "type": kind}


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return _moment_ms(value)
    if kind == "number":
        number = float(value)
        return number if math.isfinite(number) else None
    if kind == "boolean" or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _moment_ms(value: dt.date | Decimal | float) -> float:
    if isinstance(value, dt.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, dt.date):
        return round(dt.datetime.combine(value, dt.time(), dt.UTC).timestamp() * 1000)
    number = float(value)
    return number * 1000 if number < _FIRST_MS else number


def _series(fields: list[Json], values: list[list[Any]]) -> tuple[list[Json], list[list[Any]]]:
    """Rows of moment, `metric` and value become one field a metric; without a metric they are that already."""
    names = [field["name"] for field in fields]
    time = names.index("time")
    fields[time]["name"] = "Time"
    if "metric" not in names:
        return fields, values
    (value,) = {*range(len(names))} - {time, names.index("metric")}
    moments, wide = _wide(values[time], values[names.index("metric")], values[value])
    return [fields[time], *({"name": metric, "type": "number"} for metric in wide)], [moments, *wide.values()]


def _wide(
    times: Sequence[float], metrics: Sequence[str], values: Sequence[Any]
) -> tuple[list[float], dict[str, list[Any]]]:
    """Each moment once, in order, and each metric's value at it, `None` where it has none."""
    moments = sorted(set(times))
    place = {moment: index for index, moment in enumerate(moments)}
    wide: dict[str, list[Any]] = {}
    for moment, metric, value in zip(times, metrics, values, strict=True):
        wide.setdefault(metric, [None] * len(moments))[place[moment]] = value
    return moments, wide

"""From a kind to its rollups: the columns of `<kind>_hourly`, `<kind>_daily` and `zone_daily`.

Every number gives `_min`, `_max` and `_n` (readings that are not NULL, so that means of means are exact). A gauge gives
`_avg` besides, a sum `_sum`, a cumulative counter `_avg` and `_delta` (its increase; see `queries/counters.sql`). A
boolean gives `_true_count` and `_n`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.kind import Kind, Property


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a rollup: `of_rows` sums up observations, `of_rollups` sums up finer rollups.

    `of_rows` is `None` for a counter's increase, which no aggregate of an hour's rows alone can tell.
    """

    name: str
    type: str
    of_rows: str | None
    of_rollups: str


COUNT = Column("count", "bigint", "count(*)", "sum(count)::bigint")


def columns(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind's rollups after `asset_id` and `bucket`: `count` first, then by property."""
    return (COUNT, *(column for each in kind.properties for column in _columns(each)))


def counters(kind: Kind) -> tuple[str, ...]:
    """The fields of the kind whose increase is kept as `<field>_delta`."""
    return tuple(each.name for each in kind.properties if each.rollup == "counter")


def zone_columns(kinds: Iterable[Kind]) -> tuple[Column, ...]:
    """The columns of `zone_daily` after `zone, kind, bucket, assets`: those of all kinds, equal names once."""
    by_name = {column.name: column for kind in kinds for column in columns(kind)}
    return tuple(by_name.values())


def _columns(each: Property) -> tuple[Column, ...]:
    name = each.name
    readings = Column(f"{name}_n", "bigint", f"count({name})", f"sum({name}_n)::bigint")
    if each.rollup == "truth":
        true_count = f"count(*) FILTER (WHERE {name})"
        return Column(f"{name}_true_count", "bigint", true_count, f"sum({name}_true_count)::bigint"), readings
    bounds = (_bound(name, "min"), _bound(name, "max"), readings)
    match each.rollup:
        case "gauge":
            return (_mean(name), *bounds)
        case "sum":
            kind = "bigint" if each.type is int else "double precision"
            return Column(f"{name}_sum", kind, f"sum({name})::{kind}", f"sum({name}_sum)::{kind}"), *bounds
        case "counter":
            return Column(f"{name}_delta", "double precision", None, f"sum({name}_delta)"), _mean(name), *bounds


def _mean(name: str) -> Column:
    of_rollups = f"sum({name}_avg * {name}_n) / nullif(sum({name}_n), 0)::double precision"
    return Column(f"{name}_avg", "double precision", f"avg({name}::double precision)", of_rollups)


def _bound(name: str, function: str) -> Column:
    rollup = f"{name}_{function}"
    return Column(rollup, "double precision", f"{function}({name}::double precision)", f"{function}({rollup})")

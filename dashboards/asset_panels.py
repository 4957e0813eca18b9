"""The panels that every dashboard of one asset has: is it heard, what is wrong with it, which hardware served it."""

from collections.abc import Mapping

from grafana_foundation_sdk.models import dashboard

from dashboards import units
from dashboards.panels import ANY_IS_BAD, MOMENT, Column, Heading, Line, Steps, stat_panel, table_panel, trend_panel
from dashboards.statements import statement
from dashboards.trends import Cell, of_field
from telemetry.kinds import KINDS
from telemetry.thresholds import Thresholds

SAYS_WORDS = {"true": ("yes", "green"), "false": ("no", "purple")}


def silence(missed_intervals: int) -> Steps:
    """The colours of a silence counted in report intervals; after so many a device is silent for the rules."""
    return ((None, "green"), (1.5, "orange"), (missed_intervals, "red"))


def heard(number: int, at: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """Is it still heard?"""
    missed = thresholds.presence.missed_intervals
    description = (
        "Since when it has been silent and how often it reports: as registered, else as learned from its reports, else "
        f"as usual for its kind. After {missed} intervals it is silent."
    )
    return stat_panel(
        Heading(number, "Heard", description, at, (6, 4)),
        statement("asset", "heard"),
        units.SECONDS,
        columns={"intervals": Column(unit=units.TIMES, steps=silence(missed))},
    )


def alarmed(number: int, at: Cell) -> dashboard.Panel:
    """Is anything wrong?"""
    description = "Its alarms that have not returned to normal; shelved ones left out."
    return stat_panel(
        Heading(number, "Active alarms", description, at, (3, 4)),
        statement("asset", "alarmed"),
        units.COUNT,
        ANY_IS_BAD,
    )


def newest(heading: Heading, kind: str, fields: Mapping[str, str], steps: Mapping[str, Steps]) -> dashboard.Panel:
    """The newest values of fields (by field: what they are called), coloured by `steps` where there are any."""
    chosen = ", ".join(f"(l.fields ->> '{field}')::float8 AS \"{name}\"" for field, name in fields.items())
    columns = {
        name: Column(unit=units.of(of_field(kind, field)), steps=steps.get(field)) for field, name in fields.items()
    }
    return stat_panel(heading, statement("asset", "latest", fields=chosen), units.COUNT, columns=columns)


def trend(
    heading: Heading,
    kind: str,
    fields: Mapping[str, str],
    thresholds: Thresholds,
    steps: Steps = (),
    columns: Mapping[str, Column] | None = None,
) -> dashboard.Panel:
    """Fields (by field: what they are called) of the asset over time, each point the mean of its interval."""
    chosen = ", ".join(f'avg(o.{field}) AS "{name}"' for field, name in fields.items())
    reported = f"num_nonnulls({', '.join(f'o.{field}' for field in fields)}) > 0"
    report_every_s = KINDS[kind].wire.report_every_s
    return trend_panel(
        heading,
        statement("asset", "trend", table=kind, fields=chosen, reported=reported),
        units.of(of_field(kind, next(iter(fields)))),
        Line(gap_s=report_every_s * thresholds.presence.missed_intervals, steps=steps),
        interval_s=60,
        columns=columns,
        nothing="It did not report this in this time",
    )


def devices(number: int, at: Cell, size: Cell) -> dashboard.Panel:
    """Which hardware?"""
    return table_panel(
        Heading(
            number,
            "Devices",
            "The hardware that has served it, newest first, and what it last said of being online.",
            at,
            size,
        ),
        statement("asset", "devices"),
        dict.fromkeys(("From", "Until", "Said at"), MOMENT)
        | {"Firmware": Column(width=85), "Online": Column(words=SAYS_WORDS, width=65)},
        nothing="No device has served it",
    )

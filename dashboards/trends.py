"""The trends that several dashboards show: of lamps, drains, bays and readings in the chosen zones."""

from grafana_foundation_sdk.models import dashboard

from dashboards import choices, units
from dashboards.choices import MOMENTS_DAYS
from dashboards.panels import Column, Heading, Line, Steps, timeline_panel, trend_panel
from dashboards.statements import statement
from telemetry.kind import Property
from telemetry.kinds import KINDS
from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight
from telemetry.thresholds import Thresholds

DRAINS_SHOWN = 8
"""Drains in the trend and the timeline; more lines cannot be told apart."""
READINGS_INTERVAL_S = 60
HOURS_DAYS = 14
"""Over a longer time energy is shown by the day."""
LIGHT = {"level": Column(colour="yellow"), "setpoint": Column(colour="blue", dashed=True)}
"""How what lamps give looks beside what is asked of them."""
DRAIN_STAGES = (("normal", "green"), ("pre-alarm", "yellow"), ("Einstau", "orange"), ("Überstau", "red"))

Cell = tuple[int, int]
"""A place or a size in the grid."""


def of_field(kind: str, name: str) -> Property:
    """A field of a kind, for its unit and its bounds."""
    return next(each for each in KINDS[kind].properties if each.name == name)


def free_bays(number: int, at: Cell, size: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """Free bays of each zone."""
    description = (
        "Bays last reported free and not silent; bays reserved for some are left out. Beyond "
        f"{MOMENTS_DAYS} days the mean of each hour."
    )
    return trend_panel(
        Heading(number, "Free bays by zone", description, at, size),
        statement(
            "overview",
            "free_bays_trend",
            missed_intervals=thresholds.presence.missed_intervals,
            moments_days=MOMENTS_DAYS,
        ),
        units.COUNT,
        Line(gap_s=ParkingBay.report_every_s, low=0),
        interval_s=300,
        nothing="No bay was heard in this time",
    )


def lamp_level(number: int, at: Cell, size: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """What the lamps give and what was asked of them."""
    level = of_field(StreetLight.name, "level_pct")
    low, high = units.limits(level)
    return trend_panel(
        Heading(number, "Street lighting", "Mean light output, and the mean asked of the lamps.", at, size),
        statement("overview", "lamp_level", moments_days=MOMENTS_DAYS),
        units.of(level),
        Line(gap_s=StreetLight.report_every_s * thresholds.presence.missed_intervals, low=low, high=high),
        interval_s=StreetLight.report_every_s,
        columns=LIGHT,
        nothing="No lamp reported in this time",
    )


def water(number: int, at: Cell, size: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """The drains whose water came nearest to the crown."""
    pre_alarm_m = thresholds.drainage.pre_alarm_below_crown_m
    steps: Steps = ((None, "transparent"), (-pre_alarm_m, "yellow"), (0, "orange"))
    description = (
        f"The {DRAINS_SHOWN} drains whose water came nearest to the crown of the pipe (0 m, Einstau from "
        f"there); the pre-alarm is at {-pre_alarm_m:g} m. Drains without a registered crown are left out."
    )
    return trend_panel(
        Heading(number, "Water against the crown", description, at, size),
        statement("overview", "drain_level", levels=_levels(), nearest=_nearest()),
        units.of(of_field(DrainLevel.name, "level_m")),
        Line(gap_s=DrainLevel.report_every_s * thresholds.presence.missed_intervals, steps=steps),
        interval_s=60,
        nothing="No drain with a registered crown reported in this time",
    )


def stages(number: int, at: Cell, size: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """The stages of the same drains."""
    description = "Normal, pre-alarm, Einstau (from the crown), Überstau (from the ground), for the same drains."
    return timeline_panel(
        Heading(number, "Stages of the drains", description, at, size),
        statement(
            "overview",
            "drain_stage",
            levels=_levels(),
            nearest=_nearest(),
            pre_alarm_m=thresholds.drainage.pre_alarm_below_crown_m,
        ),
        DRAIN_STAGES,
        interval_s=DrainLevel.report_every_s,
        gap_s=DrainLevel.report_every_s * thresholds.presence.missed_intervals,
    )


def energy(number: int, at: Cell, size: Cell) -> dashboard.Panel:
    """The energy of the lamps by the hour, over a long time by the day."""
    description = f"Energy drawn by zone: in each hour, beyond {HOURS_DAYS} days in each local day."
    return trend_panel(
        Heading(number, "Energy of the lamps", description, at, size),
        statement("overview", "energy", hours_days=HOURS_DAYS),
        units.of(of_field(StreetLight.name, "energy_kwh")),
        Line(gap_s=3600, stacked=True, bars=True, low=0),
        interval_s=3600,
        nothing="No lamp drew energy in this time",
    )


def readings(number: int, at: Cell, size: Cell, thresholds: Thresholds) -> dashboard.Panel:
    """How much comes in, by kind."""
    parts = "\nUNION ALL\n".join(
        statement(
            "overview",
            "readings_of_kind",
            table=kind,
            hourly=f"{kind}_hourly",
            words=choices.words_of(kind),
            moments_days=MOMENTS_DAYS,
        )
        for kind in KINDS
    )
    slowest_s = max(kind.wire.report_every_s for kind in KINDS.values())
    return trend_panel(
        Heading(number, "Readings", "Observations a minute by the time they speak of, by kind.", at, size),
        f"{parts}\nORDER BY 1, 2",
        units.PER_MINUTE,
        Line(gap_s=slowest_s * thresholds.presence.missed_intervals, stacked=True, low=0),
        interval_s=READINGS_INTERVAL_S,
    )


def _levels() -> str:
    return statement("overview", "drain_levels", moments_days=MOMENTS_DAYS)


def _nearest() -> str:
    return statement("overview", "nearest_drains", drains=DRAINS_SHOWN)

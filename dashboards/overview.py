"""The Overview: is the city well, and are we still looking? Figures, alarms and map, trends, devices, ledger."""

from grafana_foundation_sdk.models import dashboard

from dashboards import choices, units
from dashboards.panels import (
    Column,
    Heading,
    Line,
    Steps,
    map_panel,
    stat_panel,
    table_panel,
    timeline_panel,
    trend_panel,
)
from dashboards.statements import statement
from telemetry.alarms import Severity, State
from telemetry.kind import Property
from telemetry.kinds import KINDS
from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight
from telemetry.thresholds import Thresholds

UID = "lamplighter-overview"
DRAINS_SHOWN = 8
"""Drains in the trend and the timeline; more lines cannot be told apart."""
RATE_MINUTES = 15
"""The ingest rate is that of this time: longer than most devices' report interval."""
READINGS_INTERVAL_S = 60

ONLINE_PCT: Steps = ((None, "red"), (90, "orange"), (100, "green"))
ANY_IS_BAD: Steps = ((None, "green"), (1, "red"))
ANY_IS_ODD: Steps = ((None, "text"), (1, "orange"))

SEVERITY_WORDS = {
    Severity.CRITICAL: ("critical", "red"),
    Severity.WARNING: ("warning", "orange"),
    Severity.INFO: ("info", "blue"),
}
STATE_WORDS = {
    State.UNACKNOWLEDGED: ("new", "red"),
    State.ACKNOWLEDGED: ("acknowledged", "orange"),
    State.RETURNED_UNACKNOWLEDGED: ("over, not acknowledged", "yellow"),
    State.SHELVED: ("shelved", "text"),
}
CHECK_WORDS = {"balances": ("balances", "green"), "differs": ("differs", "red"), "none": ("not yet", "text")}
ASSET_STATES = (("in order", "green"), ("silent", "purple"), ("alarm", "orange"), ("critical", "red"))
DRAIN_STAGES = (("normal", "green"), ("pre-alarm", "yellow"), ("Einstau", "orange"), ("Überstau", "red"))


def overview(thresholds: Thresholds) -> dashboard.Dashboard:
    """The dashboard; its limits are those of `thresholds`, by which the rules decide."""
    return dashboard.Dashboard(
        uid=UID,
        title="Overview",
        description="The whole town at a glance: what is wrong, where, since when, and whether the data is fresh.",
        tags=["lamplighter"],
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val="now-6h", to="now"),
        refresh="30s",
        panels=[*_figures(thresholds), *_attention(), *_trends(thresholds), *_devices(thresholds)],
        templating=choices.variables(),
        annotations=choices.annotations(),
    )


def _sql(name: str, **figures: object) -> str:
    return statement("overview", name, **figures)


def _property(kind: str, name: str) -> Property:
    return next(each for each in KINDS[kind].properties if each.name == name)


def _staleness(missed_intervals: int) -> Steps:
    """Something should have come within the shortest report interval; after so many of them all devices are silent."""
    shortest_s = min(kind.wire.report_every_s for kind in KINDS.values())
    return ((None, "green"), (shortest_s, "orange"), (shortest_s * missed_intervals, "red"))


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    parts = "\nUNION ALL\n".join(
        _sql("readings_of_last_minutes", table=kind, rate_minutes=RATE_MINUTES) for kind in KINDS
    )
    return [
        stat_panel(
            Heading(1, "Online", "The share of assets whose device is online and reports in time.", (0, 0), (4, 4)),
            _sql("online"),
            units.GRAFANA["%"],
            ONLINE_PCT,
        ),
        stat_panel(
            Heading(
                2, "Active alarms", "Alarms that have not returned to normal; shelved ones left out.", (4, 0), (4, 4)
            ),
            _sql("active_alarms"),
            units.COUNT,
            ANY_IS_BAD,
        ),
        stat_panel(
            Heading(
                3,
                "Ingest",
                f"Observations a minute over the last {RATE_MINUTES} minutes, and all stored today (UTC).",
                (8, 0),
                (4, 4),
            ),
            _sql("ingest", parts=parts, rate_minutes=RATE_MINUTES),
            units.COUNT,
            columns={"per minute": Column(unit=units.PER_MINUTE)},
        ),
        stat_panel(
            Heading(4, "Newest data", "How long ago the newest observation arrived.", (12, 0), (4, 4)),
            _sql("age"),
            units.SECONDS,
            _staleness(thresholds.presence.missed_intervals),
        ),
        stat_panel(
            Heading(
                5,
                "Failed commands",
                "Commands of the chosen time that failed, were rejected or expired before they were carried out.",
                (16, 0),
                (4, 4),
            ),
            _sql("failed_commands"),
            units.COUNT,
            ANY_IS_BAD,
        ),
        stat_panel(
            Heading(6, "Free parking", "Bays free now, of those open to everybody, as published.", (20, 0), (4, 4)),
            _sql("free_bays"),
            units.COUNT,
            columns={"free": Column(), "bays": Column()},
        ),
    ]


def _attention() -> list[dashboard.Panel]:
    severities = {str(severity): word for severity, word in SEVERITY_WORDS.items()}
    states = {str(state): word for state, word in STATE_WORDS.items()}
    return [
        table_panel(
            Heading(
                7, "Alarms", "What wants attention: worst and newest first, shelved alarms last.", (0, 4), (12, 10)
            ),
            _sql("alarms"),
            {
                "Severity": Column(words=severities, width=90),
                "State": Column(words=states),
                "Raised": Column(unit=units.MOMENT, width=160),
                "For": Column(unit=units.SECONDS, width=100),
            },
            nothing="No alarm is active",
        ),
        map_panel(
            Heading(
                8,
                "Map",
                "Every asset with a surveyed place, coloured by the worst to be said of it.",
                (12, 4),
                (12, 10),
            ),
            _sql("map"),
            "State",
            ASSET_STATES,
        ),
    ]


def _trends(thresholds: Thresholds) -> list[dashboard.Panel]:
    missed = thresholds.presence.missed_intervals
    return [*_parking_and_light(missed), *_drains(thresholds.drainage.pre_alarm_below_crown_m, missed), *_flows(missed)]


def _parking_and_light(missed: int) -> list[dashboard.Panel]:
    level = _property(StreetLight.name, "level_pct")
    low, high = units.limits(level)
    lamp_s, bay_s = StreetLight.report_every_s, ParkingBay.report_every_s
    return [
        trend_panel(
            Heading(
                9,
                "Free bays by zone",
                "Bays last reported free and not silent; bays reserved for some are left out.",
                (0, 14),
                (12, 8),
            ),
            _sql("free_bays_trend", missed_intervals=missed, report_every_s=bay_s),
            units.COUNT,
            Line(gap_s=bay_s, low=0),
            interval_s=300,
        ),
        trend_panel(
            Heading(10, "Street lighting", "Mean light output, and the mean asked of the lamps.", (12, 14), (12, 8)),
            _sql("lamp_level"),
            units.of(level),
            Line(gap_s=lamp_s * missed, low=low, high=high),
            interval_s=lamp_s,
        ),
    ]


def _drains(pre_alarm_m: float, missed: int) -> list[dashboard.Panel]:
    gap_s = DrainLevel.report_every_s * missed
    nearest = _sql("nearest_drains", drains=DRAINS_SHOWN)
    against_crown: Steps = ((None, "transparent"), (-pre_alarm_m, "yellow"), (0, "orange"))
    return [
        trend_panel(
            Heading(
                11,
                "Water against the crown",
                f"The {DRAINS_SHOWN} drains whose water came nearest to the crown of the pipe (0 m, Einstau from "
                f"there); the pre-alarm is at {-pre_alarm_m:g} m. Drains without a registered crown are left out.",
                (0, 22),
                (12, 8),
            ),
            _sql("drain_level", nearest=nearest),
            units.of(_property(DrainLevel.name, "level_m")),
            Line(gap_s=gap_s, steps=against_crown),
            interval_s=60,
        ),
        timeline_panel(
            Heading(
                12,
                "Stages of the drains",
                "Normal, pre-alarm, Einstau (from the crown), Überstau (from the ground), for the same drains.",
                (12, 22),
                (12, 8),
            ),
            _sql("drain_stage", nearest=nearest, pre_alarm_m=pre_alarm_m),
            DRAIN_STAGES,
            interval_s=DrainLevel.report_every_s,
            gap_s=gap_s,
        ),
    ]


def _flows(missed: int) -> list[dashboard.Panel]:
    readings = "\nUNION ALL\n".join(
        _sql("readings_of_kind", table=kind, words=choices.words_of(kind)) for kind in KINDS
    )
    slowest_s = max(kind.wire.report_every_s for kind in KINDS.values())
    return [
        trend_panel(
            Heading(13, "Energy of the lamps", "Energy drawn in each hour, by zone.", (0, 30), (12, 8)),
            _sql("energy"),
            units.of(_property(StreetLight.name, "energy_kwh")),
            Line(gap_s=3600, stacked=True, bars=True, low=0),
            interval_s=3600,
        ),
        trend_panel(
            Heading(14, "Readings", "Observations a minute by the time they speak of, by kind.", (12, 30), (12, 8)),
            f"{readings}\nORDER BY 1, 2",
            units.PER_MINUTE,
            Line(gap_s=slowest_s * missed, stacked=True, low=0),
            interval_s=READINGS_INTERVAL_S,
        ),
    ]


def _devices(thresholds: Thresholds) -> list[dashboard.Panel]:
    missed = thresholds.presence.missed_intervals
    return [
        table_panel(
            Heading(15, "Devices", "Assets of each kind: online, silent, and never heard.", (0, 38), (6, 9)),
            _sql("devices"),
            {
                "Assets": Column(unit=units.COUNT),
                "Online": Column(unit=units.COUNT),
                "Silent": Column(unit=units.COUNT, steps=ANY_IS_ODD),
                "Never heard": Column(unit=units.COUNT, steps=ANY_IS_ODD),
            },
        ),
        table_panel(
            Heading(
                16,
                "Silent devices",
                f"Assets that are not online: their device said so, or missed {missed} reports. Longest silence first.",
                (6, 38),
                (10, 9),
            ),
            _sql("silent"),
            {"Silent for": Column(unit=units.SECONDS), "Battery": Column(unit=units.GRAFANA["%"])},
            nothing="All devices are online",
        ),
        table_panel(
            Heading(
                17,
                "Ledger",
                "Received = stored + duplicate + quarantined, each UTC day, which is checked by the hour and once it "
                "is over: whether that holds, and whether exactly those rows are there.",
                (16, 38),
                (8, 9),
            ),
            _sql("ledger"),
            {
                name: Column(unit=units.COUNT, steps=ANY_IS_ODD if name == "Quarantined" else None)
                for name in ("Received", "Stored", "Duplicate", "Quarantined", "Replayed")
            }
            | {"Check": Column(words=CHECK_WORDS)},
        ),
    ]

"""The Drain: how near is this drain to overflowing?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import asset_panels, places, units
from dashboards.alarm_tables import alarms_of_asset
from dashboards.asset_panels import newest, trend
from dashboards.choices import Frame, Town, framed
from dashboards.panels import Column, Heading, Line, Steps, stat_panel, timeline_panel, trend_panel
from dashboards.statements import statement
from dashboards.trends import DRAIN_STAGES, Cell, of_field
from telemetry.kinds.drain_level import DrainLevel
from telemetry.thresholds import Sensors, Thresholds

KIND = DrainLevel.name
FRAME = Frame(
    places.DRAIN,
    "Drain",
    "How near is this drain to overflowing? Its water against crown and ground, the rain, its sensor and its alarms.",
    asset_kind=KIND,
    kinds=(KIND,),
)


def drain(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    limits = town.thresholds
    return framed(FRAME, town, [*_figures(limits), *_trends(limits), *_surroundings(limits), *_records()])


def _battery(sensors: Sensors) -> Steps:
    """At the rules' charge the battery is low, which is over at the deadband above."""
    low_pct = sensors.battery_low_pct
    return ((None, "red"), (low_pct, "orange"), (low_pct + sensors.battery_deadband_pct, "green"))


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    window_s = max(thresholds.drainage.slope_window_s, 2 * DrainLevel.report_every_s)
    level = units.of(of_field(KIND, "level_m"))
    pre_alarm_m = thresholds.drainage.pre_alarm_below_crown_m
    room: Steps = ((None, "red"), (0, "orange"), (pre_alarm_m, "green"))
    return [
        stat_panel(
            Heading(1, "Level", "Its last level, and what is left to the crown and to the ground.", (0, 0), (9, 4)),
            statement("drain", "now"),
            level,
            columns={
                "water": Column(),
                "to the crown": Column(steps=room),
                "to the ground": Column(steps=((None, "red"), (0, "green"))),
            },
        ),
        stat_panel(
            Heading(2, "Rise", f"How fast the water rises, over the last {window_s // 60} minutes.", (9, 0), (3, 4)),
            statement("drain", "rise", window_s=window_s),
            units.METRES_PER_HOUR,
        ),
        asset_panels.heard(3, (12, 0), thresholds),
        newest(
            Heading(4, "Battery", "Its charge, as last reported.", (18, 0), (3, 4)),
            KIND,
            {"battery_pct": "charge"},
            {"battery_pct": _battery(thresholds.sensors)},
        ),
        asset_panels.alarmed(5, (21, 0)),
    ]


def _trends(thresholds: Thresholds) -> list[dashboard.Panel]:
    pre_alarm = statement(
        "asset",
        "figure",
        section="drainage",
        of_name="pre_alarm_below_crown_m",
        default=thresholds.drainage.pre_alarm_below_crown_m,
    )
    gap_s = DrainLevel.report_every_s * thresholds.presence.missed_intervals
    return [
        trend_panel(
            Heading(
                6,
                "Water",
                "Its water, with the heights that matter: crown (Einstau) and ground (Überstau) as registered, and the "
                "pre-alarm as the active rules have it for this drain.",
                (0, 4),
                (24, 10),
            ),
            statement("drain", "level", pre_alarm=pre_alarm),
            units.of(of_field(KIND, "level_m")),
            Line(gap_s=gap_s),
            interval_s=60,
            columns={
                "water": Column(colour="blue"),
                "pre-alarm": Column(colour="yellow", dashed=True),
                "crown": Column(colour="orange", dashed=True),
                "ground": Column(colour="red", dashed=True),
            },
        ),
        timeline_panel(
            Heading(7, "Stage", "Normal, pre-alarm, Einstau (from the crown), Überstau (ground).", (0, 14), (24, 4)),
            statement("drain", "stage", pre_alarm=pre_alarm),
            DRAIN_STAGES,
            interval_s=DrainLevel.report_every_s,
            gap_s=gap_s,
        ),
    ]


def _surroundings(thresholds: Thresholds) -> list[dashboard.Panel]:
    gap_s = DrainLevel.report_every_s * thresholds.presence.missed_intervals
    half: Cell = (12, 8)
    return [
        trend_panel(
            Heading(8, "Rain", "Rain on it: of its registered rain gauge, else its own.", (0, 18), half),
            statement("drain", "rain"),
            units.of(of_field(KIND, "rain_mm_h")),
            Line(gap_s=gap_s, bars=True, low=0),
            interval_s=DrainLevel.report_every_s,
        ),
        trend(
            Heading(9, "Discharge", "What flows through it.", (12, 18), half), KIND, {"flow_l_s": "flow"}, thresholds
        ),
        trend(
            Heading(
                10, "Charge", f"Its battery; at {thresholds.sensors.battery_low_pct:g} % it is low.", (0, 26), half
            ),
            KIND,
            {"battery_pct": "charge"},
            thresholds,
            steps=((None, "red"), (thresholds.sensors.battery_low_pct, "transparent")),
        ),
        trend(
            Heading(11, "Temperature", "What its sensor says of temperature.", (12, 26), half),
            KIND,
            {"temp_c": "temperature"},
            thresholds,
        ),
    ]


def _records() -> list[dashboard.Panel]:
    return [alarms_of_asset(12, (0, 34), (12, 8)), asset_panels.devices(13, (12, 34), (12, 8))]

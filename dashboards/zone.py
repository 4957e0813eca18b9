"""The Zone: how is this part of the town?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import places, trends, units
from dashboards.alarm_tables import HIDDEN, active_alarms
from dashboards.choices import Frame, Town, framed
from dashboards.panels import ANY_IS_BAD, Column, Heading, stat_panel, table_panel, words_of
from dashboards.statements import statement
from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.streetlight import StreetLight
from telemetry.thresholds import Thresholds

FRAME = Frame(
    places.ZONE,
    "Zone",
    "How is this part of the town? Its alarms, its assets, and its light, water and bays.",
    is_zone_single=True,
)
ONLINE_STATES = (("online", "green"), ("silent", "purple"))


def zone(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    half = (12, 8)
    return framed(
        FRAME,
        town,
        [
            *_figures(town.thresholds),
            active_alarms(6, (0, 4), (13, 10), is_in_one_zone=True),
            _assets(),
            trends.lamp_level(8, (0, 14), half, town.thresholds),
            trends.free_bays(9, (12, 14), half, town.thresholds),
            trends.water(10, (0, 22), half, town.thresholds),
            trends.energy(11, (12, 22), half),
            _days(),
        ],
    )


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    percent = units.GRAFANA["%"]
    pre_alarm_m = thresholds.drainage.pre_alarm_below_crown_m
    return [
        stat_panel(
            Heading(1, "Online", "The share of its assets whose device is online and reports in time.", (0, 0), (4, 4)),
            statement("overview", "online"),
            percent,
            ((None, "red"), (90, "orange"), (100, "green")),
        ),
        stat_panel(
            Heading(2, "Active alarms", "Its alarms, and those of the whole platform.", (4, 0), (4, 4)),
            statement("overview", "active_alarms"),
            units.COUNT,
            ANY_IS_BAD,
        ),
        stat_panel(
            Heading(3, "Light", "What its lamps give now, and what is asked of them, on average.", (8, 0), (6, 4)),
            statement("zone", "lamps"),
            percent,
            columns={"level": Column(), "setpoint": Column()},
        ),
        stat_panel(
            Heading(
                4,
                "Room to the crown",
                f"The least that any drain has left below its crown; at {pre_alarm_m:g} m begins the pre-alarm.",
                (14, 0),
                (5, 4),
            ),
            statement("zone", "room"),
            units.of(trends.of_field(DrainLevel.name, "level_m")),
            ((None, "red"), (0, "orange"), (pre_alarm_m, "green")),
        ),
        stat_panel(
            Heading(5, "Free parking", "Bays free now, of those open to everybody, as published.", (19, 0), (5, 4)),
            statement("overview", "free_bays"),
            units.COUNT,
            columns={"free": Column(), "bays": Column()},
        ),
    ]


def _assets() -> dashboard.Panel:
    return table_panel(
        Heading(7, "Assets", "What stands in the zone, silent ones first. A click shows one.", (13, 4), (11, 10)),
        statement("zone", "assets", board=places.board_case("a.kind")),
        {
            "Asset": Column(link=places.asset_link()),
            "Kind": Column(width=100),
            "State": Column(words=words_of(ONLINE_STATES), width=75),
            "Last report": Column(unit=units.SECONDS, width=100),
            "Battery": Column(unit=units.GRAFANA["%"], width=80),
            "asset": HIDDEN,
            places.BOARD: HIDDEN,
        },
        nothing="The zone has no assets",
    )


def _days() -> dashboard.Panel:
    return table_panel(
        Heading(12, "Days", "The last 31 local days, from the daily sums of the zone.", (0, 30), (24, 8)),
        statement("zone", "days"),
        {
            "Day": Column(unit=units.DAY),
            "Energy": Column(unit=units.of(trends.of_field(StreetLight.name, "energy_kwh"))),
            "Highest water": Column(unit=units.of(trends.of_field(DrainLevel.name, "level_m"))),
            "Bays taken": Column(unit=units.GRAFANA["%"]),
            "Reports": Column(unit=units.COUNT),
        },
        nothing="No day is over yet",
    )

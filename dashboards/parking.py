"""Parking: where is room, and how sure is that?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import places, trends, units
from dashboards.alarm_tables import HIDDEN
from dashboards.choices import Frame, Town, framed
from dashboards.panels import ANY_IS_ODD, PLAIN, Column, Heading, Line, Steps, stat_panel, table_panel, trend_panel
from dashboards.statements import statement
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.thresholds import Parking, Thresholds

FRAME = Frame(
    places.PARKING,
    "Parking",
    "Where is room, and how sure is that? Free bays with their honest range, how full zones are, and silent bays.",
    kinds=(ParkingBay.name,),
)
PERCENT = units.GRAFANA["%"]


def parking(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    half = (12, 9)
    fullness = _fullness(town.thresholds.parking)
    return framed(
        FRAME,
        town,
        [
            *_figures(town.thresholds, fullness),
            _zones(fullness),
            trends.free_bays(6, (0, 13), half, town.thresholds),
            _taken(town.thresholds.parking),
            _silent(),
            _days(fullness),
        ],
    )


def _fullness(figures: Parking) -> Steps:
    """From the rules' shares on a zone is almost full, and full."""
    return ((None, "green"), (figures.almost_full_pct, "orange"), (figures.full_pct, "red"))


def _figures(thresholds: Thresholds, fullness: Steps) -> list[dashboard.Panel]:
    figures, report_every_s = thresholds.parking, ParkingBay.report_every_s
    silent_s = thresholds.presence.missed_intervals * report_every_s
    stale: Steps = ((None, "green"), (report_every_s, "orange"), (silent_s, "red"))
    return [
        stat_panel(
            Heading(
                1,
                "Free now",
                "As published: free bays, and the range if silent bays are left out or free.",
                (0, 0),
                (9, 4),
            ),
            statement("parking", "now"),
            units.COUNT,
            columns={"free": Column(), "at least": Column(), "at most": Column()},
        ),
        stat_panel(
            Heading(
                2,
                "Taken",
                f"Of bays with a known state; almost full from {figures.almost_full_pct:g} %.",
                (9, 0),
                (4, 4),
            ),
            statement("parking", "taken"),
            PERCENT,
            fullness,
        ),
        stat_panel(
            Heading(3, "Left out", "Bays of which nothing is known, and bays that are closed.", (13, 0), (6, 4)),
            statement("parking", "left_out"),
            units.COUNT,
            columns={"unknown": Column(steps=ANY_IS_ODD), "closed": Column(steps=PLAIN)},
        ),
        stat_panel(
            Heading(4, "Oldest word", "How long ago the bay was heard that was heard least recently.", (19, 0), (5, 4)),
            statement("parking", "age"),
            units.SECONDS,
            stale,
        ),
    ]


def _zones(fullness: Steps) -> dashboard.Panel:
    counts = {name: Column(unit=units.COUNT) for name in ("Free", "At least", "At most", "Bays", "Closed")}
    return table_panel(
        Heading(
            5,
            "Zones",
            "Every zone as published, with the free bays expected soon and their likely range. A click shows one.",
            (0, 4),
            (24, 9),
        ),
        statement("parking", "zones"),
        {"Zone": Column(link=places.zone_link(), width=230)}
        | counts
        | {
            "Unknown": Column(unit=units.COUNT, steps=ANY_IS_ODD),
            "Taken": Column(unit=PERCENT, steps=fullness),
            "Age": Column(unit=units.SECONDS),
            "zone": HIDDEN,
        },
        nothing="No zone has parking bays",
    )


def _taken(figures: Parking) -> dashboard.Panel:
    steps: Steps = ((None, "transparent"), (figures.almost_full_pct, "orange"), (figures.full_pct, "red"))
    return trend_panel(
        Heading(
            7,
            "How full",
            f"The share of reports that said taken, by the hour; almost full from {figures.almost_full_pct:g} %, full "
            f"from {figures.full_pct:g} %.",
            (12, 13),
            (12, 9),
        ),
        statement("parking", "taken_trend"),
        PERCENT,
        Line(gap_s=2 * 3600, steps=steps, low=0, high=100),
        interval_s=3600,
    )


def _silent() -> dashboard.Panel:
    return table_panel(
        Heading(8, "Silent bays", "They count as unknown, never as free. Longest silence first.", (0, 22), (12, 10)),
        statement("parking", "silent_bays"),
        {
            "Zone": Column(link=places.zone_link(), width=180),
            "Silent for": Column(unit=units.SECONDS, width=90),
            "Reports every": Column(unit=units.SECONDS, width=115),
            "Battery": Column(unit=PERCENT, width=75),
            "zone": HIDDEN,
        },
        nothing="All bays are heard",
    )


def _days(fullness: Steps) -> dashboard.Panel:
    return table_panel(
        Heading(9, "Days", "The last 31 local days, from the daily sums of the zones.", (12, 22), (12, 10)),
        statement("parking", "days"),
        {
            "Day": Column(unit=units.DAY, width=100),
            "Bays heard": Column(unit=units.COUNT, width=100),
            "Taken": Column(unit=PERCENT, steps=fullness, width=90),
            "Reports": Column(unit=units.COUNT, width=90),
        },
        nothing="No day is over yet",
    )

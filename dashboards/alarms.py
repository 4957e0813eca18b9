"""Alarms & commands: what does the town ask of people and of lamps, and is it done?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import places, units
from dashboards.alarm_tables import HIDDEN, LINKED, SEVERITY, STATE, active_alarms
from dashboards.choices import Frame, Town, framed
from dashboards.panels import ANY_IS_BAD, MOMENT, PLAIN, Column, Heading, Line, stat_panel, table_panel, trend_panel
from dashboards.statements import statement
from dashboards.streetlight import commands_columns

FRAME = Frame(
    places.ALARMS,
    "Alarms & commands",
    "What does the town ask of people and of lamps, and is it done? Alarms with their why, commands with their fate.",
)
FATES = {
    "queued": Column(colour="light-blue"),
    "sent": Column(colour="blue"),
    "acknowledged": Column(colour="yellow"),
    "verified": Column(colour="green"),
    "failed": Column(colour="red"),
    "rejected": Column(colour="dark-red"),
    "expired": Column(colour="orange"),
    "superseded": Column(colour="gray"),
}


def alarms(town: Town) -> dashboard.Dashboard:
    """The dashboard."""
    return framed(FRAME, town, [*_figures(), active_alarms(4, (0, 4), (24, 10)), *_trends(), *_records()])


def _figures() -> list[dashboard.Panel]:
    return [
        stat_panel(
            Heading(
                1,
                "Standing",
                "Active now, those that wait for somebody, shelved ones, and how many were raised in the chosen time.",
                (0, 0),
                (12, 4),
            ),
            statement("alarms", "counts"),
            units.COUNT,
            columns={
                "active": Column(steps=ANY_IS_BAD),
                "not acknowledged": Column(steps=((None, "green"), (1, "orange"))),
                "shelved": Column(steps=PLAIN),
                "raised": Column(steps=PLAIN),
            },
        ),
        stat_panel(
            Heading(2, "Failed commands", "Of the chosen time: failed, rejected, or expired before.", (12, 0), (6, 4)),
            statement("overview", "failed_commands"),
            units.COUNT,
            ANY_IS_BAD,
        ),
        stat_panel(
            Heading(
                3,
                "Followed",
                "The share of the chosen time's setpoints that lamps were seen to follow.",
                (18, 0),
                (6, 4),
            ),
            statement("alarms", "followed"),
            units.GRAFANA["%"],
            ((None, "red"), (95, "orange"), (99, "green")),
        ),
    ]


def _trends() -> list[dashboard.Panel]:
    bars = Line(gap_s=3600, stacked=True, bars=True, low=0)
    return [
        trend_panel(
            Heading(5, "Raised", "How many alarms of each type were raised.", (0, 14), (12, 8)),
            statement("alarms", "raised"),
            units.COUNT,
            bars,
            interval_s=900,
            nothing="No alarm was raised in this time",
        ),
        trend_panel(
            Heading(6, "Commands", "What became of the commands, by the time they were queued.", (12, 14), (12, 8)),
            statement("alarms", "commanded"),
            units.COUNT,
            bars,
            interval_s=900,
            columns=FATES,
            nothing="Nothing was asked in this time",
        ),
    ]


def _records() -> list[dashboard.Panel]:
    board = places.board_case("a.kind")
    return [
        table_panel(
            Heading(
                7,
                "Most frequent",
                "Alarms of the chosen time by type: on how many subjects, how long they stood and how long it took to "
                "acknowledge them (medians).",
                (0, 22),
                (10, 10),
            ),
            statement("alarms", "types"),
            {
                "Raised": Column(unit=units.COUNT),
                "Subjects": Column(unit=units.COUNT),
                "Stood": Column(unit=units.SECONDS),
                "Acknowledged after": Column(unit=units.SECONDS, width=155),
            },
            nothing="No alarm was raised in this time",
        ),
        table_panel(
            Heading(8, "History", "Alarms raised in the chosen time, newest first.", (10, 22), (14, 10)),
            statement("alarms", "history", board=board),
            {
                "Severity": SEVERITY,
                "Alarm": Column(link=places.alarm_link(), width=130),
                "Where": Column(link=places.asset_link()),
                "State": STATE,
                "Raised": MOMENT,
                "Over": MOMENT,
                "Acknowledged by": Column(width=130),
            }
            | {name: HIDDEN for name in LINKED if name != "zone"},
            nothing="No alarm was raised in this time",
        ),
        table_panel(
            Heading(9, "Latest commands", "Commands of the chosen time, newest first.", (0, 32), (16, 10)),
            statement("alarms", "commands", board=board, of_asset=""),
            commands_columns(),
            nothing="Nothing was asked in this time",
        ),
        table_panel(
            Heading(10, "Rules", "Which version of the rules was active when, newest first.", (16, 32), (8, 10)),
            statement("alarms", "rule_versions"),
            {"Active from": MOMENT},
            nothing="No rules have run yet",
        ),
    ]

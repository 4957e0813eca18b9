"""Platform health: does everything that is sent arrive, is it kept, and can that be proved?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import choices, places, trends, units
from dashboards.choices import Frame, Town, framed
from dashboards.overview import CHECK_WORDS, staleness
from dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_ODD,
    MOMENT,
    PLAIN,
    Column,
    Heading,
    Line,
    stat_panel,
    table_panel,
    trend_panel,
)
from dashboards.statements import statement
from telemetry.backlog import IN_TIME_S, PROBE_EVERY_S, READING_EVERY
from telemetry.kinds import KINDS
from telemetry.thresholds import Thresholds

FRAME = Frame(
    places.PLATFORM,
    "Platform health",
    "Does everything that is sent arrive, is it kept, and can that be proved? The ledger, refusals, delays and checks.",
)
READING_EVERY_S = int(PROBE_EVERY_S * READING_EVERY)
COUNTED = Column(unit=units.COUNT)
ODD = Column(unit=units.COUNT, steps=ANY_IS_ODD)
BAD = Column(unit=units.COUNT, steps=ANY_IS_BAD)


def platform(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    limits = town.thresholds
    return framed(FRAME, town, [*_figures(limits), _ledger(), *_trends(limits), *_records(), *_self_probe()])


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    return [
        stat_panel(
            Heading(
                1,
                "Today",
                "The ledger of this UTC day: received = stored + duplicate + quarantined; what is still in flight has "
                "no fate yet.",
                (0, 0),
                (11, 4),
            ),
            statement("platform", "today"),
            units.COUNT,
            columns={
                "received": Column(steps=PLAIN),
                "stored": Column(steps=PLAIN),
                "duplicate": Column(steps=PLAIN),
                "quarantined": Column(steps=ANY_IS_ODD),
                "without fate": Column(steps=PLAIN),
            },
        ),
        stat_panel(
            Heading(2, "Newest data", "How long ago the newest observation arrived.", (11, 0), (4, 4)),
            statement("overview", "age"),
            units.SECONDS,
            staleness(thresholds.presence.missed_intervals),
        ),
        stat_panel(
            Heading(
                3,
                "Differences",
                "Days whose ledger does not balance with the rows that are there, and days of assets whose rollups did "
                "not equal their rows at the last check.",
                (15, 0),
                (5, 4),
            ),
            statement("platform", "differing"),
            units.COUNT,
            ANY_IS_BAD,
            columns={"ledger days": Column(steps=ANY_IS_BAD), "rollup days": Column(steps=ANY_IS_BAD)},
        ),
    ]


def _ledger() -> dashboard.Panel:
    return table_panel(
        Heading(
            4,
            "Ledger",
            "Received = stored + duplicate + quarantined, each UTC day, which is checked by the hour and once it is "
            "over: whether that holds, and whether exactly those rows are there.",
            (0, 4),
            (24, 8),
        ),
        statement("platform", "ledger"),
        dict.fromkeys(("Received", "Stored", "Duplicate", "Without fate", "Replayed"), COUNTED)
        | dict.fromkeys(("Rows expected", "Rows found"), COUNTED)
        | dict.fromkeys(("Quarantined", "Conflicting", "Unknown fields"), ODD)
        | {"Check": Column(words=CHECK_WORDS)},
        nothing="Nothing has been received yet",
    )


def _trends(thresholds: Thresholds) -> list[dashboard.Panel]:
    delays = "\nUNION ALL\n".join(
        statement("platform", "delay", table=kind, words=choices.words_of(kind)) for kind in KINDS
    )
    slowest_s = max(kind.wire.report_every_s for kind in KINDS.values())
    gap_s = slowest_s * thresholds.presence.missed_intervals
    return [
        trends.readings(5, (0, 12), (12, 8), thresholds),
        trend_panel(
            Heading(
                6,
                "Under way",
                "Nineteen of twenty readings arrived so long after they were made; the last day of the chosen time.",
                (12, 12),
                (12, 8),
            ),
            f"{delays}\nORDER BY 1, 2",
            units.SECONDS,
            Line(gap_s=gap_s, low=0),
            interval_s=300,
        ),
        trend_panel(
            Heading(7, "Refused", "Uplinks that were refused, by reason.", (12, 20), (12, 8)),
            statement("platform", "refused"),
            units.COUNT,
            Line(gap_s=3600, stacked=True, bars=True, low=0),
            interval_s=900,
            nothing="Nothing was refused in this time",
        ),
    ]


def _records() -> list[dashboard.Panel]:
    return [
        table_panel(
            Heading(
                8, "Whose", "Whose uplinks were refused in the chosen time, and why; most first.", (0, 28), (12, 7)
            ),
            statement("platform", "refused_of"),
            {"Refused": COUNTED, "Replayed": COUNTED, "Newest": MOMENT},
            nothing="Nothing was refused in this time",
        ),
        table_panel(
            Heading(9, "Ingest", "Its processes of the last day, and what each has not settled yet.", (0, 35), (8, 8)),
            statement("platform", "instances"),
            {"In flight": COUNTED, "Seen": Column(unit=units.AGO)},
            nothing="No ingest has run",
        ),
        table_panel(
            Heading(10, "Rollups", "Each night's proof that hours and days equal their rows.", (12, 28), (12, 7)),
            statement("platform", "rollups"),
            {
                "Checked": MOMENT,
                "Asset days": COUNTED,
                "Left for want of time": Column(unit=units.COUNT, steps=ANY_IS_ODD, width=160),
                "Differing": BAD,
                "Took": Column(unit=units.SECONDS),
            },
            nothing="No night has been checked yet",
        ),
        table_panel(
            Heading(
                11,
                "Report intervals",
                "How often assets report, as registered, as learned from their reports, or as usual for their kind: "
                "the one that reports most often, the middle, and the one that reports most rarely.",
                (8, 35),
                (10, 8),
            ),
            statement("platform", "intervals"),
            dict.fromkeys(("Most often", "Half of them", "Most rarely"), Column(unit=units.SECONDS))
            | dict.fromkeys(("Assets", "Online"), COUNTED),
            nothing="No asset is registered",
        ),
        table_panel(
            Heading(12, "Firmware", "Which firmware runs on how many devices in service.", (18, 35), (6, 8)),
            statement("platform", "firmware"),
            {"Devices": COUNTED},
            nothing="No device is in service",
        ),
    ]


def _self_probe() -> list[dashboard.Panel]:
    """The platform's own device, which is no asset: the way from the broker to an answer, tried every few seconds."""
    return [
        stat_panel(
            Heading(
                13,
                "Self-probe",
                "A reading of the platform's own device goes from the broker through ingest and database to an answer "
                f"of the API every {READING_EVERY_S} s: how long ago the newest one shown was sent, and how many of "
                f"the chosen time were shown more than {IN_TIME_S:g} s after that.",
                (20, 0),
                (4, 4),
            ),
            statement("platform", "self_probe", in_time_s=IN_TIME_S),
            units.SECONDS,
            columns={"age": Column(steps=PLAIN), "late": BAD},
        ),
        trend_panel(
            Heading(14, "Self-probe under way", "How long its readings took, at worst.", (0, 20), (12, 8)),
            statement("platform", "self_probe_trend"),
            units.SECONDS,
            Line(gap_s=60, low=0),
            interval_s=READING_EVERY_S,
        ),
    ]

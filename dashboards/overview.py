"""The Overview: is the city well, and are we still looking? Figures, alarms and map, trends, devices, ledger."""

from grafana_foundation_sdk.models import dashboard

from dashboards import places, trends, units
from dashboards.alarm_tables import HIDDEN, active_alarms
from dashboards.choices import Frame, Town, framed
from dashboards.panels import ANY_IS_BAD, ANY_IS_ODD, Column, Heading, Steps, map_panel, stat_panel, table_panel
from dashboards.statements import statement
from telemetry.kinds import KINDS
from telemetry.thresholds import Thresholds

RATE_MINUTES = 15
"""The ingest rate is that of this time: longer than most devices' report interval."""
ONLINE_PCT: Steps = ((None, "red"), (90, "orange"), (100, "green"))

CHECK_WORDS = {"balances": ("balances", "green"), "differs": ("differs", "red"), "none": ("not yet", "text")}
LEDGER_WIDTHS = {"Received": None, "Stored": None, "Duplicate": 85, "Quarantined": 105, "Replayed": None}
"""In pixels: what only a narrow column would cut."""
ASSET_STATES = (("in order", "green"), ("silent", "purple"), ("alarm", "orange"), ("critical", "red"))

FRAME = Frame(
    places.OVERVIEW,
    "Overview",
    "The whole town at a glance: what is wrong, where, since when, and whether the data is fresh.",
)


def overview(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    thresholds = town.thresholds
    panels = [*_figures(thresholds), *_attention(), *_trends(thresholds), *_devices(thresholds)]
    return framed(FRAME, town, panels)


def _sql(name: str, **figures: object) -> str:
    return statement("overview", name, **figures)


def staleness(missed_intervals: int) -> Steps:
    """Something should have come within the shortest report interval; after so many of them all devices are silent."""
    shortest_s = min(kind.wire.report_every_s for kind in KINDS.values())
    return ((None, "green"), (shortest_s, "orange"), (shortest_s * missed_intervals, "red"))


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    parts = "\nUNION ALL\n".join(
        _sql("readings_of_last_minutes", table=kind, rate_minutes=RATE_MINUTES) for kind in KINDS
    )
    return [
        stat_panel(
            Heading(1, "Online", "The share of assets whose device is online and reports in time.", (0, 0), (3, 4)),
            _sql("online"),
            units.GRAFANA["%"],
            ONLINE_PCT,
        ),
        stat_panel(
            Heading(
                2, "Active alarms", "Alarms that have not returned to normal; shelved ones left out.", (3, 0), (4, 4)
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
                (7, 0),
                (6, 4),
            ),
            _sql("ingest", parts=parts, rate_minutes=RATE_MINUTES),
            units.COUNT,
            columns={"per minute": Column(unit=units.PER_MINUTE)},
        ),
        stat_panel(
            Heading(4, "Newest data", "How long ago the newest observation arrived.", (13, 0), (4, 4)),
            _sql("age"),
            units.SECONDS,
            staleness(thresholds.presence.missed_intervals),
        ),
        stat_panel(
            Heading(
                5,
                "Failed commands",
                "Commands of the chosen time that failed, were rejected or expired before they were carried out.",
                (17, 0),
                (3, 4),
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
    return [
        active_alarms(7, (0, 4), (14, 10)),
        map_panel(
            Heading(
                8,
                "Map",
                "Every asset with a surveyed place, coloured by the worst to be said of it.",
                (14, 4),
                (10, 10),
            ),
            _sql("map"),
            "State",
            ASSET_STATES,
        ),
    ]


def _trends(thresholds: Thresholds) -> list[dashboard.Panel]:
    half = (12, 8)
    return [
        trends.free_bays(9, (0, 14), half, thresholds),
        trends.lamp_level(10, (12, 14), half, thresholds),
        trends.water(11, (0, 22), half, thresholds),
        trends.stages(12, (12, 22), half, thresholds),
        trends.energy(13, (0, 30), half),
        trends.readings(14, (12, 30), half, thresholds),
    ]


def _devices(thresholds: Thresholds) -> list[dashboard.Panel]:
    missed = thresholds.presence.missed_intervals
    return [
        table_panel(
            Heading(15, "Devices", "Assets of each kind: online, silent, and never heard.", (0, 38), (6, 9)),
            _sql("devices"),
            {
                "Assets": Column(unit=units.COUNT, width=66),
                "Online": Column(unit=units.COUNT, width=66),
                "Silent": Column(unit=units.COUNT, steps=ANY_IS_ODD, width=62),
                "Never heard": Column(unit=units.COUNT, steps=ANY_IS_ODD, width=100),
            },
        ),
        table_panel(
            Heading(
                16,
                "Silent devices",
                f"Assets that are not online: their device said so, or missed {missed} reports. Longest silence first.",
                (6, 38),
                (9, 9),
            ),
            _sql("silent", board=places.board_case("a.kind")),
            {
                "Asset": Column(link=places.asset_link()),
                "Kind": Column(width=100),
                "Silent for": Column(unit=units.SECONDS, width=90),
                "Battery": Column(unit=units.GRAFANA["%"], width=72),
                "asset": HIDDEN,
                places.BOARD: HIDDEN,
            },
            nothing="All devices are online",
        ),
        table_panel(
            Heading(
                17,
                "Ledger",
                "Received = stored + duplicate + quarantined, each UTC day, which is checked by the hour and once it "
                "is over: whether that holds, and whether exactly those rows are there.",
                (15, 38),
                (9, 9),
            ),
            _sql("ledger"),
            {
                name: Column(unit=units.COUNT, width=width, steps=ANY_IS_ODD if name == "Quarantined" else None)
                for name, width in LEDGER_WIDTHS.items()
            }
            | {"Check": Column(words=CHECK_WORDS), "Day": Column(width=95)},
        ),
    ]

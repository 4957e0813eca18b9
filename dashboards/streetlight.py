"""The Street light: does this lamp do what it is told?"""

from grafana_foundation_sdk.models import dashboard

from dashboards import asset_panels, places, units
from dashboards.alarm_tables import COMMAND_WORDS, HIDDEN, alarms_of_asset
from dashboards.asset_panels import newest, trend
from dashboards.choices import Frame, Town, framed
from dashboards.panels import MOMENT, Column, Heading, Line, Steps, stat_panel, table_panel, trend_panel
from dashboards.statements import statement
from dashboards.trends import LIGHT, Cell, of_field
from telemetry.kinds.streetlight import StreetLight
from telemetry.thresholds import LampFaults, Thresholds

KIND = StreetLight.name
FRAME = Frame(
    places.STREETLIGHT,
    "Street light",
    "Does this lamp do what it is told? Its light, power and voltage, its commands and its alarms.",
    asset_kind=KIND,
    kinds=(KIND,),
)


def streetlight(town: Town) -> dashboard.Dashboard:
    """The dashboard; its limits are those of the town's rules."""
    return framed(FRAME, town, [*_figures(town.thresholds), *_trends(town.thresholds), *_records()])


def _supply(faults: LampFaults) -> Steps:
    """Less than the rules' lowest voltage is a loss of supply, which is over at the deadband above."""
    low_v = faults.supply_low_v
    return ((None, "red"), (low_v, "yellow"), (low_v + faults.supply_deadband_v, "green"))


def _figures(thresholds: Thresholds) -> list[dashboard.Panel]:
    energy = units.of(of_field(KIND, "energy_kwh"))
    return [
        newest(
            Heading(1, "Light", "What it gives, and what is asked of it, as last reported.", (0, 0), (5, 4)),
            KIND,
            {"level_pct": "level", "setpoint_pct": "setpoint"},
            {},
        ),
        newest(
            Heading(2, "Supply", "Power drawn and voltage, as last reported.", (5, 0), (5, 4)),
            KIND,
            {"power_w": "power", "voltage_v": "voltage"},
            {"voltage_v": _supply(thresholds.lamp_faults)},
        ),
        asset_panels.heard(3, (10, 0), thresholds),
        stat_panel(
            Heading(4, "Energy", "Drawn in the chosen time, by whole hours.", (16, 0), (5, 4)),
            statement("streetlight", "drawn"),
            energy,
        ),
        asset_panels.alarmed(5, (21, 0)),
    ]


def _trends(thresholds: Thresholds) -> list[dashboard.Panel]:
    half: Cell = (12, 8)
    faults = thresholds.lamp_faults
    dead: Steps = ((None, "red"), (faults.dead_power_w, "transparent"))
    supply: Steps = ((None, "red"), (faults.supply_low_v, "transparent"))
    return [
        trend(
            Heading(6, "Light output", "What it gives, and what is asked of it.", (0, 4), (24, 8)),
            KIND,
            {"level_pct": "level", "setpoint_pct": "setpoint"},
            thresholds,
            columns=LIGHT,
        ),
        trend(
            Heading(
                7,
                "Power",
                f"Power drawn; a lamp that is to burn and draws {faults.dead_power_w:g} W or less is dead.",
                (0, 12),
                half,
            ),
            KIND,
            {"power_w": "power"},
            thresholds,
            steps=dead,
        ),
        trend(
            Heading(8, "Voltage", f"Below {faults.supply_low_v:g} V the supply is lost.", (12, 12), half),
            KIND,
            {"voltage_v": "voltage"},
            thresholds,
            steps=supply,
        ),
        trend_panel(
            Heading(9, "Energy by the hour", "Energy drawn in each hour.", (0, 20), half),
            statement("streetlight", "energy"),
            units.of(of_field(KIND, "energy_kwh")),
            Line(gap_s=3600, bars=True, low=0),
            interval_s=3600,
        ),
        trend(
            Heading(10, "Ambient light", "What its photocell sees.", (12, 20), half),
            KIND,
            {"lux": "ambient light"},
            thresholds,
        ),
    ]


def _records() -> list[dashboard.Panel]:
    return [
        table_panel(
            Heading(11, "Its commands", "Commands of the chosen time, newest first.", (0, 28), (24, 8)),
            statement(
                "alarms",
                "commands",
                board=places.board_case("a.kind"),
                of_asset="AND a.asset IN (${asset:sqlstring})",
            ),
            commands_columns() | {"Where": HIDDEN},
            nothing="Nothing was asked of it in this time",
        ),
        alarms_of_asset(12, (0, 36), (12, 8)),
        asset_panels.devices(13, (12, 36), (12, 8)),
    ]


def commands_columns() -> dict[str, Column]:
    """How the columns of a table of commands look."""
    return {
        "Queued": MOMENT,
        "Where": Column(link=places.asset_link()),
        "Setpoint": Column(unit=units.of(of_field(KIND, "setpoint_pct")), width=80),
        "Report every": Column(unit=units.SECONDS, width=105),
        "Reason": Column(width=85),
        "By": Column(width=100),
        "State": Column(words=COMMAND_WORDS, width=115),
        "Took": Column(unit=units.SECONDS, width=90),
        "asset": HIDDEN,
        places.BOARD: HIDDEN,
    }

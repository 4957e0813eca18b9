"""The tables of alarms that several dashboards show, and the words and colours of the states of alarms and commands."""

from grafana_foundation_sdk.models import dashboard

from dashboards import places, units
from dashboards.panels import MOMENT, Column, Heading, table_panel
from dashboards.statements import statement
from telemetry.alarms import Severity, State

SEVERITY = Column(
    words={
        str(Severity.CRITICAL): ("critical", "red"),
        str(Severity.WARNING): ("warning", "orange"),
        str(Severity.INFO): ("info", "blue"),
    },
    width=75,
)
STATE = Column(
    words={
        str(State.UNACKNOWLEDGED): ("new", "red"),
        str(State.ACKNOWLEDGED): ("acknowledged", "orange"),
        str(State.RETURNED_UNACKNOWLEDGED): ("over, not seen", "semi-dark-yellow"),
        str(State.SHELVED): ("shelved", "text"),
        str(State.NORMAL): ("over", "green"),
    },
    width=110,
)
COMMAND_WORDS = {
    "queued": ("queued", "text"),
    "sent": ("sent", "blue"),
    "acknowledged": ("acknowledged", "semi-dark-yellow"),
    "verified": ("verified", "green"),
    "superseded": ("superseded", "text"),
    "rejected": ("rejected", "red"),
    "expired": ("expired", "orange"),
    "failed": ("failed", "red"),
}
HIDDEN = Column(is_hidden=True)
LINKED = dict.fromkeys(("id", "asset", "zone", places.BOARD), HIDDEN)
"""The columns that only links read."""


def active_alarms(
    number: int, at: tuple[int, int], size: tuple[int, int], is_in_one_zone: bool = False
) -> dashboard.Panel:
    """What wants attention in the chosen zones and kinds, with ways to the why, the asset and its zone."""
    description = "What wants attention: worst and newest first, shelved alarms last. A click shows why."
    return table_panel(
        Heading(number, "Alarms", description, at, size),
        statement("alarms", "alarms", board=places.board_case("a.kind")),
        {
            "Severity": SEVERITY,
            "Alarm": Column(link=places.alarm_link(), width=130),
            "Where": Column(link=places.asset_link()),
            "Zone": Column(link=places.zone_link(), is_hidden=is_in_one_zone),
            "State": STATE,
            "Raised": MOMENT,
            "For": Column(unit=units.SECONDS, width=85),
        }
        | LINKED,
        nothing="No alarm is active",
    )


def alarms_of_asset(number: int, at: tuple[int, int], size: tuple[int, int]) -> dashboard.Panel:
    """The alarms that the chosen asset has had, newest first."""
    return table_panel(
        Heading(number, "Its alarms", "What was wrong with it, newest first. A click shows why.", at, size),
        statement("alarms", "alarms_of_asset"),
        {
            "Severity": SEVERITY,
            "Alarm": Column(link=places.alarm_link()),
            "State": STATE,
            "Raised": MOMENT,
            "Over": MOMENT,
            "id": HIDDEN,
        },
        nothing="It never had an alarm",
    )

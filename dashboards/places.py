"""Where links lead: the dashboards by their uids, the page that explains an alarm, and the dashboard of each kind."""

from collections.abc import Mapping
from types import MappingProxyType

from grafana_foundation_sdk.models import dashboard

from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight

PREFIX = "lamplighter-"
"""Every uid of ours begins so: `push` takes away what has it and is not ours any more."""
OVERVIEW = f"{PREFIX}overview"
ZONE = f"{PREFIX}zone"
STREETLIGHT = f"{PREFIX}streetlight"
DRAIN = f"{PREFIX}drain"
PARKING = f"{PREFIX}parking"
ALARMS = f"{PREFIX}alarms"
PLATFORM = f"{PREFIX}platform"
TAG = "lamplighter"

OF_KIND: Mapping[str, str] = MappingProxyType(
    {StreetLight.name: STREETLIGHT, DrainLevel.name: DRAIN, ParkingBay.name: PARKING}
)
"""The dashboard that shows an asset of a kind; one of any other kind is shown by its zone."""

BOARD = "board"
"""The column in which a query names the uid of a row's dashboard; a link may lead there."""
PLATFORM_VARIABLE = "platform"
"""The dashboards' constant with the platform's address."""


def board_case(kind: str) -> str:
    """SQL that makes the uid of an asset's dashboard from the column `kind`."""
    cases = " ".join(f"WHEN '{name}' THEN '{uid}'" for name, uid in OF_KIND.items())
    return f"CASE {kind} {cases} ELSE '{ZONE}' END"


def asset_link() -> dashboard.DashboardLink:
    """From a row with the hidden columns `board` and `asset` to that asset, at the same time."""
    return _link("What is with it", f"/d/${{__data.fields.{BOARD}}}", "var-asset=${__data.fields.asset:percentencode}")


def zone_link() -> dashboard.DashboardLink:
    """From a row with the hidden column `zone` to that zone, at the same time."""
    return _link("Its zone", f"/d/{ZONE}", "var-zone=${__data.fields.zone:percentencode}")


def alarm_link() -> dashboard.DashboardLink:
    """From a row with the hidden column `id` to the page that shows why there is the alarm, and acknowledges it."""
    url = f"${{{PLATFORM_VARIABLE}:raw}}/ops/alarms/${{__data.fields.id:percentencode}}"
    return dashboard.DashboardLink(title="Why, and acknowledge", url=url, target_blank=True)


def all_boards() -> dashboard.DashboardLink:
    """The menu of all our dashboards above the panels; it keeps time and choices."""
    return dashboard.DashboardLink(
        title="Lamplighter",
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="The other dashboards, with the same time and choices",
        tags=[TAG],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )


def _link(title: str, address: str, chosen: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title=title, url=f"{address}?from=${{__from}}&to=${{__to}}&{chosen}")

"""The variables to choose by, alarms and commands as marks on trends, and the frame of every dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.models import dashboard

from dashboards import places, postgres
from dashboards.statements import statement
from telemetry.kinds import KINDS
from telemetry.limits import COMMAND_LEASE_S
from telemetry.thresholds import Thresholds

MOMENTS_DAYS = 2
"""Over a longer time trends are made of hourly rollups, and marks are only of what people ordered or what failed."""
PLATFORM_URL = "http://127.0.0.1:8080"
"""Where the platform is reached unless the town says otherwise."""


@dataclass(frozen=True, slots=True)
class Town:
    """What dashboards take from the town: the figures of its active rules, and where people reach the platform."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    platform_url: str = PLATFORM_URL


@dataclass(frozen=True, slots=True)
class Frame:
    """One dashboard without its panels. `asset_kind`: one asset of this kind is chosen.

    `kinds`: the kinds that are shown where nobody can choose; `None` lets people choose.
    """

    uid: str
    title: str
    description: str
    is_zone_single: bool = False
    asset_kind: str | None = None
    kinds: tuple[str, ...] | None = None


def framed(frame: Frame, town: Town, panels: Sequence[dashboard.Panel]) -> dashboard.Dashboard:
    """The dashboard: last 6 h, refreshed every 30 s, one crosshair, its variables, marks and the way to the others."""
    return dashboard.Dashboard(
        uid=frame.uid,
        title=frame.title,
        description=frame.description,
        tags=[places.TAG],
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val="now-6h", to="now"),
        refresh="30s",
        panels=list(panels),
        templating=dashboard.DashboardDashboardTemplating(list_val=_variables(frame, town)),
        annotations=_annotations(frame),
        links=[places.all_boards()],
    )


def words_of(kind: str) -> str:
    """A kind's name for people."""
    return kind.replace("_", " ")


def _variables(frame: Frame, town: Town) -> list[dashboard.VariableModel]:
    chosen = [_zone(frame.is_zone_single), _kind(frame.kinds)]
    if frame.asset_kind is not None:
        chosen.append(_asset(frame.asset_kind))
    return [*chosen, _platform(town.platform_url)]


def _annotations(frame: Frame) -> dashboard.AnnotationContainer:
    """Critical alarms as regions, warnings and commands as marks; of a chosen asset every alarm is a region."""
    of_asset = "AND a.asset IN (${asset:sqlstring})" if frame.asset_kind else ""
    severities = "'critical', 'warning'" if frame.asset_kind else "'critical'"
    alarms = statement("choices", "alarm_regions", severities=severities, of_asset=of_asset)
    commands = statement(
        "choices", "commands_sent", lease_s=COMMAND_LEASE_S, moments_days=MOMENTS_DAYS, of_asset=of_asset
    )
    marks = [_marks("Alarms", alarms, "red"), _marks("Commands", commands, "blue")]
    if not frame.asset_kind:
        marks.append(_marks("Warnings", statement("choices", "warnings"), "orange"))
    return dashboard.AnnotationContainer(list_val=marks)


def _zone(is_single: bool) -> dashboard.VariableModel:
    meaning = "The zone shown" if is_single else "The zones shown"
    return _asked(
        "zone", "Zone", f"{meaning}; assets without a zone are a choice of their own.", "zones", is_multi=not is_single
    )


def _asset(kind: str) -> dashboard.VariableModel:
    meaning = f"The {words_of(kind)} shown, of the chosen zones."
    return _asked("asset", words_of(kind).capitalize(), meaning, "assets", is_multi=False, of_kind=kind)


def _asked(
    name: str, label: str, description: str, query: str, is_multi: bool, **figures: object
) -> dashboard.VariableModel:
    sql = statement("choices", query, **figures)
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=name,
        label=label,
        description=description,
        datasource=postgres.source(),
        query=sql,
        definition=sql,
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=dashboard.VariableSort.DISABLED,
        multi=is_multi,
        include_all=is_multi,
        allow_custom_value=False,
        current=_everything() if is_multi else dashboard.VariableOption(selected=False, text="", value=""),
        options=[],
    )


def _kind(kinds: tuple[str, ...] | None) -> dashboard.VariableModel:
    shown = kinds or tuple(KINDS)
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.CUSTOM,
        name="kind",
        label="Kind",
        hide=dashboard.VariableHide.HIDE_VARIABLE if kinds else dashboard.VariableHide.DONT_HIDE,
        skip_url_sync=kinds is not None,
        description="The kinds of assets shown in figures, alarms, map and devices.",
        query=", ".join(f"{words_of(kind)} : {kind}" for kind in shown),
        multi=True,
        include_all=True,
        allow_custom_value=False,
        current=_everything(),
        options=[dashboard.VariableOption(selected=False, text=words_of(kind), value=kind) for kind in shown],
    )


def _platform(url: str) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.CONSTANT,
        name=places.PLATFORM_VARIABLE,
        label="Platform",
        description="Where the platform is reached: links to alarms begin so.",
        hide=dashboard.VariableHide.HIDE_VARIABLE,
        skip_url_sync=True,
        query=url,
        current=dashboard.VariableOption(selected=True, text=url, value=url),
        options=[dashboard.VariableOption(selected=True, text=url, value=url)],
    )


def _everything() -> dashboard.VariableOption:
    return dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])


def _marks(name: str, sql: str, colour: str) -> dashboard.AnnotationQuery:
    target = postgres.Query(sql, ref_id=name)
    return dashboard.AnnotationQuery(name=name, datasource=postgres.source(), icon_color=colour, target=target)

"""What every dashboard shares: the variables zone and kind to choose by, and alarms and commands as marks on trends."""

from grafana_foundation_sdk.models import dashboard

from dashboards import postgres
from dashboards.statements import statement
from telemetry.kinds import KINDS
from telemetry.limits import COMMAND_LEASE_S


def variables() -> dashboard.DashboardDashboardTemplating:
    """The variables, in the order of the bar above the panels."""
    return dashboard.DashboardDashboardTemplating(list_val=[_zone(), _kind()])


def annotations() -> dashboard.AnnotationContainer:
    """Alarms as regions and commands as marks."""
    alarms = statement("choices", "alarm_regions")
    commands = statement("choices", "commands_sent", lease_s=COMMAND_LEASE_S)
    return dashboard.AnnotationContainer(
        list_val=[_marks("Alarms", alarms, "red"), _marks("Commands", commands, "blue")]
    )


def words_of(kind: str) -> str:
    """A kind's name for people."""
    return kind.replace("_", " ")


def _zone() -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name="zone",
        label="Zone",
        description="The zones shown; assets without a zone are a choice of their own.",
        datasource=postgres.source(),
        query=statement("choices", "zones"),
        definition=statement("choices", "zones"),
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=dashboard.VariableSort.DISABLED,
        multi=True,
        include_all=True,
        allow_custom_value=False,
        current=_everything(),
        options=[],
    )


def _kind() -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.CUSTOM,
        name="kind",
        label="Kind",
        description="The kinds of assets shown in figures, alarms, map and devices.",
        query=", ".join(f"{words_of(kind)} : {kind}" for kind in KINDS),
        multi=True,
        include_all=True,
        allow_custom_value=False,
        current=_everything(),
        options=[dashboard.VariableOption(selected=False, text=words_of(kind), value=kind) for kind in KINDS],
    )


def _everything() -> dashboard.VariableOption:
    return dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])


def _marks(name: str, sql: str, colour: str) -> dashboard.AnnotationQuery:
    target = postgres.Query(sql, ref_id=name)
    return dashboard.AnnotationQuery(name=name, datasource=postgres.source(), icon_color=colour, target=target)

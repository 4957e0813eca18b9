"""Grafana's built-in PostgreSQL data source: where our queries go, and the query model that the SDK lacks."""

from typing import Any, Literal, Self

from grafana_foundation_sdk.cog import plugins, runtime, variants
from grafana_foundation_sdk.models.common import DataSourceRef

PLUGIN = "grafana-postgresql-datasource"
"""The type of the built-in data source since Grafana 10.3; no plugin has to be installed."""
UID = "lamplighter"
"""The uid under which `provisioning/datasources` registers the town's database."""

Format = Literal["time_series", "table"]


def source() -> DataSourceRef:
    """The reference that every panel, query, variable and annotation carries."""
    return DataSourceRef(type_val=PLUGIN, uid=UID)


class Query(variants.Dataquery):
    """One SQL query as Grafana's code editor saves it.

    `time_series` wants a column `time`, sorted, and numbers; `table` hands the rows over as they are.
    """

    def __init__(self, raw_sql: str, format_val: Format = "table", ref_id: str = "A") -> None:
        self.raw_sql = raw_sql
        self.format_val = format_val
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        """The query's JSON object."""
        return {
            "refId": self.ref_id,
            "datasource": source(),
            "editorMode": "code",
            "format": self.format_val,
            "rawQuery": True,
            "rawSql": self.raw_sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The query of a JSON object that `to_json` made."""
        return cls(data["rawSql"], data["format"], data["refId"])


def register() -> None:
    """Teach the SDK's JSON reader the panels that it knows and our query."""
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(identifier=PLUGIN, from_json_hook=Query.from_json))

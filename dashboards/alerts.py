"""Grafana's own alert rules: they mirror the platform's alarms to the town's contact point, and say when we are blind.

The platform decides what is an alarm; Grafana only passes it on, to where the town is reached. Written as the
provisioning file that a stock Grafana reads; nothing but annotations is interpolated there, and only `${…}`.
"""

from typing import Any

from dashboards import places, postgres
from dashboards.choices import Town
from dashboards.statements import statement
from telemetry.alarms import Severity
from telemetry.kinds import KINDS

Json = dict[str, Any]

CONTACT = "Lamplighter"
"""The contact point, which `provisioning/alerting/contact.yaml` makes."""
EXPRESSION = "__expr__"
MIRRORED = (Severity.CRITICAL, Severity.WARNING)
"""Alarms of severity info want no message."""
PAGE = "${LAMPLIGHTER_PLATFORM_URL}/ops/alarms/{{ .Labels.alarm }}"
ALARMS_PANEL, AGE_PANEL = 4, 2


def alerting(town: Town) -> Json:
    """The provisioning file of the rules."""
    rules = [*(_mirror(severity) for severity in MIRRORED), _blind(town.thresholds.presence.missed_intervals)]
    group = {"orgId": 1, "name": "Lamplighter", "folder": "Lamplighter", "interval": "30s", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


def _mirror(severity: Severity) -> Json:
    """Alarms have had their delays in the platform's rules: here they are passed on at once."""
    words = {
        "summary": f"{severity}: {{{{ .Labels.type }}}}, {{{{ .Labels.place }}}}",
        "description": "Zone {{ .Labels.zone }}, since {{ .Labels.raised }}. Why, and to acknowledge it: " + PAGE,
    }
    rule = _rule(
        f"{places.PREFIX}{severity}",
        f"Alarms: {severity}",
        statement("alerts", "mirror", severity=severity),
        above=0,
        words=words,
        labels={"severity": str(severity)},
        shown=(places.ALARMS, ALARMS_PANEL),
    )
    return rule | {"for": "0s", "noDataState": "OK", "execErrState": "Error"}


def _blind(missed_intervals: int) -> Json:
    """No alarm can come where nothing is heard: after so many of the longest report intervals all is silent."""
    silent_s = max(kind.wire.report_every_s for kind in KINDS.values()) * missed_intervals
    words = {
        "summary": "No data has arrived for long: nobody watches the town",
        "description": f"The newest observation arrived more than {silent_s // 60} minutes ago. `lamplighter doctor` "
        "says what is wrong.",
    }
    rule = _rule(
        f"{places.PREFIX}blind",
        "No data arrives",
        statement("alerts", "blind"),
        above=silent_s,
        words=words,
        labels={"severity": str(Severity.CRITICAL)},
        shown=(places.PLATFORM, AGE_PANEL),
    )
    return rule | {"for": "1m", "noDataState": "OK", "execErrState": "Alerting"}


def _rule(uid: str, title: str, sql: str, above: float, words: Json, labels: Json, shown: tuple[str, int]) -> Json:
    """A rule that fires for each series whose last value is `above` a bound; a click on it shows a panel."""
    board, panel = shown
    query = {
        "refId": "A",
        "datasource": {"type": postgres.PLUGIN, "uid": postgres.UID},
        "editorMode": "code",
        "format": "time_series",
        "rawQuery": True,
        "rawSql": sql,
    }
    last = {"refId": "B", "type": "reduce", "reducer": "last", "expression": "A", "settings": {"mode": "dropNN"}}
    evaluator = {"type": "gt", "params": [above]}
    bound = {"refId": "C", "type": "threshold", "expression": "B", "conditions": [{"evaluator": evaluator}]}
    return {
        "uid": uid,
        "title": title,
        "condition": "C",
        "data": [_asked(query, postgres.UID), _asked(last, EXPRESSION), _asked(bound, EXPRESSION)],
        "dashboardUid": board,
        "panelId": panel,
        "annotations": words,
        "labels": labels,
        "notification_settings": {"receiver": CONTACT, "group_by": ["alertname", "grafana_folder", "zone"]},
    }


def _asked(model: Json, source_uid: str) -> Json:
    by = {} if source_uid == postgres.UID else {"datasource": {"type": EXPRESSION, "uid": EXPRESSION}}
    return {
        "refId": model["refId"],
        "datasourceUid": source_uid,
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": model | by,
    }

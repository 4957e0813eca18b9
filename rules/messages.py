"""What people are told of alarms, as text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rules.figure_words import TIME, told
from telemetry.alarms import Alarm, Severity
from telemetry.clock import to_datetime

_KINDS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told. `kind` is one of apprise's: `info`, `success`, `warning`, `failure`.

    `alarm` is the id of the one alarm that it is about, `None` of several.
    """

    title: str
    body: str
    kind: str
    alarm: str | None = None


def raised(alarm: Alarm) -> Message:
    """An alarm that stands, and why."""
    parts = (("Why", alarm.why.get("inputs")), ("Limits", alarm.why.get("thresholds")))
    why = [f"{name}: {told(values)}" for name, values in parts if values]
    body = "\n".join([f"Since {alarm.observed_at:{TIME}}.", *why, f"Alarm {alarm.id}"])
    return Message(f"{alarm.severity}: {_about(alarm)}", body, _KINDS[Severity(alarm.severity)], alarm.id)


def reminder(alarm: Alarm) -> Message:
    """An alarm that nobody has acknowledged."""
    first = raised(alarm)
    return replace(first, title=f"Unacknowledged, {first.title}")


def over(alarm: Alarm) -> Message:
    """An alarm whose condition has gone."""
    body = f"Over since {alarm.cleared_at:{TIME}}.\nAlarm {alarm.id}"
    return Message(f"Over: {_about(alarm)}", body, "success", alarm.id)


def flood(raised: Mapping[str, int], over: Mapping[str, int], since_us: int) -> Message:
    """Many alarms together, by type."""
    lines = [
        f"{word}: {', '.join(f'{number} {_spaced(type)}' for type, number in sorted(types.items()))}"
        for word, types in (("Raised", raised), ("Over", over))
        if types
    ]
    title = f"{sum(raised.values())} more alarms, {sum(over.values())} over"
    since = f"Since {to_datetime(since_us):{TIME}}, too many to be told one by one."
    return Message(title, "\n".join([since, *lines]), "warning")


def _about(alarm: Alarm) -> str:
    return f"{_spaced(alarm.type)}, {alarm.asset or alarm.subject}"


def _spaced(type: str) -> str:
    return type.replace("_", " ")

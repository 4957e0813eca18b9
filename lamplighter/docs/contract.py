"""`docs/contract.md`, written from the vocabulary."""

import math
from collections.abc import Iterable

from bus import users
from lamplighter.docs.alarm_delays import COMES_AND_GOES, span
from rules import forecast
from telemetry import alarms, commands, limits, topics
from telemetry.kind import Kind, Property
from telemetry.kinds import KINDS
from telemetry.refusals import Reason
from telemetry.thresholds import Parking

_HEAD = f"""\
# What devices and operators may rely on

This page is written from the code by `make docs`, and a test compares them.

## Topics

QoS 1 both ways. The MQTT user name of a device is its device id; it writes only its own topics and reads only its own
commands.

| topic | direction | retained |
|---|---|---|
| `{topics.telemetry("{kind}", "{device}")}` | up | no |
| `{topics.status("{kind}", "{device}")}` | up, also the Will | yes |
| `{topics.command("{kind}", "{device}")}` | down | no |
| `{topics.ack("{kind}", "{device}")}` | up | no |
| `{topics.zone_parking("{zone}")}` | platform to public | yes |
| `{topics.alarm("{alarm}")}` | platform to operators | while not normal |
| `{topics.CLOCK}` | platform to replays | yes |
| `{topics.BACKLOG}` | platform to operators: how much waits for ingest | yes |
| `{topics.PROBE}` | platform to itself, through the queues of ingest | no |
| `{topics.settled("{process}")}` | platform to itself: how far an ingest process has come | yes |
| `{topics.RULES_TERM}` | platform to itself: the term of the process that leads the rules | yes |
| `{topics.radio_gateway("{gateway}")}` | platform to itself and operators: whether a radio gateway is heard | yes |

## Observations

One JSON object, or an array of up to {limits.ARRAY_OBSERVATIONS_MAX}. `ts` is RFC 3339 with an offset or integer
milliseconds since 1970 UTC; absent means the time of receipt. An offset without its colon (`+0100`) is read too; a leap
second (`23:59:60`) is `bad_timestamp`. `seq` is the device's own counter, 0 to {limits.SEQ_MAX:,} (2⁶³ − 1); a
greater one is `out_of_range`. Every field but the marked is optional, `null` is absent, nothing is coerced except that
`3.0` is an integer; unknown fields are ignored.

An uplink above {limits.PAYLOAD_BYTES_MAX // 1024} KiB is quarantined as `too_large`, and its first
{limits.QUARANTINE_BYTES_MAX // 1024} KiB are kept. A packet above {limits.PACKET_BYTES_MAX // 1024**2} MiB never gets
so far: it ends the session.
"""

_PARKING = Parking()
_ZONES = f"""\
## Parking zones

What is published of a bay follows its sensor with a delay, so that a car that only passes is none: it counts as taken
once its sensor has said so for {span(_PARKING.dwell_in_s)}, as free after {span(_PARKING.dwell_out_s)}. The first word
after unknown counts at once. What sensors said is stored as it was said. A zone speaks when a bay moves, and at least
twice within {_PARKING.ttl_s} s.

`forecast` has every horizon ({", ".join(map(str, forecast.HORIZONS_MIN))} min) once the zone's bays are known. Until
{forecast.SCORED_MIN} forecasts of a horizon have been held against what came, it is `learning`: `free_low` to
`free_high` is then the whole capacity. A closed zone has none.
"""


def page() -> str:
    """The whole page as Markdown."""
    kinds = "".join(map(_kind, KINDS.values()))
    return f"{_HEAD}{kinds}\n{_refusals()}\n{_commands()}\n{_ZONES}\n{_alarms()}\n{_services()}"


def _kind(kind: Kind) -> str:
    rows = ((_mark(kind, each), each.unit, _range(each), each.measure.words) for each in kind.properties)
    return f"\n### `{kind.name}`\n\n{kind.words}\n\n{_table(('field', 'unit', 'range', 'meaning'), rows)}"


def _mark(kind: Kind, each: Property) -> str:
    return f"**`{each.name}`**" if each.name in kind.marked else f"`{each.name}`"


def _range(each: Property) -> str:
    low, high = each.measure.low, each.measure.high
    if each.type is bool:
        return "true, false"
    return f"{low:,.0f} to {high:,.0f}" if math.isfinite(high) else f"at least {low:,.0f}"


def _refusals() -> str:
    rows = ((f"`{reason}`", reason.sentence) for reason in Reason)
    return (
        "## Refusals\n\nThe first that matches wins. The bytes are kept in `quarantine`.\n\n"
        f"{_table(('reason', 'meaning'), rows)}"
    )


def _commands() -> str:
    rows = (
        (f"`{state}`", ", ".join(f"`{after}`" for after in commands.State if after in following) or "final")
        for state, following in commands.FOLLOWS.items()
    )
    reasons = ", ".join(f"`{reason}`" for reason in commands.PRIORITIES)
    return (
        f"## Commands\n\nA command is a lease of {limits.COMMAND_LEASE_S // 60} minutes, renewed at half. Reasons, "
        f"strongest first: {reasons}.\nOne replaced before its acknowledgement is `superseded`; one that had been "
        "acknowledged\nkeeps its state, and `ended_at` says when it ended, unless it had been verified.\n\n"
        f"{_table(('state', 'may be followed by'), rows)}"
    )


def _alarms() -> str:
    rows = (
        (f"[`{kind}`](runbook/{kind}.md)", str(alarms.SEVERITIES[kind]), *COMES_AND_GOES[kind])
        for kind in alarms.AlarmType
    )
    states = ", ".join(f"`{state}`" for state in alarms.State)
    return (
        f"## Alarms\n\nStates (ISA-18.2): {states}.\n"
        "Delays run by the time of the readings, and by the clock where nothing more is said. What is a\n"
        "[figure of the rule file](figures.md) is told here as it holds where that says nothing else.\n\n"
        f"{_table(('type', 'severity', 'comes', 'goes'), rows)}"
    )


def _services() -> str:
    rows = ((f"`{user}`", _filters(rights.reads), _filters(rights.writes)) for user, rights in users.everybody())
    return (
        "## Our own services at the broker\n\nEach session of a service is a user of the broker, by its client id, and "
        "may do this and no more ([Who may enter the broker](credentials.md)). A member of a share is called such as "
        f"`ingest-city-1`. By `…-{users.DOOR}` a service looks at its start whether it is let in.\n\n"
        f"{_table(('user', 'reads', 'writes'), rows)}"
    )


def _filters(filters: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in filters) or "nothing"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

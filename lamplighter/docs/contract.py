"""`docs/contract.md`, written from the vocabulary."""

import math
from collections.abc import Iterable

from bus import users
from telemetry import alarms, commands, limits, topics
from telemetry.kind import Kind, Property
from telemetry.kinds import KINDS
from telemetry.refusals import Reason

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
milliseconds since 1970 UTC; absent means the time of receipt. `seq` is the device's own counter. Every field but the
marked is optional, `null` is absent, nothing is coerced except that `3.0` is an integer; unknown fields are ignored.
An uplink above {limits.PAYLOAD_BYTES_MAX // 1024} KiB is quarantined as `too_large`; a packet above
{limits.PACKET_BYTES_MAX // 1024**2} MiB never gets so far, because the broker ends the connection.
"""


def page() -> str:
    """The whole page as Markdown."""
    kinds = "".join(map(_kind, KINDS.values()))
    return f"{_HEAD}{kinds}\n{_refusals()}\n{_commands()}\n{_alarms()}\n{_services()}"


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
        f"strongest first: {reasons}.\n\n{_table(('state', 'may be followed by'), rows)}"
    )


def _alarms() -> str:
    rows = ((f"[`{kind}`](runbook/{kind}.md)", str(alarms.SEVERITIES[kind])) for kind in alarms.AlarmType)
    states = ", ".join(f"`{state}`" for state in alarms.State)
    return f"## Alarms\n\nStates (ISA-18.2): {states}.\n\n{_table(('type', 'severity'), rows)}"


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

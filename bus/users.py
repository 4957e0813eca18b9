"""Who our services are at the broker: each session is a user of its own, with no right that it does not use.

A session's user is its client id, so that a broker that holds users to that (Mosquitto: `use_username_as_clientid`)
lets nobody take over another's session and queue. A service has one password for all of its sessions. From this table
come the access lists of Mosquitto and EMQX, and the documentation; a test compares it with what a city really does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from telemetry import topics

_NAME = "{name}"
"""Stands for the name of the process, which is the service's, or a member's of a share."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Filters of the topics that a session subscribes to, and of those that it publishes on."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


DOOR = "door"
"""What the name of the session ends in by which a process looks at its start whether the broker lets it in."""
_TELEMETRY, _STATUS, _ACK = (topic("+", "+") for topic in (topics.telemetry, topics.status, topics.ack))
_COMMAND = topics.command("+", "+")
_NOTE, _RADIO = topics.gateway_note("+"), topics.radio_gateway("+")
_ZONE, _ALARM, _SETTLED = topics.zone_parking("+"), topics.alarm("+"), topics.settled("+")

SESSIONS: Mapping[str, Mapping[str, Rights]] = {
    "ingest": {
        "": Rights(reads=(_TELEMETRY, _STATUS, topics.PROBE)),
        "clock": Rights(writes=(topics.CLOCK, topics.settled(_NAME))),
        DOOR: Rights(),
    },
    "gateway": {
        "city": Rights(writes=(_TELEMETRY, _STATUS, _ACK, _NOTE, _RADIO)),
        "commands": Rights(reads=(_COMMAND,)),
        "notes": Rights(reads=(_NOTE, _RADIO)),
        DOOR: Rights(),
    },
    "rules": {
        "": Rights(reads=(_TELEMETRY, _ACK)),
        "out": Rights(reads=(_ALARM, _RADIO, topics.RULES_TERM), writes=(_COMMAND, _ZONE, _ALARM, topics.RULES_TERM)),
        "probe": Rights(reads=(_SETTLED,), writes=(topics.PROBE, topics.BACKLOG, _SETTLED)),
        "watch": Rights(reads=(topics.SYS_DROPPED, *topics.SYS_STORED)),
        DOOR: Rights(),
    },
    "api": {"": Rights(reads=(_ZONE, _ALARM, topics.BACKLOG, topics.PROBE))},
}
"""By service: the rights of its sessions by what their names end in. Only the rules command; the API writes nothing.

A service that is not here, such as `upkeep`, needs no broker.
"""


def users(service: str, name: str = "") -> dict[str, Rights]:
    """The users of a service, one for each session. `name`: of one of several processes; by itself the service's."""
    name = name or service
    return {
        f"{name}-{session}" if session else name: Rights(
            rights.reads, tuple(topic.format(name=name) for topic in rights.writes)
        )
        for session, rights in SESSIONS[service].items()
    }


def everybody() -> Iterator[tuple[str, Rights]]:
    """All users of services that are alone."""
    for service in SESSIONS:
        yield from users(service).items()


def login(service: str, password: str) -> str:
    """What goes before the `@` of the broker's URL: a user where there is but one, else each session is its own."""
    only = [*users(service)] if len(SESSIONS[service]) == 1 else [""]
    return f"{only[0]}:{quote(password, safe='')}"

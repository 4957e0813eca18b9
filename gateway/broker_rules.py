"""What a Mosquitto broker is told: its configuration, who may write and read what, and who knows which password.

All of it is text made by pure functions, so that the demo, the tests and a town's own broker obey the same rules.
Source: mosquitto.conf(5), and the `$7$` format of mosquitto_passwd(1).
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bus import users
from telemetry import limits, topics

AUTOSAVE_S = 30
"""Seconds between Mosquitto's snapshots; what came since the last one is lost if the broker is killed (contract §1)."""
IN_FLIGHT_MAX = 1_000
"""Messages on the way to a client that names no receive maximum of its own."""
PASSWORD_ITERATIONS = 101
"""PBKDF2 rounds, as mosquitto_passwd does: our passwords are 144 random bits, and the broker, which has one thread,
computes this at every connection of a reconnect storm."""
_SALT_BYTES = 12
_ANY_KIND = "+"
_WRITTEN = (topics.telemetry, topics.status, topics.ack)
"""What a device says."""


@dataclass(frozen=True)
class BrokerFiles:
    """Where a broker finds its lists and keeps its messages.

    `socket` is a Unix socket by which clients on the same machine may come in beside the port, which costs the broker
    less; `None`: there is none.
    """

    access_list: Path
    passwords: Path
    persistence: Path
    socket: Path | None = None


def configuration(files: BrokerFiles, port: int, address: str = "127.0.0.1") -> str:
    """`mosquitto.conf` of a port, and a Unix socket if wanted, that loses nothing silently.

    The queue limits matter most: by default Mosquitto keeps 1,000 messages for a client that is away, and drops the
    rest although it has acknowledged them to the publisher.
    """
    socket = f"listener 0 {files.socket}\n" if files.socket else ""
    return f"""\
listener {port} {address}
{socket}allow_anonymous false
password_file {files.passwords}
acl_file {files.access_list}
persistence true
persistence_location {files.persistence}/
autosave_interval {AUTOSAVE_S}
max_queued_messages {limits.BROKER_QUEUE_MESSAGES_MAX}
max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}
max_packet_size {limits.PACKET_BYTES_MAX}
max_inflight_messages {IN_FLIGHT_MAX}
set_tcp_nodelay true
sys_interval 10
connection_messages false
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def access_list(platform_user: str) -> str:
    """The access list: a device writes and reads only its own topics, a service those of its work.

    The platform's user, the town's own, may do all. A device's user name is its device id. A topic that no line allows
    is refused.
    """
    said, obeyed = _own("%u")
    patterns = [*(f"pattern write {topic}" for topic in said), f"pattern read {obeyed}"]
    platform = [f"user {platform_user}", "topic readwrite #", "topic read $SYS/#"]
    services = (line for user, rights in users.everybody() for line in _lines(user, rights))
    return "\n".join([*patterns, "", *platform, *services, ""])


def _lines(user: str, rights: users.Rights) -> Iterator[str]:
    """What a session may; it is no device, though the patterns would take it for one of its name."""
    said, obeyed = _own(user)
    yield from ("", f"user {user}", *(f"topic deny {topic}" for topic in (*said, obeyed)))
    yield from (f"topic read {topic}" for topic in rights.reads)
    yield from (f"topic write {topic}" for topic in rights.writes)


def emqx_access_list(platform_user: str, members: Iterable[str] = ()) -> str:
    """The same as EMQX reads it, which takes the first rule that fits.

    Args:
        platform_user: may do all below our root.
        members: processes of a share, beside an ingest that is alone.
    """
    said, obeyed = _own("${username}")
    everybody = [*users.everybody(), *(each for name in members for each in users.users("ingest", name).items())]
    rules = [_rule("allow", f'{{user, "{platform_user}"}}', "all", [f"{topics.ROOT}/#"])]
    for user, rights in everybody:
        who = f'{{user, "{user}"}}'
        rules += [_rule("allow", who, "subscribe", rights.reads)] if rights.reads else []
        rules += [_rule("allow", who, "publish", rights.writes)] if rights.writes else []
        rules.append(_rule("deny", who, "all", ["#"]))
    rules += [_rule("allow", "all", "publish", said), _rule("allow", "all", "subscribe", [obeyed]), "{deny, all}.\n"]
    return "".join(rules)


def _rule(word: str, who: str, action: str, topic_filters: Iterable[str]) -> str:
    listed = ",\n".join(f'  "{each}"' for each in topic_filters)
    return f"{{{word}, {who}, {action}, [\n{listed}\n]}}.\n"


def _own(device: str) -> tuple[list[str], str]:
    """The topics on which a device speaks, and the one on which it is told."""
    return [topic(_ANY_KIND, device) for topic in _WRITTEN], topics.command(_ANY_KIND, device)


def passwords(by_user: Mapping[str, str]) -> str:
    """The password file for users with their clear passwords."""
    return "".join(f"{password_entry(user, password)}\n" for user, password in by_user.items())


def password_entry(user: str, password: str, salt: bytes | None = None) -> str:
    """One line of the password file: PBKDF2 with SHA-512, as `mosquitto_passwd` writes it.

    Args:
        user: the user name; a device's id.
        password: in clear.
        salt: 12 random bytes; None draws them.

    Raises:
        ValueError: the user name holds a colon, which separates the fields of this file.
    """
    if ":" in user:
        raise ValueError(f"a broker's password file cannot name the user {user!r}: it holds a colon")
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PASSWORD_ITERATIONS)
    return f"{user}:$7${PASSWORD_ITERATIONS}${_base64(salt)}${_base64(digest)}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")

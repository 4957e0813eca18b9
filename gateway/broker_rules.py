"""What a Mosquitto broker is told: its configuration, who may write and read what, and who knows which password.

All of it is text made by pure functions, so that the demo, the tests and a town's own broker obey the same rules.
Source: mosquitto.conf(5), and the `$7$` format of mosquitto_passwd(1).
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telemetry import limits, topics

AUTOSAVE_S = 30
"""Seconds between Mosquitto's snapshots; what came since the last one is lost if the broker is killed (contract §1)."""
IN_FLIGHT_MAX = 1_000
"""Messages on the way to a client that names no receive maximum of its own."""
PASSWORD_ITERATIONS = 101
"""PBKDF2 rounds, as mosquitto_passwd does: our passwords are 144 random bits, and the broker, which has one thread,
computes this at every connection of a reconnect storm."""
_SALT_BYTES = 12
_ITSELF = "%u"
_ANY_KIND = "+"


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
    """The access list: a device writes and reads only its own topics, the platform's user may do all.

    A device's user name is its device id. A topic that no line allows is refused.
    """
    written = (topics.telemetry, topics.status, topics.ack)
    patterns = [f"pattern write {topic(_ANY_KIND, _ITSELF)}" for topic in written]
    patterns.append(f"pattern read {topics.command(_ANY_KIND, _ITSELF)}")
    platform = [f"user {platform_user}", "topic readwrite #", "topic read $SYS/#"]
    return "\n".join([*patterns, "", *platform, ""])


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

"""A Mosquitto that devices reach over TLS only, as text: with passwords, or with client certificates instead.

Source: mosquitto.conf(5), "Certificate based SSL/TLS Support".
"""

from dataclasses import dataclass
from pathlib import Path

from gateway.broker_rules import BrokerFiles, configuration

PORT = 8883
"""MQTT over TLS, as registered with IANA."""
LOCAL_PORT = 1883
"""MQTT in clear, as registered with IANA; on 127.0.0.1 only."""
INNER_PORT = 8884
"""A second door with TLS, for our own services in a network of containers; never published."""
_HELD_TO_ITS_USER = "use_username_as_clientid true"


@dataclass(frozen=True)
class TlsFiles:
    """The broker's own certificate with its chain, its key, and the authority that vouches for clients.

    All in PEM form. `authority` `None`: clients show no certificate, they come with a password.
    """

    certificate: Path
    key: Path
    authority: Path | None = None


def tls_configuration(
    files: BrokerFiles,
    tls: TlsFiles,
    *,
    port: int = PORT,
    address: str = "0.0.0.0",
    local_port: int | None = None,
    inner_port: int | None = None,
    own_names: bool = False,
) -> str:
    """`mosquitto.conf` of one listener with TLS, and of a door for our own services if they have one of their own.

    That door is on 127.0.0.1 without TLS (`local_port`) or on any address with it (`inner_port`), always by password.
    Then the first is the devices' alone, and a device's session bears the name of its user, whatever name it gives: it
    has one session, and takes over nobody else's. With `own_names` that holds for our own door too, for services whose
    sessions are users (`bus.users`): none ends another's. With an authority every client of the first shows a
    certificate, and its common name is the user: no password is asked for.
    """
    listener, rest = configuration(files, port, address).split("\n", 1)
    encrypted = [f"certfile {tls.certificate}", f"keyfile {tls.key}", "tls_version tlsv1.2"]
    lines = [listener, *encrypted]
    if local_port is not None or inner_port is not None:
        lines.append(_HELD_TO_ITS_USER)
    if tls.authority is not None:
        lines += [f"cafile {tls.authority}", "require_certificate true", "use_identity_as_username true"]
    held = [_HELD_TO_ITS_USER, ""] if own_names else [""]
    own = [] if local_port is None else [f"listener {local_port} 127.0.0.1", *held]
    own += [] if inner_port is None else [f"listener {inner_port}", *encrypted, *held]
    return "\n".join([*lines, rest]) + "\n".join(own)

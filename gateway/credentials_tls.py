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


@dataclass(frozen=True)
class TlsFiles:
    """The broker's own certificate with its chain, its key, and the authority that vouches for clients.

    All in PEM form. `authority` `None`: clients show no certificate, they come with a password.
    """

    certificate: Path
    key: Path
    authority: Path | None = None


def tls_configuration(
    files: BrokerFiles, tls: TlsFiles, *, port: int = PORT, address: str = "0.0.0.0", local_port: int | None = None
) -> str:
    """`mosquitto.conf` of one listener with TLS and, on 127.0.0.1 with a password, one without for our own services.

    With an authority every client shows a certificate, and its common name is the user: no password is asked for.
    """
    listener, rest = configuration(files, port, address).split("\n", 1)
    lines = [listener, f"certfile {tls.certificate}", f"keyfile {tls.key}", "tls_version tlsv1.2"]
    if tls.authority is not None:
        lines += [f"cafile {tls.authority}", "require_certificate true", "use_identity_as_username true"]
    local = "" if local_port is None else f"listener {local_port} 127.0.0.1\n"
    return "\n".join([*lines, rest]) + local

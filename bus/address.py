"""Where a broker is and how to log in, from one URL."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}


class BadAddress(ValueError):
    """The broker's URL is not `mqtt://` or `mqtts://`, optionally user:password@, a host and optionally a port."""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker. `user` and `password` are `None` where it asks for none; `tls` is `None` for a plain connection."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_address(url: str, tls: ssl.SSLContext | None = None) -> Address:
    """Take an MQTT URL apart; names and passwords may be percent-encoded.

    `tls` overrides how an `mqtts` broker is verified; `None` means by the system's certificate store.

    Raises:
        BadAddress: it is no such URL. The message does not repeat it, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress("the broker's URL has no valid host and port") from error
    if parts.scheme not in PORTS:
        raise BadAddress("the broker's URL begins with neither mqtt:// nor mqtts://")
    if not parts.hostname:
        raise BadAddress("the broker's URL names no host")
    return Address(
        parts.hostname,
        PORTS[parts.scheme] if port is None else port,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        (tls or ssl.create_default_context()) if parts.scheme == "mqtts" else None,
    )

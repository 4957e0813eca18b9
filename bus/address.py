"""Where a broker is, how it is verified and how to log in, from one URL.

`mqtt://user:password@host:1883`, `mqtts://user:password@host:8883?ca=/etc/ssl/city.pem`,
`mqtt+unix://user:password@/run/mosquitto/mosquitto.sock`. A URL with a password and no user (`mqtt://:password@host`)
has each session log in as a user of its own, by its client id (`bus.users`).
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}
UNIX = "mqtt+unix"

P = TypeVar("P", bound=asyncio.BaseProtocol)


class BadAddress(ValueError):
    """The broker's URL cannot be used; the message says why, and does not repeat it, for it may hold a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker: host and port, or the path of a Unix socket.

    `user` and `password` are `None` where it asks for none. `tls` says how the broker is verified, `None` that the
    connection is plain.
    """

    host: str
    port: int
    path: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        if self.path is not None:
            return f"{UNIX}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    def user_of(self, client_id: str) -> str | None:
        """Who a session logs in as: the URL's user, or where that has but a password, the session itself."""
        return client_id if self.user == "" and self.password is not None else self.user

    async def open(self, make: Callable[[], P]) -> P:
        """Connect; returns what `make` made for the connection.

        Raises:
            OSError: nobody listens there, or the broker is not the one that it should be.
        """
        loop = asyncio.get_running_loop()
        if self.path is not None:
            _, protocol = await loop.create_unix_connection(make, self.path)
        else:
            _, protocol = await loop.create_connection(make, self.host, self.port, ssl=self.tls)
        return protocol


def parse_address(url: str) -> Address:
    """Take an MQTT URL apart; names and passwords may be percent-encoded.

    Raises:
        BadAddress: it is no such URL, or its `ca` is no file of certificates.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise BadAddress("the broker's URL has no valid host, port and options") from error
    unix = parts.scheme == UNIX
    if not unix and parts.scheme not in PORTS:
        raise BadAddress(f"the broker's URL begins with none of mqtt://, mqtts:// and {UNIX}://")
    if unix and (parts.hostname or port is not None or len(parts.path) < 2):
        raise BadAddress(f"the broker's URL names no socket as {UNIX}:///run/mosquitto.sock does")
    if not unix and (not parts.hostname or parts.path not in ("", "/")):
        raise BadAddress("the broker's URL names no host, or more than host and port")
    if options.keys() - {"ca"} or (options and parts.scheme != "mqtts") or parts.fragment:
        raise BadAddress("the broker's URL has an option other than mqtts's ca")
    return Address(
        parts.hostname or "",
        PORTS.get(parts.scheme, 0) if port is None else port,
        unquote(parts.path) if unix else None,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        _verifying(options.get("ca")) if parts.scheme == "mqtts" else None,
    )


def with_authority(url: str, ca: str) -> str:
    """The URL of a broker that the certificates in the file `ca` vouch for, and none else; any but `mqtts` as it is."""
    parts = urlsplit(url)
    return parts._replace(query=f"ca={quote(ca)}").geturl() if parts.scheme == "mqtts" else url


@cache
def _verifying(ca: str | None) -> ssl.SSLContext:
    """TLS that trusts the file's certificates only, or the system's."""
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        raise BadAddress(f"{ca} is no readable file of certificates in PEM form") from error

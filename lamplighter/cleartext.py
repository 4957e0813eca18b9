"""What would leave this machine in clear: refused, unless the operator names the host in `cleartext_hosts`."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
"""The values of PostgreSQL's `sslmode` that never fall back to a connection in clear."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very spelling; a name may lead anywhere, but for `localhost`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine by its very spelling: to loopback or a folder of sockets."""
    return all(not host or host.startswith("/") or is_loopback(host) for host in _hosts(url))


def check(values: Mapping[str, Any]) -> None:
    """That no setting reaches beyond this machine in clear.

    Args:
        values: settings by name, those that are set.

    Raises:
        ValueError: one does; the message names it, the host and the mend, and repeats no password.
    """
    accepted = {"", *values["cleartext_hosts"]}
    for name, host, mend in _in_clear(values):
        if host not in accepted and not is_loopback(host):
            raise ValueError(
                f"{name} reaches {host} in clear: {mend}; where the way there is safe, name {host} in cleartext_hosts"
            )


def _in_clear(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Settings, the hosts that they reach in clear, and what to write instead."""
    database = values["database_url"] or ""
    options = parse_qs(urlsplit(database).query)
    if database and options.get("sslmode", [""])[-1] not in ENCRYPTED:
        for host in _hosts(database):
            if not host.startswith("/"):  # a folder of sockets
                yield "database_url", host, "add ?sslmode=verify-full&sslrootcert=FILE, or at least ?sslmode=require"
    networks = (network.partition("=")[2] for network in values["gateway_networks"])
    for name, urls, scheme in (
        ("mqtt_url", [values["mqtt_url"] or ""], "mqtt"),
        ("gateway_networks", networks, "mqtt"),
        ("grafana_url", [values["grafana_url"] or ""], "http"),
    ):
        for parts in map(urlsplit, urls):
            if parts.scheme == scheme:
                yield name, parts.hostname or "", f"use {scheme}s://"
    yield "http_host", values["http_host"], "listen on 127.0.0.1, behind a proxy with TLS"


def _hosts(url: str) -> Iterator[str]:
    """The hosts of a URL and, as PostgreSQL has them, of `host=` in its query; empty where one is missing."""
    parts = urlsplit(url)
    named = ",".join([parts.netloc.rpartition("@")[2], *parse_qs(parts.query).get("host", [])])
    return map(_without_port, named.split(","))


def _without_port(host: str) -> str:
    bracketed, bracket, _ = host.partition("]")
    return unquote(bracketed.strip("[") if bracket else host.partition(":")[0])

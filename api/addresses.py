"""Who is asking: the client's address, seen through the proxies that the city trusts and through no others."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from api.documents import RawHeaders

_Address = IPv4Address | IPv6Address


class Addresses:
    """Finds the client of a request; raises `ValueError` for a trusted proxy that is no address or network."""

    def __init__(self, trusted_proxies: Iterable[str] = ()) -> None:
        self._trusted = tuple(ip_network(each, strict=False) for each in trusted_proxies)

    def client(self, scope: Scope) -> str:
        """The address for which a request counts; IPv6 by its /64, which is what one household has."""
        return self.of(str((scope.get("client") or ("", 0))[0]), scope["headers"])

    def of(self, peer: str, headers: RawHeaders) -> str:
        """The same of a connection's other end and a request's headers, whose names are in lower case."""
        return household(self._through_proxies(peer, _forwarded_for(headers)) if self._trusted else peer)

    def is_local(self, scope: Scope) -> bool:
        """Whether the request comes from this machine itself, and not through a proxy that runs on it.

        Over loopback, or from the very address that it came to: where we listen at an outer one, ours begin there too.
        """
        address, own = (_parsed(str((scope.get(end) or ("", 0))[0])) for end in ("client", "server"))
        proxied = any(name in (b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via") for name, _ in scope["headers"])
        return address is not None and (address.is_loopback or address == own) and not proxied

    def _through_proxies(self, peer: str, forwarded: list[str]) -> str:
        """The nearest address that no trusted proxy has: what stands before it, anybody could have written."""
        client = peer
        for each in reversed(forwarded):
            if not self._is_trusted(client) or _parsed(each) is None:
                break
            client = each
        return client

    def _is_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(_within(address, network) for network in self._trusted)


def _within(address: _Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def _forwarded_for(headers: RawHeaders) -> list[str]:
    values = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [part.strip() for value in values for part in value.split(",")]


@lru_cache(maxsize=4096)
def _parsed(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=4096)
def household(text: str) -> str:
    """An address as it is counted: IPv4 whole, IPv6 by its /64, anything else as it stands."""
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return text if address is None else str(address)

"""Whose request it is, through proxies that are trusted and others that are not."""

from typing import Any

import pytest

from api.addresses import Addresses


def scope(peer: str, **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (peer, 1), "headers": raw}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        (("10.0.0.0/8",), "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", "203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.2.3", "6.6.6.6, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.2.3", "what's this", "10.1.2.3"),
        (("127.0.0.1",), "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_is_believed(trusted: tuple[str, ...], peer: str, forwarded: str, client: str) -> None:
    assert Addresses(trusted).client(scope(peer, x_forwarded_for=forwarded)) == client


def test_a_household_of_ipv6_counts_as_one() -> None:
    addresses = Addresses()
    assert addresses.client(scope("2001:db8:1:2::5")) == addresses.client(scope("2001:db8:1:2:ffff::9"))
    assert addresses.client(scope("2001:db8:1:2::5")) != addresses.client(scope("2001:db8:1:3::5"))


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_loopback_is_local_unless_a_proxy_speaks_for_somebody(peer: str) -> None:
    addresses = Addresses()
    assert addresses.is_local(scope(peer))
    assert not addresses.is_local(scope(peer, x_forwarded_for="203.0.113.9"))
    assert not addresses.is_local(scope(peer, forwarded="for=203.0.113.9"))


def test_others_are_not_local_but_who_comes_from_the_address_we_listen_at_is() -> None:
    addresses, at_ours = Addresses(), {"server": ("203.0.113.9", 8080)}
    assert not addresses.is_local(scope("203.0.113.9"))
    assert not addresses.is_local(scope("203.0.113.8") | at_ours)
    assert addresses.is_local(scope("::ffff:203.0.113.9") | at_ours)
    assert not addresses.is_local(scope("203.0.113.9", via="1.1 proxy") | at_ours)

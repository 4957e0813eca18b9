"""A broker's URL says where it is and how to log in."""

import ssl

import pytest

from bus.address import BadAddress, parse_address


def test_a_full_url() -> None:
    address = parse_address("mqtt://lamp%40city:pa%2Fss@broker.example:1884")
    assert (address.host, address.port, address.user, address.password) == (
        "broker.example",
        1884,
        "lamp@city",
        "pa/ss",
    )
    assert address.tls is None


def test_the_port_follows_from_the_scheme() -> None:
    assert parse_address("mqtt://broker").port == 1883
    assert parse_address("mqtts://broker").port == 8883


def test_mqtts_verifies_the_broker() -> None:
    tls = parse_address("mqtts://broker").tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


def test_what_is_shown_hides_the_password() -> None:
    address = parse_address("mqtt://user:secret@broker")
    assert "secret" not in str(address) + repr(address)


@pytest.mark.parametrize("url", ["", "broker:1883", "http://broker", "mqtt://", "mqtt://user:secret@broker:port"])
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse_address(url)
    assert "secret" not in str(refused.value)

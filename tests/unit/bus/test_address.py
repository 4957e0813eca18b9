"""A broker's URL says where it is and how to log in."""

import ssl

import pytest

from bus.address import BadAddress, parse_address, with_authority


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


def test_a_unix_socket_has_credentials_like_any_other() -> None:
    address = parse_address("mqtt+unix://lamp:pa%2Fss@/run/mosquitto/mosquitto.sock")
    assert (address.path, address.user, address.password) == ("/run/mosquitto/mosquitto.sock", "lamp", "pa/ss")
    assert str(address) == "mqtt+unix:///run/mosquitto/mosquitto.sock"
    assert parse_address("mqtt+unix:///run/a%20socket").path == "/run/a socket"


def test_a_url_with_a_password_alone_has_each_session_log_in_by_its_own_name() -> None:
    assert parse_address("mqtt://:secret@broker").user_of("rules-out") == "rules-out"
    assert parse_address("mqtt://platform:secret@broker").user_of("rules-out") == "platform"
    assert parse_address("mqtt://broker").user_of("rules-out") is None


def test_a_host_of_ipv6_is_shown_as_it_is_written() -> None:
    assert str(parse_address("mqtt://[::1]:1884")) == "mqtt://[::1]:1884"


def test_an_authority_vouches_for_tls_brokers_only() -> None:
    assert with_authority("mqtts://u:p@host:1?ca=old", "/etc/a b.pem") == "mqtts://u:p@host:1?ca=/etc/a%20b.pem"
    assert with_authority("mqtt://host", "/etc/ca.pem") == "mqtt://host"
    with pytest.raises(BadAddress, match=r"/nowhere\.pem is no readable file of certificates"):
        parse_address("mqtts://host?ca=/nowhere.pem")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://user:secret@broker:port",
        "mqtt://user:secret@broker/path",
        "mqtt://user:secret@broker?ca=/etc/ca.pem",
        "mqtts://user:secret@broker?cert",
        "mqtt://user:secret@broker#fragment",
        "mqtt+unix://user:secret@",
        "mqtt+unix://user:secret@broker/run/socket",
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse_address(url)
    assert "secret" not in str(refused.value)

"""What a broker is told, as text."""

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import broker_rules
from telemetry import limits

FILES = broker_rules.BrokerFiles(Path("/etc/city/access.txt"), Path("/etc/city/passwords.txt"), Path("/var/lib/city"))


def settings() -> dict[str, str]:
    lines = broker_rules.configuration(FILES, 1883).splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_a_service_that_is_away_loses_nothing_silently() -> None:
    """Mosquitto's own default keeps 1,000 messages and drops the rest although it has acknowledged them."""
    assert settings()["max_queued_messages"] == "2000000"
    assert settings()["max_queued_bytes"] == str(4 * 1024**3)


def test_messages_outlive_the_broker_with_a_snapshot_every_30_s() -> None:
    assert settings()["persistence"] == "true"
    assert settings()["persistence_location"] == "/var/lib/city/"
    assert settings()["autosave_interval"] == "30"


def test_what_is_too_large_reaches_us_to_be_refused() -> None:
    assert int(settings()["max_packet_size"]) == 1024 * 1024 > limits.PAYLOAD_BYTES_MAX


def test_nobody_is_let_in_without_a_password_or_from_elsewhere() -> None:
    assert settings()["listener"] == "1883 127.0.0.1"
    assert settings()["allow_anonymous"] == "false"
    assert settings()["password_file"] == "/etc/city/passwords.txt"
    assert settings()["acl_file"] == "/etc/city/access.txt"


def test_a_device_writes_and_reads_only_its_own_topics() -> None:
    patterns = [line for line in broker_rules.access_list("platform").splitlines() if line.startswith("pattern")]
    assert patterns == [
        "pattern write city/v1/+/%u/telemetry",
        "pattern write city/v1/+/%u/status",
        "pattern write city/v1/+/%u/ack",
        "pattern read city/v1/+/%u/command",
    ]


def test_the_platform_may_do_all() -> None:
    text = broker_rules.access_list("platform")
    assert "user platform\ntopic readwrite #\ntopic read $SYS/#\n" in text


def test_the_broker_hears_of_rights_by_pattern_before_any_user() -> None:
    """Mosquitto binds a `topic` line to the `user` line above it; patterns stand before the first of those."""
    text = broker_rules.access_list("platform")
    assert text.index("pattern") < text.index("user")


@given(st.text(min_size=1, max_size=40))
def test_a_password_entry_holds_the_salted_digest_and_never_the_password(password: str) -> None:
    user, rest = broker_rules.password_entry("lamp-1", password).split(":")
    _, scheme, rounds, salt, digest = rest.split("$")
    expected = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(rounds))
    assert (user, scheme) == ("lamp-1", "7")
    assert base64.b64decode(digest) == expected


def test_the_same_password_has_another_entry_each_time() -> None:
    assert broker_rules.password_entry("lamp-1", "secret") != broker_rules.password_entry("lamp-1", "secret")


def test_a_user_name_with_a_colon_is_refused_because_the_file_separates_by_it() -> None:
    with pytest.raises(ValueError, match="holds a colon"):
        broker_rules.password_entry("ID:1", "secret")

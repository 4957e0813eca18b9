"""Credentials as text and as a file: entries come and go, and what is not ours stays."""

from pathlib import Path

import pytest

from gateway import credentials, credentials_file, credentials_tls
from gateway.broker_rules import BrokerFiles

THEIRS = "# the town's own\nbridge:$7$101$c2FsdA==$ZGlnZXN0\n\nnonsense\n"
FILES = BrokerFiles(Path("/etc/city/access.txt"), Path("/etc/city/passwords.txt"), Path("/var/lib/city"))
TLS = credentials_tls.TlsFiles(Path("/etc/city/broker.pem"), Path("/etc/city/broker.key"))


def test_lines_that_are_not_ours_outlive_issue_rotate_and_revoke() -> None:
    issued = credentials.issued(THEIRS, {"lamp-1": "one", "lamp-2": "two"})
    assert issued.startswith(THEIRS)
    rotated = credentials.rotated(issued, "lamp-1", "other")
    assert [old == new for old, new in zip(issued.splitlines(), rotated.splitlines(), strict=True)] == [
        *[True] * 4,
        False,
        True,
    ]
    assert credentials.revoked(credentials.revoked(rotated, "lamp-1"), "lamp-2") == THEIRS


def test_an_entry_after_a_line_without_end_stands_on_its_own_line() -> None:
    assert credentials.users(credentials.issued("bridge:x", {"lamp-1": "one"})) == {"bridge", "lamp-1"}


def test_a_user_written_twice_is_revoked_twice() -> None:
    assert credentials.revoked("lamp-1:a\nbridge:b\nlamp-1:c\n", "lamp-1") == "bridge:b\n"


def test_a_comment_is_no_user() -> None:
    assert credentials.users("# note: rotate yearly\nlamp-1:a\n") == {"lamp-1"}


def test_what_is_there_is_not_issued_and_what_is_not_there_is_neither_rotated_nor_revoked() -> None:
    with pytest.raises(credentials.Refused, match="rotate"):
        credentials.issued("lamp-1:a\n", {"lamp-1": "one"})
    with pytest.raises(credentials.Refused, match="issue"):
        credentials.rotated("lamp-10:a\n", "lamp-1", "one")
    with pytest.raises(credentials.Refused, match="issue"):
        credentials.revoked("", "lamp-1")


@pytest.mark.parametrize(
    ("device", "why"),
    [("ID:1", "its gateway"), ("+", "no device id"), ("a/b", "no device id"), ("platform", "platform's own")],
)
def test_who_can_have_no_password(device: str, why: str) -> None:
    with pytest.raises(credentials.Refused, match=why):
        credentials.checked(device, frozenset({"platform"}))


def test_a_password_has_128_bits_at_least_and_is_another_each_time() -> None:
    assert credentials.PASSWORD_BYTES * 8 >= 128
    assert len({credentials.new_password() for _ in range(100)}) == 100


def test_a_new_file_is_closed_to_others_and_an_old_one_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "passwords.txt"
    credentials_file.change(path, lambda text: text + "a:b\n")
    assert path.stat().st_mode & 0o777 in (0o600, 0o640)
    path.chmod(0o604)
    credentials_file.change(path, lambda text: text + "c:d\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("a:b\nc:d\n", 0o604)


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    path = tmp_path / "passwords.txt"
    path.write_bytes(b"caf\xe9:x\n")
    credentials_file.change(path, lambda text: credentials.issued(text, {"lamp-1": "one"}))
    assert path.read_bytes().startswith(b"caf\xe9:x\nlamp-1:$7$")


def test_an_edit_that_is_refused_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "passwords.txt"
    path.write_text(THEIRS)
    with pytest.raises(credentials.Refused):
        credentials_file.change(path, lambda text: credentials.revoked(text, "lamp-1"))
    assert path.read_text() == THEIRS
    assert list(tmp_path.iterdir()) == [path]


def test_the_tls_lines_belong_to_the_listener_they_follow() -> None:
    """Mosquitto binds them to the last `listener` line above."""
    with_authority = credentials_tls.TlsFiles(TLS.certificate, TLS.key, Path("/etc/city/authority.pem"))
    lines = credentials_tls.tls_configuration(FILES, with_authority, local_port=1883).splitlines()
    listeners = [number for number, line in enumerate(lines) if line.startswith("listener ")]
    assert lines[listeners[0]] == "listener 8883 0.0.0.0"
    assert lines[listeners[1]] == "listener 1883 127.0.0.1"
    for line in ("certfile /etc/city/broker.pem", "require_certificate true", "use_identity_as_username true"):
        assert listeners[0] < lines.index(line) < listeners[1]


def test_without_an_authority_a_password_is_asked_for() -> None:
    text = credentials_tls.tls_configuration(FILES, TLS)
    assert "use_identity_as_username" not in text
    assert "allow_anonymous false\n" in text
    assert text.count("listener ") == 1

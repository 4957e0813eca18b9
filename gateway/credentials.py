"""Per-device broker credentials: Mosquitto's password file as text, with one entry put, replaced or taken out.

All of it is pure; `credentials_file` keeps the text on disk. Lines that are not ours stay as they are. A device's user
name is its device id, as the access list wants it (`broker_rules`).
"""

import secrets
from collections.abc import Mapping

from gateway.broker_rules import password_entry
from telemetry import topics

PASSWORD_BYTES = 18
"""144 random bits: what allows the few PBKDF2 rounds of `broker_rules.PASSWORD_ITERATIONS`."""


class Refused(Exception):
    """These credentials cannot be issued, rotated or revoked; the message is one sentence that names the mend."""


def new_password() -> str:
    """A password nobody can guess, of characters that no shell, URL or CSV file needs quoted."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def nameable(device: str) -> bool:
    """Whether a password file can name this device: a colon separates its fields."""
    return ":" not in device


def checked(device: str, reserved: frozenset[str]) -> str:
    """The device, if it may have a password.

    Args:
        device: its id.
        reserved: users that are no devices: the platform's own.

    Raises:
        Refused: it may not.
    """
    if not topics.valid_device(device):
        raise Refused(f"{device!r} is no device id: up to 64 letters, digits and _ . : - are.")
    if device in reserved:
        raise Refused(
            f"{device} is one of the platform's own users: a device needs another name; a lost password of ours is "
            f"changed by `lamplighter credentials rotate {device}`."
        )
    if not nameable(device):
        raise Refused(
            f"{device} needs no password: a channel such as this is published by its gateway under the gateway's own "
            "user; a device whose own id holds a colon shows a client certificate with that common name."
        )
    return device


def users(text: str) -> set[str]:
    """Who has an entry in a password file."""
    return {_user(line) for line in text.splitlines()} - {""}


def issued(text: str, passwords: Mapping[str, str]) -> str:
    """The password file with entries for users who have none yet.

    Raises:
        Refused: one of them has an entry.
    """
    known = users(text)
    for user in passwords:
        if user in known:
            raise Refused(f"{user} has credentials already: rotate them if they are lost.")
    end = "" if not text or text.endswith("\n") else "\n"
    return text + end + "".join(f"{password_entry(user, password)}\n" for user, password in passwords.items())


def rotated(text: str, user: str, password: str) -> str:
    """The password file with another password in the user's entry. Raises `Refused`: there is none."""
    _must_have_entry(text, user)
    return _rewritten(text, user, f"{password_entry(user, password)}\n")


def revoked(text: str, user: str) -> str:
    """The password file without the user. Raises `Refused`: it does not hold the user."""
    _must_have_entry(text, user)
    return _rewritten(text, user, "")


def _rewritten(text: str, user: str, entry: str) -> str:
    """The text with `entry` for the user's first line and none for a repeated one, which the broker may prefer."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if _user(line) != user:
            lines.append(line)
        else:
            lines.append(entry)
            entry = ""
    return "".join(lines)


def _must_have_entry(text: str, user: str) -> None:
    if user not in users(text):
        raise Refused(f"{user} has no credentials: issue some.")


def _user(line: str) -> str:
    user, colon, _ = line.partition(":")
    return "" if not colon or user.lstrip().startswith("#") else user

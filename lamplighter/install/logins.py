"""Passwords and the URLs that hold them; what is in use stays.

The broker knows the platform's own user, who may do everything and comes in by a door of its own, and one user for each
session of a service (`bus.users`), who share the service's password.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from bus import users
from gateway import credentials, credentials_file
from lamplighter.embedded.broker import PLATFORM_USER

URL_FILES: Mapping[str, str] = {PLATFORM_USER: "mqtt_url", **{each: f"{each}_mqtt_url" for each in users.SESSIONS}}
"""The files with the broker's URLs, by whom they are for: the platform's own user, or a service."""


def kept_password(url_file: Path) -> str:
    """The password in the URL that a file holds, which is in use; a new one where there is none."""
    try:
        known = urlsplit(url_file.read_text(encoding="utf-8").strip()).password
    except OSError:
        known = None
    return unquote(known) if known else credentials.new_password()


def broker_passwords(folder: Path) -> dict[str, str]:
    """By whom they are for, those of the URLs in a folder."""
    return {who: kept_password(folder / file) for who, file in URL_FILES.items()}


def broker_urls(passwords: Mapping[str, str], services: str, platform: str) -> dict[str, str]:
    """The broker's URLs by file.

    Args:
        passwords: by whom they are for.
        services: the door of services, as a URL without a user.
        platform: the door of the platform's own user, the same.
    """
    found = {}
    for who, password in passwords.items():
        is_service = who in users.SESSIONS
        scheme, _, rest = (services if is_service else platform).partition("://")
        login = users.login(who, password) if is_service else f"{who}:{quote(password, safe='')}"
        found[URL_FILES[who]] = f"{scheme}://{login}@{rest}"
    return found


def password_file(file: Path, passwords: Mapping[str, str], folder: Path) -> str:
    """The broker's password file as it is, with our own users: anew those whose URL is not in the folder any more."""
    try:
        text = credentials_file.read(file)
    except OSError:
        text = ""
    return let_in(text, passwords, {who for who in passwords if not (folder / URL_FILES[who]).exists()})


def let_in(text: str, passwords: Mapping[str, str], anew: Collection[str]) -> str:
    """A broker's password file with our own users; those who come `anew` leave the password that they had."""
    for who, password in passwords.items():
        for user in names([who]) & credentials.users(text) if who in anew else ():
            text = credentials.revoked(text, user)
        missing = sorted(names([who]) - credentials.users(text))
        text = credentials.issued(text, dict.fromkeys(missing, password))
    return text


def owner(user: str) -> str | None:
    """Whose user it is: the platform's own, or a service's; None: it is not ours."""
    return next((who for who in URL_FILES if user in names([who])), None)


def names(whose: Iterable[str] = URL_FILES) -> frozenset[str]:
    """Our own users at the broker: the platform's, or those of services."""
    return frozenset(user for who in whose for user in (users.users(who) if who in users.SESSIONS else [who]))

"""The files that a backup takes along where the operator says so: settings, rules, and who may enter the broker."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lamplighter.doctor import broker_file
from lamplighter.errors import Failure
from lamplighter.settings import Settings

BLANK = "LEFT-OUT"
"""Stands where a secret stood."""
_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


def settings_files(file: Path, settings: Settings, *, with_secrets: bool) -> dict[str, bytes]:
    """The settings file, the gateway's models and the rule file, where they are there.

    Raises:
        Failure: one of them cannot be read.
    """
    named = {"models": settings.gateway_models, "rules": settings.rules_file}
    found = {f"{name}.toml": _read(path) for name, path in named.items() if path is not None}
    if file.exists():
        text = _read(file).decode(errors="surrogateescape")
        found["settings.toml"] = (text if with_secrets else blanked(text, settings)).encode(errors="surrogateescape")
    return found


def blanked(text: str, settings: Settings) -> str:
    """A settings file without what opens something: passwords of its URLs and tokens."""
    for secret in sorted(_secrets(text, settings), key=len, reverse=True):
        text = text.replace(secret, BLANK)
    return text


def _secrets(text: str, settings: Settings) -> Iterator[str]:
    """Each as it may be spelled."""
    yield from _PASSWORD.findall(text)
    for name, field in type(settings).model_fields.items():
        if not field.repr:  # it holds a secret
            for word in _words(getattr(settings, name)):
                given = _PASSWORD.findall(word) if "://" in word else [word]
                yield from (spelled for each in given for spelled in (each, unquote(each)) if spelled)


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(str(each) for each in value)
    return (str(value),) if value else ()


def broker_files(configuration: Path) -> dict[str, bytes]:
    """A Mosquitto's configuration with the password file and access list that it names; passwords are salted digests.

    Raises:
        Failure: one of them cannot be read.
    """
    said = broker_file.said(configuration)
    keys = (broker_file.PASSWORDS, broker_file.ACCESS)
    named = {"mosquitto.conf": str(configuration), **{f"{key}.txt": said[key] for key in keys if key in said}}
    return {name: _read(Path(path)) for name, path in named.items()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror}): run this as one who may, or leave it out.") from error

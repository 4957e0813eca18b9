"""The files of a server's certificate: there, readable, what they claim to be, and of one another."""

import ssl
from pathlib import Path

from lamplighter.errors import Failure

_CERTIFICATE, _KEY = "-----BEGIN CERTIFICATE-----", "PRIVATE KEY-----"


def check(certificate: Path, key: Path, authority: Path | None = None) -> None:
    """That a server can use them.

    Args:
        certificate: with its chain (PEM).
        key: of that certificate (PEM), without a password.
        authority: of clients' certificates (PEM), if any.

    Raises:
        Failure: it cannot; the sentence says which file, and why.
    """
    _check_holds(certificate, _CERTIFICATE, "certificate")
    _check_holds(key, _KEY, "key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_refuse)
    except _Locked:
        raise Failure(f"The key {key} has a password, for which nobody is there to be asked: take it off.") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Failure(f"{key} is not the key of the certificate {certificate}: name the two of a pair.") from error
        raise Failure(f"{certificate} and {key} are damaged: no certificate and key can be read from them.") from error
    if authority is not None:
        _check_holds(authority, _CERTIFICATE, "certificate")
        try:
            context.load_verify_locations(authority)
        except ssl.SSLError as error:
            raise Failure(f"{authority} is damaged: no certificate can be read from it.") from error


class _Locked(Exception):
    """A key asks for a password."""


def _refuse() -> str:
    raise _Locked


def _check_holds(path: Path, mark: str, what: str) -> None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror}).") from error
    if mark not in text:
        raise Failure(f"{path} holds no {what} in PEM form: name another file.")

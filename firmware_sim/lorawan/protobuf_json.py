"""How both network servers write protobuf as JSON: bytes are base64, members of their default value are left out."""

import base64
import binascii
from typing import Any


def text_of(octets: bytes) -> str:
    """Bytes as they stand in JSON."""
    return base64.b64encode(octets).decode()


def octets_of(text: str) -> bytes | None:
    """The bytes of a text; `None` if it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def without_defaults(said: dict[str, Any]) -> dict[str, Any]:
    """The members that have another value than the default of their type."""
    return {name: value for name, value in said.items() if value not in (None, "", 0, False, ())}

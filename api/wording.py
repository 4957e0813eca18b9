"""What is wrong with a value, in words for who sent it: the framework's own speak of patterns and parsers."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from telemetry import topics

EVERY = r"^([1-9][0-9]{0,6})([smhd])$"
"""The width of a bucket as it is written."""
NAME = f"^{topics.ASSET_PATTERN}$"
"""Of an asset or a zone."""
DEVICE = f"^{topics.DEVICE_PATTERN}$"
TEXT = r"^[^\u0000]*$"
"""Text that a database can hold."""
_OF_PATTERN: Mapping[str, str] = MappingProxyType(
    {
        EVERY: "it should be a number and s, m, h or d, such as 15m",
        NAME: "it should be a name: at most 64 of A-Z, a-z, 0-9, dot, hyphen and underscore, a letter or digit first",
        DEVICE: f"it should be a device's id: at most {topics.DEVICE_LENGTH_MAX} of A-Z, a-z, 0-9, dot, colon, hyphen "
        "and underscore",
        TEXT: "it should be a text without a NUL",
    }
)
_OF_SORT: Mapping[str, str] = MappingProxyType(
    {
        "missing": "it is missing",
        "extra_forbidden": "there is no such member",
        "int_parsing": "it should be a whole number",
        "int_from_float": "it should be a whole number",
        "float_parsing": "it should be a number",
        "bool_parsing": "it should be true or false",
    }
)
_SUBJECT = re.compile("^(Input|String|Dictionary|List|Tuple|Value) should")
_AFTERWARDS = re.compile("^Value error, | after validation, not \\d+$")
"""How the library begins and ends what it says of a value."""


def plain(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence's end."""
    known = _OF_PATTERN.get(error.get("ctx", {}).get("pattern", "")) or _OF_SORT.get(error["type"])
    return known or _SUBJECT.sub("it should", _AFTERWARDS.sub("", error["msg"]))

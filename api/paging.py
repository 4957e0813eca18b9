"""Pages of a list: how many items, and the opaque cursor that says where the next page begins."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from api.problems import Problem
from telemetry.clock import to_datetime
from telemetry.limits import LIST_ITEMS_DEFAULT, LIST_ITEMS_MAX

LIMIT_DEFAULT = LIST_ITEMS_DEFAULT
LIMIT_MAX = LIST_ITEMS_MAX
CURSOR_CHARACTERS_MAX = 512

Key = list[str | int]
Row = TypeVar("Row")


def cursor(key: Key) -> str:
    """A cursor that stands after the item with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def after(given: str | None, *types: type[str] | type[int]) -> Key | None:
    """The sort key that a cursor holds, `None` without one.

    Raises:
        Problem: it is no cursor of this list.
    """
    if given is None:
        return None
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)), type=list[str | int])
    except (msgspec.DecodeError, binascii.Error, UnicodeError, ValueError) as error:
        raise no_cursor() from error
    if len(key) != len(types) or not all(type(part) is wanted for part, wanted in zip(key, types, strict=True)):
        raise no_cursor()
    if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in key):
        raise no_cursor()
    return key


def moment(part: str | int) -> dt.datetime:
    """The UTC time that an integer of a sort key stands for, in microseconds since 1970.

    Raises:
        Problem: it lies in no year from 1 to 9999, so no list of ours gave it out.
    """
    try:
        return to_datetime(int(part))
    except OverflowError as error:
        raise no_cursor() from error


def page(
    rows: Sequence[Row], limit: int, key: Callable[[Row], Key], item: Callable[[Row], Any] | None = None
) -> dict[str, Any]:
    """The list document of up to `limit` of the rows, of which one more than `limit` was asked for.

    `key` is a row's sort key, `item` what is shown of it; `None` shows the row itself.
    """
    shown = rows[:limit]
    following = cursor(key(shown[-1])) if len(rows) > limit else None
    return {"items": [item(row) for row in shown] if item else shown, "next": following}


def no_cursor() -> Problem:
    """400: what was given as cursor is none of this list."""
    return Problem(400, "The cursor was not given out by this list.", slug="bad-cursor")

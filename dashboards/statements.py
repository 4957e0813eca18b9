"""The dashboards' SQL: named statements of `*.sql` beside this file, with figures of the code put in."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from storage import queries

_FIGURE = re.compile(r"(?<![:\w]):([a-z]\w*)")


def statement(file: str, name: str, **figures: object) -> str:
    """The statement `name` of `<file>.sql`, each `:figure` in it replaced.

    Raises `KeyError` for an unknown statement and for a figure that is not given.
    """
    return _FIGURE.sub(lambda match: str(figures[match[1]]), _load(file)[name])


@cache
def _load(file: str) -> Mapping[str, str]:
    return dict(queries.parse((files("dashboards") / f"{file}.sql").read_text(encoding="utf-8")))

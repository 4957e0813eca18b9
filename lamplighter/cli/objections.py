"""What is wrong with a value of the command line, in plain words instead of the library's."""

from typing import Any

_WORDS = {
    "int_parsing": "is no whole number",
    "int_from_float": "is no whole number",
    "int_parsing_size": "has too many digits",
    "float_parsing": "is no number",
    "finite_number": "is no number that ends",
    "greater_than_equal": "is less than {ge}",
    "greater_than": "is not above {gt}",
    "less_than_equal": "is more than {le}",
    "less_than": "is not below {lt}",
}
"""By the type of pydantic's error; `{…}` is filled from its context."""


def sentence(error: Any) -> str | None:
    """What pydantic's first error about a value says, such as `'x' is no whole number`; None: nothing that is ours."""
    first = error.errors()[0]
    words = _WORDS.get(first["type"])
    return words and f"{str(first['input'])!r} {words.format(**first.get('ctx', {}))}"

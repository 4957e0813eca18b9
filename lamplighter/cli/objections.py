"""What is wrong with a value of the command line, in plain words instead of the library's."""

from typing import Any

_WORDS = {
    "int_parsing": "is no whole number",
    "int_from_float": "is no whole number",
    "int_parsing_size": "has too many digits",
    "float_parsing": "is no number",
    "finite_number": "is no number that ends",
    "greater_than_equal": "is less than {ge:.15g}",
    "greater_than": "is not above {gt:.15g}",
    "less_than_equal": "is more than {le:.15g}",
    "less_than": "is not below {lt:.15g}",
}
"""By the type of pydantic's error; `{…}` is filled from its context."""


def sentence(error: Any) -> str | None:
    """What pydantic's first error about a value says, such as `'x' is no whole number`; None: nothing that is ours."""
    first = error.errors()[0]
    value, bounds = str(first["input"]), first.get("ctx", {})
    is_nan = bounds and value.strip(" +-").lower() == "nan"  # by which the library finds any bound passed
    words = _WORDS.get("float_parsing" if is_nan else first["type"])
    return words and f"{value!r} {words.format(**bounds)}"

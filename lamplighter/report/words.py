"""A report's words in each language, and how each language writes numbers."""

from collections.abc import Mapping
from enum import StrEnum


class Language(StrEnum):
    """What a report is written in."""

    ENGLISH = "en"
    GERMAN = "de"


Words = Mapping[Language, str]
"""The same in every language."""


def words(english: str, german: str) -> Words:
    """The same in both."""
    return {Language.ENGLISH: english, Language.GERMAN: german}


def number(value: int, language: Language) -> str:
    """With the thousands apart, as people of the language write it."""
    spelled = f"{value:,}"
    return spelled.replace(",", ".") if language is Language.GERMAN else spelled


def decimal(value: float, language: Language, digits: int = 1) -> str:
    """With so many digits after the point, or the comma, as people of the language write it."""
    whole, _, rest = f"{value:.{digits}f}".partition(".")
    sign, point = "-" if whole.startswith("-") else "", "," if language is Language.GERMAN else "."
    return f"{sign}{number(abs(int(whole)), language)}{point}{rest}"

"""What a check says."""

from dataclasses import dataclass
from typing import Literal

Weight = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing. `wrong` keeps a service from working or loses data; `note` is worth knowing."""

    weight: Weight
    about: str
    sentence: str


def ok(about: str, sentence: str) -> Finding:
    """All is well."""
    return Finding("ok", about, sentence)


def note(about: str, sentence: str) -> Finding:
    """It works, but the operator should know."""
    return Finding("note", about, sentence)


def wrong(about: str, sentence: str) -> Finding:
    """It does not work, or loses data; the sentence ends with the mend."""
    return Finding("wrong", about, sentence)

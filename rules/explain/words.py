"""What an explanation is made of: statements with their figures, and changes that are foreseen."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from rules.memory import FOREVER_US, NEVER_US
from telemetry.clock import MINUTE_US, SECOND_US, to_datetime, to_rfc3339


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that holds: a sentence, and the figures behind it by name; times in these are RFC 3339."""

    name: str
    sentence: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What will be otherwise from a moment on, unless something is said meanwhile."""

    at_us: int
    sentence: str


@dataclass(slots=True)
class Explanation:
    """Everything there is to say of one asset or zone at a moment."""

    name: str
    kind: str
    at_us: int
    timezone: ZoneInfo
    statements: list[Statement] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def say(self, name: str, sentence: str, **figures: Any) -> None:
        """Add a statement; figures that are `None` are left out."""
        self.statements.append(
            Statement(name, sentence, {key: each for key, each in figures.items() if each is not None})
        )

    def foresee(self, at_us: int, sentence: str) -> None:
        """Add a change, if it lies ahead."""
        if self.at_us < at_us < FOREVER_US:
            self.changes.append(Change(at_us, sentence))

    def clock(self, at_us: int) -> str:
        """A moment as people of the town say it; the day where it is another."""
        local = to_datetime(at_us).astimezone(self.timezone)
        today = to_datetime(self.at_us).astimezone(self.timezone).date()
        form = "%H:%M:%S" if abs(at_us - self.at_us) < 10 * MINUTE_US else "%H:%M"
        return f"{local:{form if local.date() == today else '%Y-%m-%d ' + form}}"


def moment(at_us: int) -> str | None:
    """RFC 3339, `None` for never and for ever."""
    return None if at_us in (NEVER_US, FOREVER_US) else to_rfc3339(at_us)


def lasting(us: int) -> str:
    """A duration as people say it."""
    seconds = round(us / SECOND_US)
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"

"""What a step of the rules is given: observations, acknowledgements, overrides, and the moment."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from rules.memory import FOREVER_US, NEVER_US
from rules.radio import Radios
from telemetry.columns import Columns
from telemetry.commands import Settings


@dataclass(frozen=True, slots=True)
class Acked:
    """A device's answer to a command; `message` is its place among the uplinks of the batch.

    What was measured by `given_us` was measured before the answer; the settled moment at the latest, a moment before
    the answer was received.
    """

    message: int
    device: str
    id: str
    ok: bool
    error: str | None = None
    given_us: int = FOREVER_US


@dataclass(frozen=True, slots=True)
class Override:
    """A command that a person wrote down; it is sent unless a guard forbids it."""

    id: str
    asset_id: int
    settings: Settings
    expires_us: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A person took an override back."""

    id: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """One batch; `columns` are observations by kind in order of arrival.

    `radios` are all radio gateways as they are; `None`: they are not known yet, and nothing changes about them.
    `unsent` are commands that the broker has not taken since they were to go out; of those that it has taken since the
    last step, `left_us` says when. What neither names went out when that was decided.
    """

    columns: Mapping[str, Columns] = field(default_factory=dict)
    acks: Sequence[Acked] = ()
    overrides: Sequence[Override] = ()
    ended: Sequence[Ended] = ()
    radios: Radios | None = None
    unsent: Set[str] = frozenset()
    left_us: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """The present by the city clock.

    Up to `settled_us` everything that was said is taken to have been heard: timers that need silence run out only
    there. `listening_us` is since when anything could be heard at all, `NEVER_US` for ever since.
    """

    now_us: int
    settled_us: int
    listening_us: int = NEVER_US

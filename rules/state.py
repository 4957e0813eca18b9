"""All that the rules remember, and how it follows a registry that changes."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from rules.book import Book
from rules.city import BAYS, DRAINS, LAMPS, City
from rules.following import Following
from rules.leases import Lease
from rules.memory import NEVER_US, Memory, Rows, Times
from rules.occupancy import Moves, Occupancy
from rules.silence import Presence
from rules.timing import Latch
from telemetry.registry import Registry


@dataclass(slots=True)
class State:
    """Columns of each rule, one row an asset of its kind, in the order of `asset_id`.

    `now_us` and `settled_us` are the latest moments of a step. `said_us` is when each zone last spoke, by name.
    """

    registry: Registry
    asset_id: dict[str, NDArray[np.int32]]
    presence: dict[str, Presence]
    high: Latch
    overflow: Latch
    level_m: NDArray[np.float64]
    occupancy: Occupancy
    moves: Moves
    lease: Lease
    following: Following
    book: Book = field(default_factory=Book)
    said_us: dict[str, int] = field(default_factory=dict)
    now_us: int = NEVER_US
    settled_us: int = NEVER_US

    def copy(self) -> "State":
        """An independent copy."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return State(
            **values
            | {
                "presence": {kind: each.copy() for kind, each in self.presence.items()},
                "high": self.high.copy(),
                "overflow": self.overflow.copy(),
                "level_m": self.level_m.copy(),
                "occupancy": self.occupancy.copy(),
                "lease": self.lease.copy(),
                "following": self.following.copy(),
                "book": self.book.copy(),
                "said_us": dict(self.said_us),
            }
        )

    def heard_us(self, kind: str) -> Times:
        """The last sign of life of each asset of a kind."""
        return self.presence[kind].heard_us

    def memories(self) -> list[tuple[str, str, Memory]]:
        """Every rule's memory but the presences': (rule, kind, memory)."""
        return [
            ("drain_high", DRAINS, self.high),
            ("drain_overflow", DRAINS, self.overflow),
            ("occupancy", BAYS, self.occupancy),
            ("lease", LAMPS, self.lease),
            ("following", LAMPS, self.following),
        ]


def blank(city: City) -> State:
    """The state of a city of which nothing has been heard."""
    sizes = {kind: len(roll) for kind, roll in city.rolls.items()}
    return State(
        city.registry,
        {kind: roll.asset_id for kind, roll in city.rolls.items()},
        {kind: Presence.blank(size) for kind, size in sizes.items()},
        Latch.blank(sizes[DRAINS]),
        Latch.blank(sizes[DRAINS]),
        np.full(sizes[DRAINS], np.nan),
        Occupancy.blank(sizes[BAYS]),
        Moves.none(),
        Lease.blank(sizes[LAMPS]),
        Following.blank(sizes[LAMPS]),
    )


def aligned(state: State, city: City) -> State:
    """The state in the rows of a city's rolls: assets that came are blank, assets that went are left out."""
    taken: dict[str, Rows] = {}
    for kind, roll in city.rolls.items():
        old = state.asset_id.get(kind, np.empty(0, np.int32))
        taken[kind] = _places(old, roll.asset_id)
    presence = {
        kind: state.presence[kind].taken(taken[kind]) if kind in state.presence else Presence.blank(len(roll))
        for kind, roll in city.rolls.items()
    }
    drains = taken[DRAINS]
    level = np.full(len(drains), np.nan)
    level[drains >= 0] = state.level_m[drains[drains >= 0]]
    moved = city.rolls[BAYS].rows(state.asset_id[BAYS][state.moves.row])
    moves = Moves(moved, state.moves.at_us, state.moves.state).take(moved >= 0)
    return State(
        city.registry,
        {kind: roll.asset_id for kind, roll in city.rolls.items()},
        presence,
        state.high.taken(drains),
        state.overflow.taken(drains),
        level,
        state.occupancy.taken(taken[BAYS]),
        moves,
        state.lease.taken(taken[LAMPS]),
        state.following.taken(taken[LAMPS]),
        state.book.copy(),
        dict(state.said_us),
        state.now_us,
        state.settled_us,
    )


def refresh(state: State, city: City, registry: Registry) -> None:
    """Have the zones speak at once that another version of the registry described otherwise."""
    state.said_us |= dict.fromkeys(state.said_us.keys() & city.zones_changed_since(registry), NEVER_US)


def _places(old: NDArray[np.int32], new: NDArray[np.int32]) -> Rows:
    """Where each of `new` stands in `old`, −1 where it does not; both sorted."""
    if not len(old):
        return np.full(len(new), -1, np.intp)
    place = np.minimum(np.searchsorted(old, new), len(old) - 1)
    return np.where(old[place] == new, place, -1)

"""All that the rules remember, and how it follows a registry that changes."""

from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from rules.book import Book
from rules.boost import Boost
from rules.cabinets import Folded
from rules.city import BAYS, DRAINS, LAMPS, City
from rules.drains.belief import Belief
from rules.drains.blockage import Usual
from rules.drains.outlook import Outlook as DrainOutlook
from rules.drains.rain import Rain
from rules.drains.sampling import Sampling
from rules.drains.water import Water
from rules.following import Following
from rules.forecast import Outlook
from rules.lamp_faults import Cycling
from rules.leases import Lease
from rules.memory import NEVER_US, Bools, Memory, Rows, Times
from rules.occupancy import Moves, Occupancy
from rules.photocell import Photocell
from rules.radio import Radios
from rules.rhythm import Rhythm
from rules.silence import Presence
from rules.stuck import Stuck
from rules.tally import Tally
from rules.timing import Latch
from telemetry.availability import Status
from telemetry.outlook import RULE as DRAIN_OUTLOOK
from telemetry.registry import Registry
from telemetry.thresholds import Thresholds

KIND, RULE = "kind", "rule"
RHYTHM = "rhythm"
"""The rule that every kind has: `latest` and `report_interval` read its rows of `rule_state`."""

_BY_KIND = ("presence", "rhythm")
"""The memories that every kind has."""


def of(kind: str, rule: str) -> dict[str, str]:
    """Marks a field that holds what one rule remembers of the assets of a kind, kept under the rule's name."""
    return {KIND: kind, RULE: rule}


@dataclass(slots=True, kw_only=True)
class State:
    """Columns of each rule, one row an asset of its kind, in the order of `asset_id`.

    `thresholds` are the figures by which all this came about. `now_us` and `settled_us` are the latest moments of a
    step. By name of the zone, `said_us` is when each last spoke, `status` what it said of itself, and `outlooks` what
    is known of its coming and going. A rule that remembers more gets a field marked by `of`; it is then copied, kept,
    restored and aligned like the others. `radios` are the radio gateways that the presences know of; `outages` those
    whose alarm stands, with its cause. `strange` are the lamps whose device was not told of their lease, `None` while
    nobody has compared them.
    """

    registry: Registry
    thresholds: Thresholds
    asset_id: dict[str, NDArray[np.int32]]
    presence: dict[str, Presence]
    rhythm: dict[str, Rhythm]
    pre_alarm: Latch = field(metadata=of(DRAINS, "drain_pre_alarm"))
    high: Latch = field(metadata=of(DRAINS, "drain_high"))
    overflow: Latch = field(metadata=of(DRAINS, "drain_overflow"))
    rising: Latch = field(metadata=of(DRAINS, "drain_rising_fast"))
    blockage: Latch = field(metadata=of(DRAINS, "drain_blockage"))
    water: Water = field(metadata=of(DRAINS, "drain_water"))
    drain_outlook: DrainOutlook = field(metadata=of(DRAINS, DRAIN_OUTLOOK))
    belief: Belief = field(metadata=of(DRAINS, "sensor_fault"))
    rain: Rain = field(metadata=of(DRAINS, "rain"))
    usual: Usual = field(metadata=of(DRAINS, "drain_usual"))
    sampling: Sampling = field(metadata=of(DRAINS, "drain_sampling"))
    drain_battery: Latch = field(metadata=of(DRAINS, "battery_low"))
    bay_battery: Latch = field(metadata=of(BAYS, "battery_low"))
    occupancy: Occupancy = field(metadata=of(BAYS, "occupancy"))
    stuck: Stuck = field(metadata=of(BAYS, "stuck"))
    moves: Moves
    lease: Lease = field(metadata=of(LAMPS, "lease"))
    following: Following = field(metadata=of(LAMPS, "following"))
    photocell: Photocell = field(metadata=of(LAMPS, "photocell"))
    boost: Boost = field(metadata=of(LAMPS, "boost"))
    dead: Tally = field(metadata=of(LAMPS, "lamp_fault"))
    by_day: Latch = field(metadata=of(LAMPS, "lamp_unexpectedly_on"))
    cycling: Cycling = field(metadata=of(LAMPS, "lamp_cycling"))
    supply: Latch = field(metadata=of(LAMPS, "supply_loss"))
    folded: Folded = field(metadata=of(LAMPS, "folded"))
    radios: Radios | None = None
    outages: dict[str, int] = field(default_factory=dict)
    book: Book = field(default_factory=Book)
    strange: Bools | None = None
    said_us: dict[str, int] = field(default_factory=dict)
    status: dict[str, Status] = field(default_factory=dict)
    outlooks: dict[str, Outlook] = field(default_factory=dict)
    now_us: int = NEVER_US
    settled_us: int = NEVER_US
    round_us: int = NEVER_US
    """When all assets were looked at last."""

    def copy(self) -> "State":
        """An independent copy."""
        by_kind = {name: {kind: each.copy() for kind, each in getattr(self, name).items()} for name in _BY_KIND}
        return self._with(by_kind | {name: getattr(self, name).copy() for name, _, _ in _remembered()})

    def made_of(self, equal: "State") -> "State":
        """An independent copy, for which the memories of a state are taken that are equal to this one's."""
        return self._with({name: getattr(equal, name) for name in (*_BY_KIND, *[each for each, _, _ in _remembered()])})

    def _with(self, memories: dict[str, Any]) -> "State":
        """A copy of all but the memories."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        own = {
            "book": self.book.copy(),
            "strange": None if self.strange is None else self.strange.copy(),
            "outages": dict(self.outages),
            "said_us": dict(self.said_us),
            "status": dict(self.status),
            "outlooks": dict(self.outlooks),
        }
        return State(**values | own | memories)

    def heard_us(self, kind: str) -> Times:
        """The last sign of life of each asset of a kind."""
        return self.presence[kind].heard_us

    def memories(self) -> list[tuple[str, str, Memory]]:
        """Every rule's memory but the presences': (rule, kind, memory)."""
        own = [(each.metadata[RULE], each.metadata[KIND], getattr(self, name)) for name, each, _ in _remembered()]
        return own + [(RHYTHM, kind, each) for kind, each in self.rhythm.items()]


@cache
def _remembered() -> tuple[tuple[str, Field[Any], type[Memory]], ...]:
    """The fields of a state marked by `of`: name, field, type of memory."""
    types = get_type_hints(State)
    return tuple((each.name, each, types[each.name]) for each in fields(State) if RULE in each.metadata)


def blank(city: City) -> State:
    """The state of a city of which nothing has been heard."""
    sizes = {kind: len(roll) for kind, roll in city.rolls.items()}
    memories: dict[str, Any] = {name: memory.blank(sizes[each.metadata[KIND]]) for name, each, memory in _remembered()}
    return State(
        registry=city.registry,
        thresholds=city.thresholds,
        asset_id={kind: roll.asset_id for kind, roll in city.rolls.items()},
        presence={kind: Presence.blank(size) for kind, size in sizes.items()},
        rhythm={kind: Rhythm.blank(size) for kind, size in sizes.items()},
        moves=Moves.none(),
        **memories,
    )


def aligned(state: State, city: City) -> State:
    """The state in the rows of a city's rolls: assets that came are blank, assets that went are left out.

    Devices may be others, so every open command is looked at again.
    """
    taken: dict[str, Rows] = {}
    for kind, roll in city.rolls.items():
        old = state.asset_id.get(kind, np.empty(0, np.int32))
        taken[kind] = _places(old, roll.asset_id)
    presence = {
        kind: state.presence[kind].taken(taken[kind]) if kind in state.presence else Presence.blank(len(roll))
        for kind, roll in city.rolls.items()
    }
    rhythm = {
        kind: state.rhythm[kind].taken(taken[kind]) if kind in state.rhythm else Rhythm.blank(len(roll))
        for kind, roll in city.rolls.items()
    }
    moved = city.rolls[BAYS].rows(state.asset_id[BAYS][state.moves.row])
    memories: dict[str, Any] = {
        name: getattr(state, name).taken(taken[each.metadata[KIND]]) for name, each, _ in _remembered()
    }
    book = state.book.copy()
    book.dates.look_anew()
    return State(
        registry=city.registry,
        thresholds=state.thresholds,
        asset_id={kind: roll.asset_id for kind, roll in city.rolls.items()},
        presence=presence,
        rhythm=rhythm,
        moves=Moves(moved, state.moves.at_us, state.moves.state).take(moved >= 0),
        outages=dict(state.outages),
        book=book,
        said_us=dict(state.said_us),
        status=dict(state.status),
        outlooks=dict(state.outlooks),
        now_us=state.now_us,
        settled_us=state.settled_us,
        **memories,
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

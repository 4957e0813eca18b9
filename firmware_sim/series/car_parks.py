"""Car park counts as Birmingham publishes them: the cars in each car park become bays that are taken or free.

Header: `SystemCodeNumber,Capacity,Occupancy,Timestamp` (the original calls the last one `LastUpdated`), local time of
Europe/London. A car park is a zone with as many bays as its capacity; an occupancy is clamped to 0 … capacity.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware_sim.city import BAY, COLUMNS, Row
from firmware_sim.series.lines import Line, header_of, lines_of, unknown_column
from firmware_sim.series.recording import BadRecording, Reading, Recording
from telemetry import topics
from telemetry.clock import SECOND_US

TIMEZONE = ZoneInfo("Europe/London")
REPORT_EVERY_S = 86_400
"""Above the gap of a night (16 h 28 min), so that no bay falls silent while its car park is closed."""
BAYS_MAX = 100_000
"""A larger capacity is taken for an error of the file."""

_CODE, _CAPACITY, _OCCUPANCY = "SystemCodeNumber", "Capacity", "Occupancy"
_MOMENTS = ("Timestamp", "LastUpdated")


@dataclass(frozen=True, slots=True)
class _Count:
    """`taken` bays at a time; `next_us` is when the same car park is counted again, `None` after its last count."""

    moment_us: int
    zone: str
    taken: int
    next_us: int | None


@dataclass(frozen=True, slots=True)
class _Park:
    zone: str
    name: str
    capacity: int


def is_mine(header: tuple[str, ...]) -> bool:
    """Whether the header is of this format."""
    return _CODE in header


def open_recording(path: Path) -> Recording:
    """Read the counts, which are few, into memory: the file goes by car park and the replay by time.

    Raises:
        BadRecording: something in it is no count of a car park.
    """
    moment = _check_header(path, header_of(path))
    by_park: dict[str, dict[int, int]] = {}
    capacities: dict[str, int] = {}
    lines = 0
    for line in lines_of(path):
        lines += 1
        code, capacity = line.cells[_CODE], _capacity(line)
        capacities[code] = max(capacities.get(code, 0), capacity)
        taken = min(max(line.whole_in(_OCCUPANCY), 0), capacity)
        by_park.setdefault(code, {})[line.moment_us(moment, TIMEZONE)] = taken
    if not lines:
        raise BadRecording(f"{path.name} holds no observations.")
    parks = _parks(path, capacities)
    counts = _in_time_order(by_park, parks)
    registry = tuple(row for park in parks.values() for row in _rows(park))
    capacity_of = {park.zone: park.capacity for park in parks.values()}
    return Recording(registry, counts[0].moment_us, counts[-1].moment_us, lines, lambda: _readings(counts, capacity_of))


def _check_header(path: Path, header: tuple[str, ...]) -> str:
    """The name of the column of times."""
    for name in header:
        if name not in (_CODE, _CAPACITY, _OCCUPANCY, *_MOMENTS):
            raise unknown_column(path, name, f"car park counts have {_CODE}, {_CAPACITY}, {_OCCUPANCY}, {_MOMENTS[0]}")
    for name in (_CAPACITY, _OCCUPANCY):
        if name not in header:
            raise BadRecording(f"{path.name} line 1: there is no column {name}.")
    moments = [name for name in _MOMENTS if name in header]
    if len(moments) != 1:
        raise BadRecording(f"{path.name} line 1: there must be one column {' or '.join(_MOMENTS)}.")
    return moments[0]


def _capacity(line: Line) -> int:
    if not line.cells[_CODE]:
        line.wrong(f"{_CODE} is empty")
    capacity = line.whole_in(_CAPACITY)
    if not 0 < capacity <= BAYS_MAX:
        line.wrong(f"{_CAPACITY} {capacity} is not between 1 and {BAYS_MAX}")
    return capacity


def _parks(path: Path, capacities: dict[str, int]) -> dict[str, _Park]:
    parks = {code: _Park(_zone(code), code, capacity) for code, capacity in capacities.items()}
    by_zone: dict[str, str] = {}
    for code, park in parks.items():
        if by_zone.setdefault(park.zone, code) != code:
            raise BadRecording(f"{path.name}: the car parks {by_zone[park.zone]} and {code} would be the same zone.")
    return parks


def _zone(code: str) -> str:
    """The car park's code in the letters that a zone's name may hold."""
    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "-" for letter in code)
    if not topics.valid_zone(name) or len(name) > 58:
        name = f"p{name}"[:58]
    return name


def _bay(zone: str, nth: int) -> str:
    return f"{zone}-{nth + 1:04d}"


def _rows(park: _Park) -> Iterator[Row]:
    empty = dict.fromkeys(COLUMNS, "")
    yield empty | {"asset": park.zone, "kind": "zone", "name": park.name}
    for nth in range(park.capacity):
        bay = _bay(park.zone, nth)
        name = f"{park.name}, bay {nth + 1}"
        row = {"asset": bay, "kind": BAY, "name": name, "zone": park.zone, "device": bay}
        yield empty | row | {"report_every_s": str(REPORT_EVERY_S)}


def _in_time_order(by_park: dict[str, dict[int, int]], parks: dict[str, _Park]) -> list[_Count]:
    """All counts by time; of two for one car park at the same time the later line holds."""
    counts = []
    for code, taken_at in by_park.items():
        moments = sorted(taken_at)
        for nth, moment_us in enumerate(moments):
            next_us = moments[nth + 1] if nth + 1 < len(moments) else None
            counts.append(_Count(moment_us, parks[code].zone, taken_at[moment_us], next_us))
    return sorted(counts, key=lambda count: count.moment_us)


def _readings(counts: list[_Count], capacity_of: dict[str, int]) -> Iterator[Reading]:
    bays = {zone: _Bays(zone, capacity) for zone, capacity in capacity_of.items()}
    for count in counts:
        for device, occupied in bays[count.zone].at(count):
            yield count.moment_us, BAY, device, {"occupied": occupied}


class _Bays:
    """The bays of one car park. The car that came first goes first, and the bay free for longest is taken first:
    a count does not say which bays changed, and so none seems stuck.
    """

    def __init__(self, zone: str, capacity: int) -> None:
        self._names = [_bay(zone, nth) for nth in range(capacity)]
        self._free = deque(range(capacity))
        self._taken: deque[int] = deque()
        self._occupied = [False] * capacity
        self._heard: OrderedDict[int, int] = OrderedDict()
        """When each bay last spoke, the longest silent first."""

    def at(self, count: _Count) -> Iterator[tuple[str, bool]]:
        """The words of the bays at a count: all at the first, then those that changed and those whose time is due."""
        first = not self._heard
        for nth in self._change(count.taken):
            if not first:
                yield self._speak(nth, count.moment_us)
        if first:
            for nth in range(len(self._names)):
                yield self._speak(nth, count.moment_us)
        elif count.next_us is not None:
            yield from self._heartbeats(count.moment_us, count.next_us - REPORT_EVERY_S * SECOND_US)

    def _change(self, taken: int) -> list[int]:
        """Let cars come or go until so many stand there; the bays that changed."""
        changed = []
        while len(self._taken) != taken:
            come = len(self._taken) < taken
            source, target = (self._free, self._taken) if come else (self._taken, self._free)
            nth = source.popleft()
            target.append(nth)
            self._occupied[nth] = come
            changed.append(nth)
        return changed

    def _heartbeats(self, moment_us: int, since_us: int) -> Iterator[tuple[str, bool]]:
        """Bays that would be silent for longer than their interval if they waited for the next count."""
        while True:
            nth, heard_us = next(iter(self._heard.items()))
            if heard_us >= since_us or heard_us == moment_us:
                return
            yield self._speak(nth, moment_us)

    def _speak(self, nth: int, moment_us: int) -> tuple[str, bool]:
        self._heard[nth] = moment_us
        self._heard.move_to_end(nth)
        return self._names[nth], self._occupied[nth]

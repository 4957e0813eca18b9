"""A parking zone's availability as everybody sees it (contract §3).

Rules produce it, the broker retains it, the API serves it.
"""

from typing import Literal

import msgspec

Trend = Literal["filling", "steady", "emptying"]
Status = Literal["open", "almost_full", "full", "closed"]
FORECAST_RANGE_PCT = 80
"""How often what comes lies within a forecast's range."""


class Bays(msgspec.Struct, frozen=True):
    """Counts of bays; `0 ≤ free_min ≤ free ≤ free_max ≤ capacity` and `capacity = free + occupied + unknown`.

    All of them leave out the `closed` ones.
    """

    capacity: int
    free: int
    free_min: int
    free_max: int
    occupied: int
    unknown: int
    closed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.free_min <= self.free <= self.free_max <= self.capacity:
            raise ValueError(f"counts contradict each other: {self}")
        if self.capacity != self.free + self.occupied + self.unknown:
            raise ValueError(f"bays do not add up to the capacity: {self}")


class Expectation(msgspec.Struct, frozen=True):
    """Free bays expected in `minutes`, at the moment `at`, within a range that holds `FORECAST_RANGE_PCT` of 100 times.

    `error` is the mean absolute error, in bays, of the zone's forecasts so far ahead. While `learning`, neither is
    known: the range is the whole capacity, and `error` the most that the forecast can be wrong.
    """

    minutes: int
    at: str
    free: int
    free_low: int
    free_high: int
    error: float
    learning: bool = False


class ZoneAvailability(msgspec.Struct, frozen=True, kw_only=True):
    """One zone. `capacity` and the counts beside it leave out closed and reserved bays; `closed` counts both.

    `verified_at` is the oldest last sign of life among bays counted free or occupied, `None` where there is none;
    `updated_at` is the moment for which the counts hold. `forecast` is empty while too little is known.
    `registry_changed_at` is since when the registry says of the zone and its bays what it says, `None` in the word of
    an earlier release.
    """

    zone: str
    name: str
    lat: float | None
    lon: float | None
    capacity: int
    free: int
    free_min: int
    free_max: int
    occupied: int
    unknown: int
    closed: int
    restricted: dict[str, Bays]
    trend: Trend
    verified_at: str | None
    stale: bool
    updated_at: str
    status: Status = "open"
    forecast: tuple[Expectation, ...] = ()
    registry_changed_at: str | None = None


encode = msgspec.json.Encoder().encode
"""JSON bytes of a `ZoneAvailability`."""
decode = msgspec.json.Decoder(ZoneAvailability).decode
"""A `ZoneAvailability` from JSON bytes; raises `msgspec.DecodeError`."""

"""The city clock as a value: city time may start elsewhere and run faster than real time, for demos and replays.

Times are integer microseconds since 1970 UTC (`_us`). Nothing here reads a clock; the roof binds `CityClock.at` to the
machine's clock and hands the result out as `Now`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

Now = Callable[[], int]
"""Returns the city's present moment in microseconds since 1970 UTC."""

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CityClock:
    """City time was `start_us` when real time was `anchor_us`, and runs `speed` times as fast."""

    start_us: int = 0
    anchor_us: int = 0
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError("the city clock's speed must be above 0")

    def at(self, real_us: int) -> int:
        """City time at a real time."""
        return self.start_us + int((real_us - self.anchor_us) * self.speed)

    def real(self, city_us: int) -> int:
        """The real time at a city time."""
        return self.anchor_us + int((city_us - self.start_us) / self.speed)

    @property
    def is_real(self) -> bool:
        """Whether city time and real time are the same."""
        return self.speed == 1 and self.start_us == self.anchor_us


def to_us(moment: dt.datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(us: int) -> dt.datetime:
    """The UTC datetime of microseconds since 1970."""
    return _EPOCH + dt.timedelta(microseconds=us)


def to_rfc3339(us: int) -> str:
    """RFC 3339 in UTC with `Z`, to the microsecond where needed."""
    return to_datetime(us).isoformat().replace("+00:00", "Z")

"""How much one address may ask of the public part: requests by token bucket, and live streams by count.

Time is real and monotonic; it is an argument, never read here.
"""

from collections import OrderedDict
from dataclasses import dataclass

ADDRESSES_MAX = 50_000
"""Addresses remembered; beyond it the one not seen for longest is forgotten, which can only favour it."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class Buckets:
    """One token bucket an address: `per_s` requests a second in the long run, `burst` at once."""

    def __init__(self, per_s: float, burst: int) -> None:
        if not (per_s > 0 and burst >= 1):
            raise ValueError("a rate limit needs a rate above 0 and a burst of at least 1")
        self.per_s = per_s
        self.burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, address: str, now_s: float) -> float:
        """Take one token; 0 if there was one, else the seconds until there will be."""
        bucket = self._bucket(address, now_s)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self.per_s

    def empty_for(self, address: str, now_s: float) -> float:
        """As `take`, without taking."""
        bucket = self._bucket(address, now_s)
        return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / self.per_s

    def _bucket(self, address: str, now_s: float) -> _Bucket:
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = _Bucket(float(self.burst), now_s)
            if len(self._buckets) > ADDRESSES_MAX:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(address)
        bucket.tokens = min(self.burst, bucket.tokens + max(0.0, now_s - bucket.at_s) * self.per_s)
        bucket.at_s = now_s
        return bucket


class Streams:
    """Live streams under way: at most `each` an address and `total` altogether."""

    def __init__(self, each: int, total: int) -> None:
        self.each = each
        self.total = total
        self._open: dict[str, int] = {}

    @property
    def open(self) -> int:
        """Streams under way from everywhere."""
        return sum(self._open.values())

    def enter(self, address: str) -> bool:
        """Count one more stream in; False, and nothing counted, where there are enough."""
        if self._open.get(address, 0) >= self.each or self.open >= self.total:
            return False
        self._open[address] = self._open.get(address, 0) + 1
        return True

    def leave(self, address: str) -> None:
        """Count a stream out that was let in."""
        left = self._open[address] - 1
        if left:
            self._open[address] = left
        else:
            del self._open[address]

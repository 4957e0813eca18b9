"""Seeded chance without hidden state: the n-th draw of a name is always the same, whoever else draws.

A generator that hands out one number after another would make a device's life depend on how many others live beside it.
Source of the mixing function: splitmix64 (Steele, Lea, Flood 2014).
"""

import hashlib
import math
from dataclasses import dataclass

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_TO_UNIT = 2.0**-53


def _mix(value: int) -> int:
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
    return value ^ value >> 31


@dataclass(frozen=True, slots=True)
class Chance:
    """A source of draws; each draw has a number `n`, and the same number gives the same draw."""

    key: int

    @classmethod
    def seeded(cls, *words: str | int) -> "Chance":
        """The source that belongs to these words."""
        text = "|".join(map(str, words)).encode()
        return cls(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big"))

    def of(self, *words: str | int) -> "Chance":
        """A source of its own for one purpose."""
        return Chance.seeded(self.key, *words)

    def unit(self, n: int = 0) -> float:
        """Evenly from [0, 1)."""
        return (_mix(self.key ^ _mix(n & _MASK)) >> 11) * _TO_UNIT

    def between(self, low: float, high: float, n: int = 0) -> float:
        """Evenly from [low, high)."""
        return low + (high - low) * self.unit(n)

    def whole(self, count: int, n: int = 0) -> int:
        """One of 0 … count − 1."""
        return int(self.unit(n) * count)

    def happens(self, probability: float, n: int = 0) -> bool:
        """Whether something of this probability (0–1) happens."""
        return self.unit(n) < probability

    def exponential(self, mean: float, n: int = 0) -> float:
        """A waiting time of this mean."""
        return -mean * math.log(1.0 - self.unit(n))

    def normal(self, mean: float, deviation: float, n: int = 0) -> float:
        """From the normal distribution (Box–Muller on two draws)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.unit(2 * n)))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.unit(2 * n + 1))

    def lognormal(self, median: float, sigma: float, n: int = 0) -> float:
        """From the log-normal distribution of this median."""
        return median * math.exp(self.normal(0.0, sigma, n))

    def poisson(self, mean: float, n: int = 0) -> int:
        """A count of independent events of this mean; above 30 the nearest normal stands in."""
        if mean > 30:
            return max(0, round(self.normal(mean, math.sqrt(mean), n)))
        threshold, chance, cumulated, count = self.unit(n), math.exp(-mean), math.exp(-mean), 0
        while cumulated < threshold and count < 1_000:
            count += 1
            chance *= mean / count
            cumulated += chance
        return count

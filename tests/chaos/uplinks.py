"""What the devices say, drawn from a seed, each with the fate that its observations have to find.

Good readings of all kinds, and between them whatever a town's radio brings: backfill, repeats, devices without a clock
or with a wrong one, retained telemetry, and poison for each reason of the contract.
"""

import hashlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from telemetry import topics
from telemetry.limits import ARRAY_OBSERVATIONS_MAX, PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX
from telemetry.refusals import Reason
from tests.parts.resender import Uplink

LAMPS = [f"lamp-{number}" for number in range(30)]
DRAINS = [f"drain-{number}" for number in range(10)]
BAYS = [f"bay-{number}" for number in range(10)]
STRANGERS = [f"stranger-{number}" for number in range(5)]
"""Devices that nobody registers, or only later."""
KIND_OF = (
    dict.fromkeys(LAMPS, "streetlight") | dict.fromkeys(DRAINS, "drain_level") | dict.fromkeys(BAYS, "parking_bay")
)
DEVICES = list(KIND_OF)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Timed:
    """A row of this device and moment, exactly one."""

    device: str
    ts_ms: int


@dataclass(frozen=True)
class Numbered:
    """A row of this device and `seq`, without a time of its own: exactly one."""

    device: str
    seq: int


@dataclass(frozen=True)
class Marked:
    """A row with neither, which the counter of energy tells apart: at least one."""

    device: str
    energy_kwh: int


@dataclass(frozen=True)
class Refused:
    """A row of the quarantine, exactly one."""

    topic: str
    digest: str
    element: int
    reason: Reason


Fate = Timed | Numbered | Marked | Refused


@dataclass(frozen=True)
class Mix:
    """How many of a hundred uplinks are something else than a good new reading."""

    repeat_pct: float = 2.0
    conflicting_pct: float = 0.5
    late_pct: float = 3.0
    array_pct: float = 0.3
    numbered_pct: float = 3.0
    bare_pct: float = 1.0
    skewed_pct: float = 2.0
    ahead_pct: float = 0.5
    retained_pct: float = 1.0
    poison_pct: float = 2.0
    bomb_pct: float = 0.05
    stranger_pct: float = 0.5


class Source:
    """Uplinks without end. `strangers_come`: strangers are registered later, so that theirs become rows in the end."""

    def __init__(self, chance: random.Random, mix: Mix, strangers_come: bool = False) -> None:
        self._chance, self._strangers_come = chance, strangers_come
        self._number = 0
        self._now_ms = time.time_ns() // 1_000_000
        self._recent: list[Uplink] = []
        makers = {
            self._repeat: mix.repeat_pct,
            self._conflicting: mix.conflicting_pct,
            self._late: mix.late_pct,
            self._array: mix.array_pct,
            self._numbered: mix.numbered_pct,
            self._bare: mix.bare_pct,
            self._skewed: mix.skewed_pct,
            self._ahead: mix.ahead_pct,
            self._retained: mix.retained_pct,
            self._poison: mix.poison_pct,
            self._bomb: mix.bomb_pct,
            self._stranger: mix.stranger_pct,
        }
        self._makers = [*makers, self._good]
        self._weights = [*makers.values(), max(0.0, 100 - sum(makers.values()))]

    def __iter__(self) -> Iterator[Uplink]:
        while True:
            (make,) = self._chance.choices(self._makers, self._weights)
            self._number += 1
            yield make()

    def _good(self) -> Uplink:
        return self._timed(self._chance.choice(DEVICES), self._now_ms - HOUR_MS + self._number)

    def _timed(self, device: str, ts_ms: int, retain: bool = False) -> Uplink:
        payload = reading(device, self._number, ts=ts_ms)
        uplink = Uplink(topic_of(device), payload, (Timed(device, ts_ms),), retain)
        self._recent = [*self._recent[-50:], uplink]
        return uplink

    def _repeat(self) -> Uplink:
        return self._chance.choice(self._recent or [self._good()])

    def _conflicting(self) -> Uplink:
        """Another reading of the same moment: the first one stays."""
        first = self._repeat()
        (fate,) = first.fates
        assert isinstance(fate, Timed)
        return Uplink(first.topic, reading(fate.device, self._number, ts=fate.ts_ms), first.fates)

    def _late(self) -> Uplink:
        return self._timed(self._chance.choice(DEVICES), self._now_ms - DAY_MS + self._number)

    def _retained(self) -> Uplink:
        return self._timed(self._chance.choice(DEVICES), self._now_ms - HOUR_MS + self._number, retain=True)

    def _skewed(self) -> Uplink:
        """From a clock that goes four minutes fast, which is borne, or is a month or a year behind."""
        skews_ms = {"lamp-0": 240_000, "lamp-1": -31 * DAY_MS, "lamp-2": -400 * DAY_MS}
        device, skew_ms = self._chance.choice(list(skews_ms.items()))
        return self._timed(device, self._now_ms + skew_ms + self._number)

    def _array(self) -> Uplink:
        """A backfill of 500, over two days and all of it late, with one in a hundred refused."""
        device = self._chance.choice(DEVICES)
        topic = topic_of(device)
        texts: list[bytes] = []
        fates: list[Fate] = []
        for element in range(ARRAY_OBSERVATIONS_MAX):
            ts_ms = self._now_ms - 3 * DAY_MS + self._number * 7 + element * 345_601
            if self._chance.random() < 0.01:
                texts.append(reading(device, self._number, ts=ts_ms, temp_c=999))
                fates.append(refused(topic, texts[-1], Reason.OUT_OF_RANGE, element))
            else:
                texts.append(reading(device, self._number, ts=ts_ms))
                fates.append(Timed(device, ts_ms))
        return Uplink(topic, b"[" + b", ".join(texts) + b"]", tuple(fates))

    def _numbered(self) -> Uplink:
        device = self._chance.choice(LAMPS)
        return Uplink(
            topic_of(device),
            reading(device, self._number, seq=self._number),
            (Numbered(device, self._number),),
            self._chance.random() < 0.1,
        )

    def _bare(self) -> Uplink:
        device = self._chance.choice(LAMPS)
        return Uplink(topic_of(device), reading(device, self._number), (Marked(device, self._number),))

    def _ahead(self) -> Uplink:
        """From a clock that goes a day fast."""
        device = self._chance.choice(DEVICES)
        payload = reading(device, self._number, ts=self._now_ms + DAY_MS + self._number)
        topic = topic_of(device)
        return Uplink(topic, payload, (refused(topic, payload, Reason.FUTURE_TIMESTAMP),))

    def _stranger(self) -> Uplink:
        device, ts_ms = self._chance.choice(STRANGERS), self._now_ms - HOUR_MS + self._number
        topic = topics.telemetry("streetlight", device)
        payload = reading(device, self._number, ts=ts_ms)
        fate = Timed(device, ts_ms) if self._strangers_come else refused(topic, payload, Reason.UNKNOWN_DEVICE)
        return Uplink(topic, payload, (fate,))

    def _bomb(self) -> Uplink:
        """As large as the broker lets through."""
        topic = topic_of("lamp-3")
        payload = b'{"level_pct": 1, "bomb": "%d' % self._number
        payload = payload.ljust(PACKET_BYTES_MAX - 1_000, b"x")
        return Uplink(topic, payload, (refused(topic, payload, Reason.TOO_LARGE),))

    def _poison(self) -> Uplink:
        topic, payload, reason = self._chance.choice(poisons(self._number, self._now_ms))
        return Uplink(topic, payload, (refused(topic, payload, reason),))


def poisons(number: int, now_ms: int) -> list[tuple[str, bytes, Reason]]:
    """One uplink at least for each reason that a device can give, no two alike: (topic, payload, reason)."""
    lamp, drain = topic_of("lamp-4"), topic_of("drain-0")
    n, ts = b"%d" % number, b"%d" % (now_ms - HOUR_MS + number)
    return [
        (lamp, b'{"level_pct": 1, "n": %b, "x": "' % n + b"y" * PAYLOAD_BYTES_MAX + b'"}', Reason.TOO_LARGE),
        (topics.telemetry("tram", "lamp-4"), b'{"level_pct": 1, "n": %b}' % n, Reason.UNKNOWN_KIND),
        (lamp, b"nonsense %b" % n, Reason.MALFORMED_JSON),
        (lamp, b'{"level_pct": 1, "n": %b' % n, Reason.MALFORMED_JSON),
        (lamp, b'{"level_pct": 1, "n": "%b\x00"}' % n, Reason.MALFORMED_JSON),
        (lamp, b'{"level_pct": 1, "n": "%b\xff\xfe"}' % n, Reason.MALFORMED_JSON),
        (lamp, b'{"level_pct": NaN, "n": %b}' % n, Reason.MALFORMED_JSON),
        (lamp, b"[" * 100_000 + n, Reason.MALFORMED_JSON),
        (lamp, b'{"level_pct": 1, "n": ' + b'{"a":' * 40_000 + n, Reason.MALFORMED_JSON),
        (lamp, b"[" + b", ".join([b'{"level_pct": 1, "n": %b}' % n] * 501) + b"]", Reason.TOO_MANY),
        (lamp, b'"a string %b"' % n, Reason.NOT_AN_OBJECT),
        (lamp, b"[1, %b]" % n, Reason.NOT_AN_OBJECT),
        (topics.telemetry("parking_bay", "nobody"), b'{"occupied": true, "n": %b}' % n, Reason.UNKNOWN_DEVICE),
        (topics.telemetry("drain_level", "lamp-4"), b'{"level_m": 1, "n": %b}' % n, Reason.KIND_MISMATCH),
        (lamp, b'{"power_w": 3, "ts": %b}' % ts, Reason.MISSING_FIELD),
        (lamp, b"[]", Reason.MISSING_FIELD),
        (drain, b'{"distance_m": 1, "ts": %b}' % ts, Reason.MISSING_FIELD),
        (lamp, b'{"level_pct": "70", "ts": %b}' % ts, Reason.WRONG_TYPE),
        (lamp, b'{"level_pct": 1, "motion": 1.5, "ts": %b}' % ts, Reason.WRONG_TYPE),
        (lamp, b'{"level_pct": 1, "n": %b, "ts": "2026-11-22T20:15:00"}' % n, Reason.BAD_TIMESTAMP),
        (lamp, b'{"level_pct": 1, "n": %b, "ts": -1}' % n, Reason.BAD_TIMESTAMP),
        (lamp, b'{"level_pct": 1, "n": %b, "ts": "9999-12-31T00:00:00Z"}' % n, Reason.FUTURE_TIMESTAMP),
        (lamp, b'{"level_pct": 101, "ts": %b}' % ts, Reason.OUT_OF_RANGE),
        (lamp, b'{"level_pct": 1e999, "ts": %b}' % ts, Reason.OUT_OF_RANGE),
        (lamp, b'{"level_pct": 1, "energy_kwh": -1e999, "ts": %b}' % ts, Reason.OUT_OF_RANGE),
        (lamp, b'{"level_pct": 1, "seq": %b}' % (n + b"9" * 400), Reason.OUT_OF_RANGE),
    ]


def topic_of(device: str) -> str:
    """Where a registered device reports."""
    return topics.telemetry(KIND_OF[device], device)


def reading(device: str, number: int, **more: float) -> bytes:
    """A good reading, told apart by its number."""
    fields: dict[str, dict[str, float]] = {
        "streetlight": {"level_pct": number % 101, "energy_kwh": number},
        "drain_level": {"level_m": number % 29, "flow_l_s": number % 100_000},
        "parking_bay": {"occupied": bool(number % 2), "confidence_pct": number % 101},
    }
    return json.dumps({**fields[KIND_OF.get(device, "streetlight")], **more}).encode()


def refused(topic: str, text: bytes, reason: Reason, element: int = 0) -> Refused:
    """The fate of bytes that are kept in the quarantine."""
    return Refused(topic, hashlib.sha256(text).hexdigest(), element, reason)


def registry() -> str:
    """The town's registry: assets are named after their devices."""
    lines = [f"{device},{kind},,,,,{device}" for device, kind in KIND_OF.items()]
    return "\n".join(["asset,kind,name,zone,lat,lon,device", *lines, ""])


def strangers() -> str:
    """The registry rows of the strangers, once they are known."""
    lines = [f"{device},streetlight,,,,,{device}" for device in STRANGERS]
    return "\n".join(["asset,kind,name,zone,lat,lon,device", *lines, ""])

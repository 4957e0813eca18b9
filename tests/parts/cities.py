"""Small cities for the rules, and a run of steps through them as a city lives: observations, then the clock."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.city import City
from rules.effects import ClearAlarm, Effect, MoveCommand, PublishZone, RaiseAlarm, SendCommand
from rules.engine import step
from rules.inputs import Inputs, Moment
from rules.recall import RecalledZone, follow, outlooks, restore
from rules.state import State, blank
from rules.sun import Sun
from telemetry.availability import ZoneAvailability
from telemetry.clock import SECOND_US, to_us
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Registry, Zone
from telemetry.thresholds import Thresholds
from tests.parts import recordings, series

ESSEN = (51.45, 7.01)
BERLIN = ZoneInfo("Europe/Berlin")
NOON_US = to_us(datetime(2026, 11, 22, 12, tzinfo=UTC))
MIDNIGHT_US = to_us(datetime(2026, 11, 22, 23, tzinfo=UTC))
"""Local midnight; the sun is down from 16:12 to 06:24 UTC."""


def recording(name: str) -> list[dict[str, str]]:
    """The rows of a recorded series, or a skip that says what is missing."""
    with recordings.series(name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def asset(number: int, kind: str, device: str | None = "", zone: str | None = None, **attributes: Any) -> Asset:
    """An asset; its device is named after it unless given, `None` for none."""
    name = f"{kind}-{number}"
    known = KINDS[kind].wire.attributes(**attributes)
    return Asset(number, name, kind, name, zone, None, None, known, f"dev-{number}" if device == "" else device)


def lamp(number: int, **more: Any) -> Asset:
    return asset(number, "streetlight", **more)


def drain(number: int, **more: Any) -> Asset:
    return asset(number, "drain_level", **({"crown_m": 1.0, "ground_m": 1.5} | more))


def bay(number: int, zone: str = "market", **more: Any) -> Asset:
    return asset(number, "parking_bay", zone=zone, **more)


SUN = Sun(*ESSEN)
"""One for all towns: what it has reckoned it keeps, and reckons for long."""


def city(assets: Iterable[Asset], thresholds: Thresholds | None = None, version: int = 1) -> City:
    """A town at Essen's place with these assets; zones are named after themselves."""
    listed = list(assets)
    zones = [Zone(name, name.title(), 51.4, 7.0) for name in sorted({each.zone for each in listed if each.zone})]
    registry = Registry.build(version, zones, listed, [])
    return City(registry, thresholds or Thresholds(), SUN, BERLIN)


@dataclass
class Life:
    """A city over time; `effects` is all that it wanted done so far."""

    city: City
    settle_s: float = 2.0
    restart: bool = False
    """Whether the state goes through its kept form after each step."""
    effects: list[Effect] = field(default_factory=list)
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = self._durable = blank(self.city)
        self._kept: dict[tuple[int, str], Any] = {}
        self._outlooks: dict[str, bytes] = {}

    def step(self, now_us: int, inputs: Inputs | None = None, settled_us: int | None = None) -> list[Effect]:
        """One step; returns its effects."""
        settled = now_us - round(self.settle_s * SECOND_US) if settled_us is None else settled_us
        self.state, effects = step(self.city, self.state, inputs or Inputs(), Moment(now_us, settled))
        if self.restart:
            self._die_and_rise()
        self.effects += effects
        return effects

    def observe(self, now_us: int, kind: str, rows: Sequence[tuple[int, int, float]], **more: Any) -> list[Effect]:
        """One batch of observations (asset id, when, value)."""
        inputs = more.pop("inputs", Inputs())
        return self.step(now_us, replace(inputs, columns={kind: series.columns(kind, rows)}), **more)

    def play(self, kind: str, asset_id: int, notation: str, start_us: int, every_s: float) -> None:
        """One asset's series, each sample arriving half a second after it was taken."""
        for at_us, value in series.series(notation, start_us, every_s):
            self.observe(at_us + SECOND_US // 2, kind, [(asset_id, at_us, value)])

    def _die_and_rise(self) -> None:
        self._outlooks |= outlooks(self._durable, self.state)
        rows, self._durable = follow(self.city, self._durable, self.state)
        for each in rows:
            self._kept[each.asset_id, each.rule] = each
        now_us, settled_us, round_us = self.state.now_us, self.state.settled_us, self.state.round_us
        spoken = {
            zone: RecalledZone(said_us, self.state.status[zone], self._outlooks.get(zone))
            for zone, said_us in self.state.said_us.items()
        }
        self.state = restore(self.city, self._kept.values(), spoken)
        self.state.now_us, self.state.settled_us, self.state.round_us = now_us, settled_us, round_us

    def raised(self) -> list[RaiseAlarm]:
        return [each for each in self.effects if isinstance(each, RaiseAlarm)]

    def cleared(self) -> list[ClearAlarm]:
        return [each for each in self.effects if isinstance(each, ClearAlarm)]

    def sent(self) -> list[SendCommand]:
        return [each for each in self.effects if isinstance(each, SendCommand)]

    def moved(self) -> list[MoveCommand]:
        return [each for each in self.effects if isinstance(each, MoveCommand)]

    def words(self) -> list[ZoneAvailability]:
        return [each.document for each in self.effects if isinstance(each, PublishZone)]

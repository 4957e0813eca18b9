"""From a name to its explanation: the rules' memory is restored as the rules themselves do it, and looked into."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rules.city import BAYS, DRAINS, LAMPS, City
from rules.explain import drain, lamp, parking, presence
from rules.explain.words import Explanation, moment
from rules.measures import Measure
from rules.recall import Recalled, RecalledZone, restore
from rules.state import State
from rules.sun import Sun
from storage import alarms, measures, rule_state, zones
from storage.pool import Connection
from telemetry.alarms import Alarm, asset_subject, cabinet_subject, zone_subject
from telemetry.clock import to_datetime, to_us
from telemetry.registry import Asset, Registry
from telemetry.thresholds import Thresholds

NEAR_NAMES = 3


class Unknown(Exception):
    """There is no such asset or zone in service; `near` are names that are spelled alike."""

    def __init__(self, name: str, near: Sequence[str], retired: bool) -> None:
        super().__init__(name)
        self.near, self.retired = tuple(near), retired


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules know: the town, their memory of it, and the alarms that stand."""

    city: City
    state: State
    alarms: tuple[Alarm, ...]


async def recall(
    conn: Connection, registry: Registry, thresholds: Thresholds, sun: Sun, timezone: ZoneInfo, now_us: int
) -> Known:
    """What the rules wrote down last."""
    standing = await measures.standing(conn, now_us)
    ordered = tuple(
        Measure(each.id, each.zone, each.what, to_us(each.from_at), to_us(each.until_at), each.note, each.by)
        for each in standing
    )
    city = City(registry, thresholds, sun, timezone, measures=ordered)
    kept = [Recalled(each.asset_id, each.rule, each.position_us, each.state) for each in await rule_state.load(conn)]
    spoken = {each.zone: RecalledZone(each.said_us, each.status, each.outlook) for each in await zones.remembered(conn)}
    known = await alarms.of_ids(conn, list(await alarms.active(conn)))
    return Known(city, restore(city, kept, spoken), tuple(known))


def explain(known: Known, name: str, at_us: int) -> Explanation:
    """Everything of one asset, or of a parking zone, by name.

    Raises:
        Unknown: it is neither.
    """
    city = known.city
    registered = {each.asset: each for each in city.registry.assets.values()}
    asset = registered.get(name)
    if asset is not None and not asset.retired:
        return _asset(known, asset, at_us)
    if name in city.bays.zones:
        told = Explanation(name, "zone", at_us, city.timezone)
        parking.explain_zone(told, city, known.state, name)
        return _with_alarms(told, known, {zone_subject(name)})
    names = [each for each, found in registered.items() if not found.retired] + list(city.bays.zones)
    raise Unknown(name, difflib.get_close_matches(name, names, NEAR_NAMES, 0.7), asset is not None)


def _asset(known: Known, asset: Asset, at_us: int) -> Explanation:
    city, state = known.city, known.state
    roll = city.rolls[asset.kind]
    row = roll.assets.index(asset)
    told = Explanation(asset.asset, asset.kind, at_us, city.timezone)
    of_kind = {LAMPS: lamp.explain, DRAINS: drain.explain, BAYS: parking.explain}.get(asset.kind)
    if of_kind is not None:
        of_kind(told, city, state, row)
    presence.heard(told, city, state, row)
    subjects = {asset_subject(asset.asset)}
    cabinet = getattr(asset.attributes, "cabinet", None)
    return _with_alarms(told, known, subjects | ({cabinet_subject(cabinet)} if cabinet else set()))


def _with_alarms(told: Explanation, known: Known, subjects: set[str]) -> Explanation:
    standing = [each for each in known.alarms if each.subject in subjects]
    for each in sorted(standing, key=lambda alarm: alarm.raised_at):
        since = told.clock(to_us(each.raised_at))
        whose = "" if each.asset else f" of {each.subject}"
        until = told.clock(to_us(each.cleared_at)) if each.cleared_at else ""
        span = f"was raised at {since}, cleared at {until}" if until else f"stands since {since}"
        told.say(
            "alarm",
            f"The alarm {each.type}{whose} {span}: it is {each.state.replace('_', ' ')}.",
            type=each.type,
            subject=each.subject,
            state=each.state,
            severity=each.severity,
            since=moment(to_us(each.raised_at)),
            cleared_at=None if each.cleared_at is None else moment(to_us(each.cleared_at)),
        )
    if not standing:
        told.say("alarms", "No alarm about it stands.")
    told.changes.sort(key=lambda change: change.at_us)
    return told


def at_words(told: Explanation) -> str:
    """The moment of an explanation on the town's clock."""
    return f"{to_datetime(told.at_us).astimezone(told.timezone):%Y-%m-%d %H:%M:%S %Z}"

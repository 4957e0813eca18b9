"""What of a rule file must fit together: names that exist, steps that can be reached, levels that are lawful."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from rules.calendars import WEEKDAYS
from rules.daytimes import DAY_MINUTES, Daytime, read_daytime
from rules.rulefile.days import check_calendars, check_hours
from rules.rulefile.document import Document, Mistake, contradiction, did_you_mean, fitting
from rules.rulefile.lines import Place
from rules.sun import CIVIL_DEG
from telemetry.figures import Form, known
from telemetry.guards import LIGHTING_CLASS_MIN_PCT, floor_pct, may_be_off
from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight, StreetLightAttributes
from telemetry.registry import Asset, Registry
from telemetry.thresholds import DimmingProgram, DimmingStep, Lighting, Notifications, Route, Sink, Thresholds

T = TypeVar("T")

_KIND_OF = {"drainage": DrainLevel.name, "lighting": StreetLight.name, "parking": ParkingBay.name}
"""Sections that speak of one kind."""
_LEAST_PCT = min(LIGHTING_CLASS_MIN_PCT.values())
_NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class Sense:
    """What is being checked: the document and what it came to, from a place on; `registry` is `None` if unknown."""

    document: Document
    thresholds: Thresholds
    registry: Registry | None
    root: Place = ()

    def wrong(self, place: Place, sentence: str) -> None:
        """Note a mistake at a place below the root."""
        self.document.wrong((*self.root, *place), sentence)

    def of(self, kind: type[T]) -> Iterator[tuple[Place, T]]:
        """What the file itself makes of a kind, with its place below the root."""
        for place, each in self.document.of(kind):
            if place[: len(self.root)] == self.root:
                yield place[len(self.root) :], each


def check(sense: Sense) -> list[Mistake]:
    """Note every mistake in the document; returns notes on what holds otherwise than it is written."""
    _check_mentions(sense)
    _check_owners(sense)
    for place, program in sense.of(DimmingProgram):
        _check_program(sense, place, program)
    _check_classes(sense)
    check_calendars(sense.document, sense.thresholds, sense.root)
    check_hours(sense.document, sense.thresholds, sense.root)
    _check_notifications(sense)
    notes = list(_check_switching(sense))
    if sense.registry is not None:
        _check_photocells(sense, sense.registry)
        notes += _check_lamps(sense, sense.registry)
    return notes


def _check_mentions(sense: Sense) -> None:
    """Names that must be known."""
    thresholds, registry = sense.thresholds, sense.registry
    known_names: dict[Form, list[str] | None] = {
        Form.DAY: [*WEEKDAYS, *thresholds.calendars],
        Form.PROGRAM: [each.name for each in thresholds.lighting.programs],
        Form.SINK: list(thresholds.notifications.sinks),
        Form.ZONE: None if registry is None else list(registry.zones),
        Form.ASSET: None if registry is None else [each.asset for each in registry.assets.values()],
    }
    mentions = [each for each in sense.document.mentions if each.place[: len(sense.root)] == sense.root]
    for each in mentions:
        names = known_names[each.form]
        if names is None or not each.name or each.name in names:
            continue
        first, dots, last = each.name.partition("..")
        if each.form is Form.DAY and dots and first in WEEKDAYS and last in WEEKDAYS:
            continue
        said = "weekday or calendar" if each.form is Form.DAY else each.form.value
        sense.document.wrong(each.place, f'There is no {said} "{each.name}"{did_you_mean(each.name, names)}.')


def _check_owners(sense: Sense) -> None:
    """Zones and assets with figures of their own: they exist, the figures are theirs, and do not contradict."""
    registry = sense.registry
    kinds = {each.asset: each for each in registry.assets.values()} if registry else {}
    groups = (("zones", sense.thresholds.zones), ("assets", sense.thresholds.assets))
    for group, owners in groups:
        names = list(registry.zones) if registry and group == "zones" else list(kinds)
        for name, sections in owners.items():
            place = (group, name)
            if (*sense.root, *place) not in sense.document.lines:
                continue
            if registry is not None and name not in names:
                near = did_you_mean(name, names)
                sense.wrong(place, f'There is no {group.removesuffix("s")} "{name}" in the registry{near}.')
            asset = kinds.get(name) if group == "assets" else None
            for section in sections:
                kind = _KIND_OF.get(section)
                if asset is not None and kind is not None and kind != asset.kind:
                    sense.wrong((*place, section), f"{name} is a {asset.kind}, to which {section} means nothing.")
            _check_own(sense, place, name if group == "assets" else "", name if asset is None else asset.zone)


def _check_own(sense: Sense, place: Place, asset: str, zone: str | None) -> None:
    """Figures of a zone or an asset together with those that hold for everybody."""
    thresholds = sense.thresholds
    own = thresholds.assets[asset] if asset else thresholds.zones.get(zone or "", {})
    for section, figures in own.items():
        if not figures:
            continue
        held = getattr(thresholds, section)
        for each in fields(held):
            about = known(each)
            for other, word in ((about.below, "below"), (about.at_most, "at most")):
                if not other or not figures.keys() & {each.name, other}:
                    continue
                both = {name: thresholds.figure(section, name, asset, zone) for name in (each.name, other)}
                if not fitting(word, both[each.name], both[other]):
                    at = (*place, section, each.name if each.name in figures else other)
                    together = replace(held, **both)
                    sense.wrong(at, contradiction((*place, section), together, each.name, other, word))


def _check_program(sense: Sense, place: Place, program: DimmingProgram) -> None:
    """Steps that can be reached, and levels that some lamp may give."""
    twins = [at for at, each in sense.of(DimmingProgram) if each.name == program.name and at < place]
    if twins:
        sense.wrong(place, f'There are two programs "{program.name}".')
    levels = [((*place, "night_level_pct"), program.night_level_pct)]
    steps = [(at, step) for at, step in sense.of(DimmingStep) if at[: len(place)] == place]
    levels += [((*at, "level_pct"), step.level_pct) for at, step in steps]
    for at, level_pct in levels:
        if 0 < level_pct < _LEAST_PCT:
            sense.wrong(
                at,
                f"{level_pct:g} % is less than any lighting class allows at night, {_LEAST_PCT:g} %; 0 switches off.",
            )
    for number, (at, step) in enumerate(steps):
        if _minutes(step) == set() and not _by_sun(step):
            sense.wrong(at, f"The step from {step.start} to {step.end} ends when it begins.")
        for before_at, before in steps[:number]:
            if _covers(before, step):
                line = sense.document.line((*sense.root, *before_at))
                sense.wrong(at, f"This step is never reached: the one of line {line} goes before it all the time.")
                break


def _covers(before: DimmingStep, after: DimmingStep) -> bool:
    """Whether a step matches whenever another does."""
    days = not before.days or (bool(after.days) and set(after.days) <= set(before.days))
    months = not before.months or (bool(after.months) and set(after.months) <= set(before.months))
    if not (days and months):
        return False
    if _by_sun(before) or _by_sun(after):
        return (before.start, before.end) == (after.start, after.end)
    minutes = _minutes(after)
    return bool(minutes) and minutes <= _minutes(before)


def _ends(step: DimmingStep) -> tuple[Daytime, Daytime]:
    return read_daytime(step.start), read_daytime(step.end)


def _by_sun(step: DimmingStep) -> bool:
    return any(each.by_sun for each in _ends(step))


def _minutes(step: DimmingStep) -> set[int]:
    """The minutes of the day that a step by the wall clock covers."""
    begin, until = _ends(step)
    start, end = begin.minutes % DAY_MINUTES, until.minutes
    return {minute % DAY_MINUTES for minute in range(start, end if end >= start else end + DAY_MINUTES)}


def _check_classes(sense: Sense) -> None:
    for name, least_pct in sense.thresholds.lighting.class_min_pct.items():
        usual_pct = LIGHTING_CLASS_MIN_PCT.get(name, 0.0)
        if least_pct < usual_pct:
            sense.wrong(
                ("lighting", "class_min_pct", name),
                f"The floor of lighting class {name} is {least_pct:g} %, but it must not be below {usual_pct:g} %.",
            )


def _check_notifications(sense: Sense) -> None:
    for place, sink in sense.of(Sink):
        if bool(sink.url_file) == bool(sink.url_env):
            sense.wrong(place, f"The sink {place[-1]} needs its URL from one place: url_file or url_env.")
    for place, route in sense.of(Route):
        if bool(route.escalate_after_s) != bool(route.escalate_to):
            sense.wrong(place, "escalate_after_s and escalate_to go together.")
    for place, told in sense.of(Notifications):
        used = {name for route in told.routes for name in (*route.to, *route.escalate_to)}
        for name in told.sinks.keys() - used:
            sense.wrong((*place, "sinks", name), f'No route leads to the sink "{name}".')


def _check_switching(sense: Sense) -> Iterator[Mistake]:
    """A clock that switches within the guards' night leaves lamps at their floor for a while, which few will want."""
    for place, lighting in sense.of(Lighting):
        late = {"dusk_offset_s": lighting.dusk_offset_s, "dawn_offset_s": -lighting.dawn_offset_s}
        for name, seconds in late.items():
            if lighting.sun_below_horizon_deg >= CIVIL_DEG and seconds > 0:
                line = sense.document.line((*sense.root, *place, name))
                side = "after civil dusk" if name == "dusk_offset_s" else "before civil dawn"
                yield Mistake(line, f"Lamps burn at their floor for {seconds} s {side}, for then they must not be off.")


def _check_photocells(sense: Sense, registry: Registry) -> None:
    kinds = {each.asset: each.kind for each in registry.assets.values()}
    for each in sense.document.mentions:
        if each.place[-1] == "photocell" and kinds.get(each.name, StreetLight.name) != StreetLight.name:
            sense.document.wrong(each.place, f'"{each.name}" is no street light, so it reports no lux to switch by.')


def _check_lamps(sense: Sense, registry: Registry) -> Iterator[Mistake]:
    """Programs against what lamps must not be: an order to be off is a mistake, a level below the floor is raised."""
    thresholds = sense.thresholds
    lamps = [each for each in registry.assets.values() if each.kind == StreetLight.name and not each.retired]
    held: dict[str, list[Asset]] = {}
    for lamp in lamps:
        try:
            held.setdefault(thresholds.program(lamp.asset, lamp.zone).name, []).append(lamp)
        except KeyError:
            continue  # said where the name stands
    for place, program in sense.of(DimmingProgram):
        levels = [((*place, "night_level_pct"), program.night_level_pct)]
        steps = [(at, step) for at, step in sense.of(DimmingStep) if at[: len(place)] == place]
        levels += [((*at, "level_pct"), step.level_pct) for at, step in steps]
        for at, level_pct in levels:
            yield from _check_level(sense, at, program.name, level_pct, held.get(program.name, []))


def _check_level(sense: Sense, place: Place, program: str, level_pct: float, lamps: list[Asset]) -> Iterator[Mistake]:
    known_lamps = [
        (each.asset, each.attributes) for each in lamps if isinstance(each.attributes, StreetLightAttributes)
    ]
    if level_pct == 0:
        lit = [name for name, each in known_lamps if not may_be_off(each)]
        if lit:
            sense.wrong(
                place,
                f'The program "{program}" switches lamps off at night, but {_some(lit)} must not be off: only a lamp '
                "that bears sign 394 (ring_sign) and lights no crossing may.",
            )
        return
    floors = sense.thresholds.lighting.class_min_pct
    raised = [name for name, each in known_lamps if floor_pct(each, floors) > level_pct]
    if raised:
        line = sense.document.line((*sense.root, *place))
        yield Mistake(line, f'Where "{program}" says {level_pct:g} %, {_some(raised)} stay at their higher floor.')


def _some(names: list[str]) -> str:
    """`1 lamp (L-1)`, `12 lamps (L-1, L-2, L-3 …)`."""
    shown = ", ".join(sorted(names)[:_NAMED_MAX]) + (" …" if len(names) > _NAMED_MAX else "")
    return f"{len(names)} {'lamp' if len(names) == 1 else 'lamps'} ({shown})"

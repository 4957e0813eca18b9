"""A rule test as its author writes it: a small town, what its sensors say, and what the rules are to make of it.

A file holds tests, each with assets, a series for each field of each asset, and expectations: alarms that stand,
setpoints in force, free places, or the whole order of events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from rules.daytimes import read_duration_s
from rules.rulefile.document import BadDocument, Document
from rules.rulefile.lines import Place
from rules.rulefile.reading import thresholds_of, versioned
from rules.rulefile.sense import Sense, check
from telemetry.alarms import AlarmType
from telemetry.clock import SECOND_US, to_datetime, to_us
from telemetry.figures import Form, figure, required
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Installation, Registry, Zone
from telemetry.thresholds import Thresholds

VERBS = ("raise", "clear")
ALARM_IN_WORDS = "TYPE SUBJECT, such as drain_high D-17"
EVENT_IN_WORDS = "WHEN raise|clear TYPE SUBJECT, such as 11m raise drain_high D-17"
CHANGE_IN_WORDS = "WHEN ASSET PERCENT, such as 22:00 L-1 50"


@dataclass(frozen=True, slots=True)
class Row:
    """An asset of the town; attributes of its kind stand beside these."""

    asset: str = required("Its name", form=Form.NAME)
    kind: str = required("Its kind")
    zone: str = figure("", "Its zone")
    name: str = figure("", "What people call it")
    device: str = figure("", "The device that serves it; empty: one of the asset's name")
    lat: float | None = figure(None, "Latitude", low=-90, high=90)
    lon: float | None = figure(None, "Longitude", low=-180, high=180)


@dataclass(frozen=True, slots=True)
class Wish:
    """An operator overrides the program."""

    at: str = required("When", form=Form.INSTANT)
    asset: str = required("Which lamp", form=Form.NAME)
    setpoint_pct: float = required("What it is to give", low=0, high=100)
    until: str = required("Up to when", form=Form.INSTANT)


@dataclass(frozen=True, slots=True)
class Closed:
    """An operator closes the bays of a zone."""

    zone: str = required("Which", form=Form.NAME)
    at: str = required("From when", form=Form.INSTANT)
    until: str = required("Up to when", form=Form.INSTANT)


@dataclass(frozen=True, slots=True)
class ZoneExpected:
    """What a parking zone says."""

    capacity: int | None = figure(None, "Bays neither closed nor reserved")
    free: int | None = figure(None, "Free bays")
    free_min: int | None = figure(None, "At least so many")
    free_max: int | None = figure(None, "At most so many")
    occupied: int | None = figure(None, "Taken bays")
    unknown: int | None = figure(None, "Bays nobody hears")
    closed: int | None = figure(None, "Closed bays")
    trend: str | None = figure(None, "filling, steady or emptying")
    status: str | None = figure(None, "open, almost_full, full or closed")
    restricted_free: Mapping[str, int] = figure({}, "Free bays of those reserved: disabled, charging")


@dataclass(frozen=True, slots=True)
class Expected:
    """What holds at a moment; what is left out does not matter."""

    at: str = required("When", form=Form.INSTANT)
    alarms: tuple[str, ...] | None = figure(None, f"All alarms that stand, each {ALARM_IN_WORDS}")
    setpoints: Mapping[str, float] = figure({}, "What lamps were told last", low=0, high=100)
    report_every_s: Mapping[str, int] = figure({}, "How often assets were told to report", low=0)
    zones: Mapping[str, ZoneExpected] = figure({}, "What parking zones say")


@dataclass(frozen=True, slots=True)
class Told:
    """One test, as it is written."""

    name: str = required("What it shows, as a sentence")
    start: str = figure("2026-11-22T12:00:00", "The first sample, local unless with an offset", form=Form.MOMENT)
    every: str = figure("5m", "Samples follow each other so", form=Form.DURATION)
    looks: str = figure("", "The clock is looked at so often; usual: each minute with lamps", form=Form.DURATION)
    lasts: str = figure("", "At least so long; else up to the last sample or expectation", form=Form.INSTANT)
    answers: bool = figure(True, "Devices acknowledge commands a second later")
    series: Mapping[str, Mapping[str, str]] = figure({}, "By asset and field", form=Form.SERIES)
    overrides: tuple[Wish, ...] = figure((), "What operators order")
    closures: tuple[Closed, ...] = figure((), "Zones that operators close")
    expect: tuple[Expected, ...] = figure((), "What holds when")
    alarm_events: tuple[str, ...] | None = figure(None, f"All that happens to alarms, each {EVENT_IN_WORDS}")
    setpoint_changes: tuple[str, ...] | None = figure(
        None, f"All changes of what lamps are told, each {CHANGE_IN_WORDS}"
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says for all its tests."""

    rules: str = figure("", "The rule file, beside this one; empty: the shipped defaults")
    lat: float = figure(51.45, "Where the town lies", low=-90, high=90)
    lon: float = figure(7.01, "Where the town lies", low=-180, high=180)
    timezone: str = figure("Europe/Berlin", "Its wall clock")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A test ready to run; `line_of` gives the lines of `overrides`, `expect` and others by name and number."""

    told: Told
    sheet: Sheet
    thresholds: Thresholds
    registry: Registry
    line: int
    line_of: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @property
    def timezone(self) -> ZoneInfo:
        """The wall clock."""
        return ZoneInfo(self.sheet.timezone)

    @property
    def start_us(self) -> int:
        """The first sample."""
        return moment_us(self.told.start, self.timezone)

    def instant_us(self, text: str) -> int:
        """A moment of the test.

        Raises:
            ValueError: the text names none.
        """
        return instant_us(text, self.start_us, self.timezone)


def read_sheet(text: str) -> tuple[Document, Sheet]:
    """What a file says for all its tests.

    Raises:
        BadDocument: it says what it must not.
    """
    document = Document.parse(text)
    sheet = document.table(Sheet, document.data, (), Sheet(), besides=("tests", "assets"))
    try:
        ZoneInfo((sheet or Sheet()).timezone)
    except (OSError, ValueError):
        document.wrong(("timezone",), f'There is no time zone "{(sheet or Sheet()).timezone}".')
    if document.mistakes or sheet is None:
        raise BadDocument(document.mistakes)
    return document, sheet


def read_scenarios(document: Document, sheet: Sheet, base: Thresholds) -> list[Scenario]:
    """The tests of a file under the rules that it names.

    Raises:
        BadDocument: one of them cannot be; every mistake with its line.
    """
    listed = document.data.get("tests")
    if not isinstance(listed, list) or not listed:
        document.wrong(("tests",), "There are no tests: each begins with [[tests]].")
        listed = []
    common = _rows(document, document.data.get("assets", []), ("assets",))
    found = [_scenario(document, sheet, base, common, given, number) for number, given in enumerate(listed)]
    if document.mistakes:
        raise BadDocument(document.mistakes)
    return [each for each in found if each is not None]


def moment_us(text: str, timezone: ZoneInfo) -> int:
    """A moment, on the wall clock where it has no offset; raises `ValueError` where it is none."""
    moment = datetime.fromisoformat(text)
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=timezone))


def instant_us(text: str, start_us: int, timezone: ZoneInfo) -> int:
    """A duration after the start, the next time of day, or a moment; raises `ValueError` where it is none."""
    if text[:1].isdigit() and text[-1:] in "dhms" and text[-1:]:
        return start_us + read_duration_s(text) * SECOND_US
    if len(text) == len("22:00"):
        begun = to_datetime(start_us).astimezone(timezone)
        clock = time.fromisoformat(text)
        day = begun.date() + timedelta(days=clock < begun.time())
        return to_us(datetime.combine(day, clock, timezone))
    return moment_us(text, timezone)


def read_event(text: str, scenario: Scenario) -> tuple[int, str, str, str]:
    """When, `raise` or `clear`, which type, whose; raises `ValueError` where it is none."""
    parts = text.split()
    if len(parts) != 4 or parts[1] not in VERBS or parts[2] not in tuple(AlarmType):
        raise ValueError(f"{text!r} is not {EVENT_IN_WORDS}")
    return scenario.instant_us(parts[0]), parts[1], parts[2], parts[3]


def read_change(text: str, scenario: Scenario) -> tuple[int, str, float]:
    """When, which lamp, how much; raises `ValueError` where it is none."""
    parts = text.split()
    if len(parts) != 3:
        raise ValueError(f"{text!r} is not {CHANGE_IN_WORDS}")
    return scenario.instant_us(parts[0]), parts[1], float(parts[2])


def _scenario(
    document: Document, sheet: Sheet, base: Thresholds, common: list[Asset], given: Any, number: int
) -> Scenario | None:
    place: Place = ("tests", number)
    told = document.table(Told, given, place, besides=("assets", "rules"))
    if told is None:
        return None
    own = _rows(document, given.get("assets", []), (*place, "assets"), first=len(common) + 1)
    registry = _registry([*common, *own], told)
    thresholds = thresholds_of(document, given.get("rules", {}), (*place, "rules"), base)
    check(Sense(document, thresholds, registry, (*place, "rules")))
    lines = {
        (key, each): document.line((*place, key, each))
        for key in ("expect", "overrides", "alarm_events", "setpoint_changes")
        for each in range(len(getattr(told, key) or ()))
    }
    scenario = Scenario(told, sheet, versioned(thresholds), registry, document.line(place), lines)
    _check_names(document, scenario, place)
    _check_times(document, scenario, place)
    return scenario


def _check_names(document: Document, scenario: Scenario, place: Place) -> None:
    """Every asset, zone and field that the test names is one."""
    told, kinds = scenario.told, {each.asset: KINDS[each.kind] for each in scenario.registry.assets.values()}
    named = [((*place, "series", name), name) for name in told.series]
    named += [((*place, "overrides", number, "asset"), each.asset) for number, each in enumerate(told.overrides)]
    zones = [((*place, "closures", number, "zone"), each.zone) for number, each in enumerate(told.closures)]
    for number, expected in enumerate(told.expect):
        at = (*place, "expect", number)
        named += [((*at, "setpoints", name), name) for name in expected.setpoints]
        named += [((*at, "report_every_s", name), name) for name in expected.report_every_s]
        zones += [((*at, "zones", zone), zone) for zone in expected.zones]
    for at, zone in zones:
        if zone not in scenario.registry.zones:
            document.wrong(at, f'No asset of this test lies in a zone "{zone}".')
    for at, name in named:
        if name not in kinds:
            document.wrong(at, f'This test has no asset "{name}".')
    for name in told.series.keys() & kinds.keys():
        for each in told.series[name].keys() - {every.name for every in kinds[name].properties}:
            document.wrong((*place, "series", name, each), f"A {kinds[name].name} has no field {each}.")


def _check_times(document: Document, scenario: Scenario, place: Place) -> None:
    """Every moment and event that the test names is one."""
    for key in ("every", "looks"):
        text = getattr(scenario.told, key)
        if text and read_duration_s(text) == 0:
            document.wrong((*place, key), f"{key} must be longer than nothing.")
    for at, read in _readings(scenario, place):
        try:
            read()
        except ValueError as error:
            document.wrong(at, f"{str(error)[:1].upper()}{str(error)[1:]}.")


def _readings(scenario: Scenario, place: Place) -> Iterable[tuple[Place, Any]]:
    told = scenario.told
    for number, event in enumerate(told.alarm_events or ()):
        yield (*place, "alarm_events", number), lambda event=event: read_event(event, scenario)
    for number, change in enumerate(told.setpoint_changes or ()):
        yield (*place, "setpoint_changes", number), lambda change=change: read_change(change, scenario)
    if told.lasts:
        yield (*place, "lasts"), lambda: scenario.instant_us(told.lasts)
    spans = [("overrides", number, each.at, each.until) for number, each in enumerate(told.overrides)]
    spans += [("closures", number, each.at, each.until) for number, each in enumerate(told.closures)]
    for key, number, *ends in spans:
        for name, text in zip(("at", "until"), ends, strict=True):
            yield (*place, key, number, name), lambda text=text: scenario.instant_us(text)
    for number, expected in enumerate(told.expect):
        yield (*place, "expect", number, "at"), lambda expected=expected: scenario.instant_us(expected.at)


def _rows(document: Document, listed: Any, place: Place, first: int = 1) -> list[Asset]:
    """The assets of a list, numbered from `first`."""
    if not isinstance(listed, list):
        document.wrong(place, "assets must be a list of tables.")
        return []
    found = []
    for number, given in enumerate(listed):
        at = (*place, number)
        kind = KINDS.get(given.get("kind", "")) if isinstance(given, dict) else None
        names = kind.attribute_names if kind else ()
        row = document.table(Row, given, at, besides=names)
        if row is None:
            continue
        if kind is None:
            document.wrong((*at, "kind"), f'There is no kind "{row.kind}"; there are {", ".join(KINDS)}.')
            continue
        try:
            attributes = msgspec.convert({name: given[name] for name in names if name in given}, kind.wire.attributes)
        except msgspec.ValidationError as error:
            document.wrong(at, f"{row.asset}: {error}.")
            continue
        device = row.device or row.asset
        name, zone = row.name or row.asset, row.zone or None
        found.append(Asset(first + number, row.asset, row.kind, name, zone, row.lat, row.lon, attributes, device))
    return found


def _registry(assets: list[Asset], told: Told) -> Registry:
    """The town; assets whose interval nobody gave report as often as the test has samples."""
    every_s = read_duration_s(told.every)
    rows = [
        each
        if each.attributes.report_every_s
        else replace(each, attributes=msgspec.structs.replace(each.attributes, report_every_s=every_s))
        for each in assets
    ]
    zones = [Zone(name, name) for name in sorted({each.zone for each in rows if each.zone})]
    served = [Installation(each.device, each.kind, each.asset_id) for each in rows if each.device]
    return Registry.build(1, zones, rows, served)

"""Drains as a report for the water authority: Einstau and Überstau, how long, how high, how much, and of what data."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from lamplighter.report.page import Bars, Page, Series, Table
from lamplighter.report.words import Language, Words, number, words
from storage.drainage import Drain, Event
from telemetry.alarms import AlarmType

POLENI = 2 / 3 * 0.6 * (2 * 9.81) ** 0.5
"""Discharge of a weir in m³/s for each metre of its edge and head of 1 m, with a coefficient of 0.6 (Poleni)."""
EINSTAU, UEBERSTAU = AlarmType.DRAIN_HIGH, AlarmType.DRAIN_OVERFLOW
NAMES = {EINSTAU: "Einstau", UEBERSTAU: "Überstau"}

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found between two moments; `volume_m3` by asset, of the drains whose edge is known."""

    since: dt.datetime
    until: dt.datetime
    timezone: ZoneInfo
    drains: Sequence[Drain]
    events: Sequence[Event]
    volume_m3: Mapping[int, float] = field(default_factory=dict)

    def of(self, drain: Drain, kind: AlarmType) -> list[Event]:
        """A drain's events of one kind."""
        return [each for each in self.events if each.asset_id == drain.asset_id and each.type == kind]

    def hours(self, events: Sequence[Event]) -> float:
        """How long events lasted within the span."""
        ends = [(max(each.began, self.since), min(each.ended or self.until, self.until)) for each in events]
        return sum(max((end - begin).total_seconds(), 0) for begin, end in ends) / 3600

    def local(self, moment: dt.datetime | None) -> str:
        """A moment on the town's clock."""
        return "" if moment is None else f"{moment.astimezone(self.timezone):%Y-%m-%dT%H:%M:%S%z}"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is that of the CSV, `heading` that of the page, `meaning` a sentence on it."""

    name: Words
    heading: Words
    meaning: Words
    value: Callable[[Findings, Any, Language], Value]


NOT_ESTIMATED = words("not estimated", "nicht geschätzt")


def _peak(found: Findings, drain: Drain, language: Language) -> Value:
    peaks = [each.peak_m for each in found.events if each.asset_id == drain.asset_id and each.peak_m is not None]
    return round(max(peaks), 3) if peaks else ""


def _volume(found: Findings, drain: Drain, language: Language) -> Value:
    volume = found.volume_m3.get(drain.asset_id)
    return NOT_ESTIMATED[language] if volume is None else round(volume, 1)


def _stage(kind: AlarmType) -> tuple[Column, Column]:
    name, key = NAMES[kind], "einstau" if kind is EINSTAU else "ueberstau"
    at = ("the crown", "dem Scheitel") if kind is EINSTAU else ("the ground", "der Geländeoberkante")
    return (
        Column(
            words(f"{key}_count", f"{key}_anzahl"),
            words(name, name),
            words(f"how often the level was at or above {at[0]}", f"wie oft der Wasserstand an oder über {at[1]} lag"),
            lambda found, drain, language: len(found.of(drain, kind)),
        ),
        Column(
            words(f"{key}_hours", f"{key}_stunden"),
            words(f"{name}, h", f"{name}, h"),
            words("how long, within these days", "wie lange, innerhalb dieser Tage"),
            lambda found, drain, language: round(found.hours(found.of(drain, kind)), 2),
        ),
    )


DRAIN_COLUMNS = (
    Column(
        words("drain", "schacht"),
        words("Drain", "Schacht"),
        words("as it is registered", "wie er im Register steht"),
        lambda found, drain, language: str(drain.asset),
    ),
    Column(
        words("name", "name"),
        words("Name", "Name"),
        words("its place", "sein Ort"),
        lambda found, drain, language: str(drain.name),
    ),
    *_stage(EINSTAU),
    *_stage(UEBERSTAU),
    Column(
        words("peak_m", "hoechststand_m"),
        words("Peak, m", "Höchststand, m"),
        words("the highest level above the invert in these events", "der höchste Stand über der Sohle dabei"),
        _peak,
    ),
    Column(
        words("volume_m3", "volumen_m3"),
        words("Volume, m³", "Volumen, m³"),
        words(
            "water spilled over the registered sill, else at ground level: weir formula of Poleni with a coefficient "
            "of 0.6 over the edge length spill_edge_m of the rule file, each level held until the next; without "
            "that length not estimated; what was stored in the pipes is not estimated",
            "über die Schwelle, sonst auf Geländehöhe ausgetretenes Wasser: Überfallformel nach Poleni mit Beiwert 0,6 "
            "über die Kantenlänge spill_edge_m der Regeldatei, jeder Stand gilt bis zum nächsten; ohne diese Länge "
            "nicht geschätzt; im Kanal gestautes Volumen wird nicht geschätzt",
        ),
        _volume,
    ),
    Column(
        words("received", "empfangen"),
        words("Readings", "Messwerte"),
        words("readings that were stored", "gespeicherte Messwerte"),
        lambda found, drain, language: int(drain.received),
    ),
    Column(
        words("expected", "erwartet"),
        words("Expected", "Erwartet"),
        words("one a report interval while a device served it", "einer je Meldeintervall, solange ein Gerät dort war"),
        lambda found, drain, language: round(drain.expected),
    ),
    Column(
        words("completeness_pct", "vollstaendigkeit_pct"),
        words("Complete, %", "Vollständig, %"),
        words(
            "readings of those expected; of each hour no more than one an interval counts",
            "Anteil der erwarteten Messwerte; je Stunde zählt höchstens einer je Intervall",
        ),
        lambda found, drain, language: _complete_pct([drain]),
    ),
)

EVENT_COLUMNS = (
    Column(
        words("drain", "schacht"),
        words("Drain", "Schacht"),
        words("as it is registered", "wie er im Register steht"),
        lambda found, event, language: str(event.asset),
    ),
    Column(
        words("event", "ereignis"),
        words("Event", "Ereignis"),
        words("Einstau: at or above the crown; Überstau: the ground", "Einstau: ab Scheitel; Überstau: ab Gelände"),
        lambda found, event, language: NAMES[AlarmType(event.type)],
    ),
    Column(
        words("began", "beginn"),
        words("Began", "Beginn"),
        words("the first reading at or above that height", "der erste Messwert ab dieser Höhe"),
        lambda found, event, language: found.local(event.began),
    ),
    Column(
        words("ended", "ende"),
        words("Ended", "Ende"),
        words(
            "the reading that began the clearing; empty: it lasts", "der Messwert, mit dem es endete; leer: dauert an"
        ),
        lambda found, event, language: found.local(event.ended),
    ),
    Column(
        words("hours", "stunden"),
        words("Hours", "Stunden"),
        words("how long, within these days", "wie lange, innerhalb dieser Tage"),
        lambda found, event, language: round(found.hours([event]), 2),
    ),
    Column(
        words("peak_m", "hoechststand_m"),
        words("Peak, m", "Höchststand, m"),
        words("the highest level above the invert", "der höchste Stand über der Sohle"),
        lambda found, event, language: "" if event.peak_m is None else round(event.peak_m, 3),
    ),
)

TITLE = words("Self-monitoring of drains", "Selbstüberwachung der Kanalisation")
LEAD = words(
    "Einstau and Überstau as the sensors saw them, by the alarms that were raised. That water stood in streets or "
    "buildings (Überflutung) is never claimed from a sensor.",
    "Einstau und Überstau, wie die Sensoren sie sahen, nach den ausgelösten Alarmen. Eine Überflutung von Straßen oder "
    "Gebäuden wird aus Messwerten allein nicht abgeleitet.",
)
CAPTION = words(
    "Einstau and Überstau by the day on which they began", "Einstau und Überstau nach dem Tag ihres Beginns"
)


def rows(found: Findings, language: Language, by_event: bool = False) -> list[list[Value]]:
    """The report as CSV has it: the names of the columns, then a row a drain, or an event."""
    columns, things = (EVENT_COLUMNS, found.events) if by_event else (DRAIN_COLUMNS, found.drains)
    listed: Sequence[Any] = things
    table: list[list[Value]] = [[column.name[language] for column in columns]]
    return table + [[column.value(found, each, language) for column in columns] for each in listed]


def page(found: Findings, city: str, now: dt.datetime, language: Language, by_event: bool = False) -> Page:
    """The report as a page to print; `now` is city time."""
    columns = EVENT_COLUMNS if by_event else DRAIN_COLUMNS
    table = rows(found, language, by_event)[1:]
    over = {each.asset_id for each in found.events if each.type == UEBERSTAU}
    listed: Sequence[Drain | Event] = found.events if by_event else found.drains
    days = f"{found.since.astimezone(found.timezone):%Y-%m-%d} – {_last_day(found):%Y-%m-%d}"
    return Page(
        language=language,
        title=TITLE[language],
        subtitle=" · ".join(part for part in (city, days) if part),
        lead=LEAD[language],
        verdict=verdict(found)[language],
        is_bad=bool(over),
        bars=_bars(found, language),
        table=Table(
            [column.heading[language] for column in columns],
            [[_cell(value, language) for value in row] for row in table],
            {index for index, each in enumerate(listed) if each.asset_id in over},
        ),
        notes=[(column.heading[language], column.meaning[language]) for column in columns],
        made=words(f"Made {now:%Y-%m-%d %H:%M} UTC.", f"Erstellt {now:%Y-%m-%d %H:%M} UTC.")[language],
    )


def verdict(found: Findings) -> Words:
    """The report in a sentence."""
    if not found.drains:
        return words("No drain was observed in these days.", "In diesen Tagen wurde kein Schacht beobachtet.")
    counts = [sum(each.type == kind for each in found.events) for kind in (EINSTAU, UEBERSTAU)]
    complete, several = _complete_pct(found.drains), len(found.drains) > 1
    names = ("drains", "Schächten") if several else ("drain", "Schacht")
    english, german = (f"{len(found.drains)} {name}" for name in names)
    share = number_with_point(complete, Language.GERMAN)
    return words(
        f"{counts[0]} × Einstau and {counts[1]} × Überstau at {english}; {complete:g} % of the expected readings came.",
        f"{counts[0]} × Einstau und {counts[1]} × Überstau an {german}; {share} % der erwarteten Messwerte liegen vor.",
    )


def number_with_point(value: float, language: Language) -> str:
    """A number with its decimals, as people of the language write it."""
    return f"{value:g}".replace(".", ",") if language is Language.GERMAN else f"{value:g}"


def _complete_pct(drains: Sequence[Drain]) -> float:
    expected = sum(each.expected for each in drains)
    counted = sum(min(each.counted, each.expected) for each in drains)
    return round(100 * counted / expected, 1) if expected else 0.0


def _last_day(found: Findings) -> dt.datetime:
    return (found.until - dt.timedelta(microseconds=1)).astimezone(found.timezone)


def _bars(found: Findings, language: Language) -> Bars:
    first = found.since.astimezone(found.timezone).date()
    days = [first + dt.timedelta(days=day) for day in range((_last_day(found).date() - first).days + 1)]
    began = [(each.began.astimezone(found.timezone).date(), each.type) for each in found.events]
    return Bars(
        CAPTION[language],
        [str(day) for day in days],
        [
            Series(NAMES[kind], colour, [began.count((day, kind.value)) for day in days])
            for kind, colour in ((EINSTAU, "#2b6c8f"), (UEBERSTAU, "#b3261e"))
        ],
    )


def _cell(value: Value, language: Language) -> str:
    if isinstance(value, float):
        return number_with_point(value, language)
    return number(value, language) if isinstance(value, int) else value

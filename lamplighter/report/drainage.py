"""Drains as a report for the water authority: Einstau and Überstau, how long, how high, how much, and of what data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from lamplighter.report.sheet import Bars, Column, Report, Series, Value
from lamplighter.report.words import Language, Words, decimal, words
from storage.drainage import Drain, Event
from telemetry.alarms import AlarmType

POLENI = 2 / 3 * 0.6 * (2 * 9.81) ** 0.5
"""Discharge of a weir in m³/s for each metre of its edge and head of 1 m, with a coefficient of 0.6 (Poleni)."""
EINSTAU, UEBERSTAU = AlarmType.DRAIN_HIGH, AlarmType.DRAIN_OVERFLOW
NAMES = {EINSTAU: "Einstau", UEBERSTAU: "Überstau"}


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
class Watched:
    """A drain among what was found."""

    found: Findings
    drain: Drain

    def peak_m(self) -> Value:
        """The highest level of its events, empty where none tells one."""
        peaks = [
            each.peak_m
            for each in self.found.events
            if each.asset_id == self.drain.asset_id and each.peak_m is not None
        ]
        return round(max(peaks), 3) if peaks else ""

    def volume_m3(self) -> Value | Words:
        """What it spilled, if its edge is known."""
        volume = self.found.volume_m3.get(self.drain.asset_id)
        return words("not estimated", "nicht geschätzt") if volume is None else round(volume, 1)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event among what was found."""

    found: Findings
    event: Event


def _stage(kind: AlarmType) -> tuple[Column[Watched], Column[Watched]]:
    name, key = NAMES[kind], "einstau" if kind is EINSTAU else "ueberstau"
    at = ("the crown", "dem Scheitel") if kind is EINSTAU else ("the ground", "der Geländeoberkante")
    return (
        Column(
            words(f"{key}_count", f"{key}_anzahl"),
            words(name, name),
            words(f"how often the level was at or above {at[0]}", f"wie oft der Wasserstand an oder über {at[1]} lag"),
            lambda row: len(row.found.of(row.drain, kind)),
        ),
        Column(
            words(f"{key}_hours", f"{key}_stunden"),
            words(f"{name}, h", f"{name}, h"),
            words("how long, within these days", "wie lange, innerhalb dieser Tage"),
            lambda row: round(row.found.hours(row.found.of(row.drain, kind)), 2),
            digits=2,
        ),
    )


DRAIN_COLUMNS: tuple[Column[Watched], ...] = (
    Column(
        words("drain", "schacht"),
        words("Drain", "Schacht"),
        words("as it is registered", "wie er im Register steht"),
        lambda row: row.drain.asset,
    ),
    Column(
        words("name", "name"),
        words("Name", "Name"),
        words("its place", "sein Ort"),
        lambda row: row.drain.name,
    ),
    *_stage(EINSTAU),
    *_stage(UEBERSTAU),
    Column(
        words("peak_m", "hoechststand_m"),
        words("Peak, m", "Höchststand, m"),
        words("the highest level above the invert in these events", "der höchste Stand über der Sohle dabei"),
        Watched.peak_m,
        digits=3,
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
        Watched.volume_m3,
    ),
    Column(
        words("received", "empfangen"),
        words("Readings", "Messwerte"),
        words("readings that were stored", "gespeicherte Messwerte"),
        lambda row: row.drain.received,
    ),
    Column(
        words("expected", "erwartet"),
        words("Expected", "Erwartet"),
        words(
            "one a report interval while a device served it, from its first reading or its registration on",
            "einer je Meldeintervall, solange ein Gerät dort war, ab dem ersten Messwert oder der Registrierung",
        ),
        lambda row: round(row.drain.expected),
    ),
    Column(
        words("completeness_pct", "vollstaendigkeit_pct"),
        words("Complete, %", "Vollständig, %"),
        words(
            "readings of those expected; of each hour no more than one an interval counts",
            "Anteil der erwarteten Messwerte; je Stunde zählt höchstens einer je Intervall",
        ),
        lambda row: _complete_pct([row.drain]),
    ),
)

EVENT_COLUMNS: tuple[Column[Happened], ...] = (
    Column(
        words("drain", "schacht"),
        words("Drain", "Schacht"),
        words("as it is registered", "wie er im Register steht"),
        lambda row: row.event.asset,
    ),
    Column(
        words("event", "ereignis"),
        words("Event", "Ereignis"),
        words("Einstau: at or above the crown; Überstau: the ground", "Einstau: ab Scheitel; Überstau: ab Gelände"),
        lambda row: NAMES[AlarmType(row.event.type)],
    ),
    Column(
        words("began", "beginn"),
        words("Began", "Beginn"),
        words("the first reading at or above that height", "der erste Messwert ab dieser Höhe"),
        lambda row: row.found.local(row.event.began),
    ),
    Column(
        words("ended", "ende"),
        words("Ended", "Ende"),
        words(
            "the reading that began the clearing; empty: it lasts", "der Messwert, mit dem es endete; leer: dauert an"
        ),
        lambda row: row.found.local(row.event.ended),
    ),
    Column(
        words("hours", "stunden"),
        words("Hours", "Stunden"),
        words("how long, within these days", "wie lange, innerhalb dieser Tage"),
        lambda row: round(row.found.hours([row.event]), 2),
        digits=2,
    ),
    Column(
        words("peak_m", "hoechststand_m"),
        words("Peak, m", "Höchststand, m"),
        words("the highest level above the invert", "der höchste Stand über der Sohle"),
        lambda row: "" if row.event.peak_m is None else round(row.event.peak_m, 3),
        digits=3,
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


def report(found: Findings, by_event: bool = False) -> Report[Any]:
    """A row a drain, or an event; what overflowed stands out."""
    listed: Sequence[Drain | Event] = found.events if by_event else found.drains
    over = {each.asset_id for each in found.events if each.type == UEBERSTAU}
    return Report(
        title=TITLE,
        lead=LEAD,
        span=f"{found.since.astimezone(found.timezone):%Y-%m-%d} – {_last_day(found):%Y-%m-%d}",
        verdict=verdict(found),
        columns=EVENT_COLUMNS if by_event else DRAIN_COLUMNS,
        rows=[Happened(found, each) if isinstance(each, Event) else Watched(found, each) for each in listed],
        bars=_bars(found),
        bad={index for index, each in enumerate(listed) if each.asset_id in over},
    )


def verdict(found: Findings) -> Words:
    """The report in a sentence."""
    if not found.drains:
        return words("No drain was observed in these days.", "In diesen Tagen wurde kein Schacht beobachtet.")
    counts = [sum(each.type == kind for each in found.events) for kind in (EINSTAU, UEBERSTAU)]
    complete, several = _complete_pct(found.drains), len(found.drains) > 1
    names = ("drains", "Schächten") if several else ("drain", "Schacht")
    english, german = (f"{len(found.drains)} {name}" for name in names)
    shares = [decimal(complete, language) for language in Language]
    return words(
        f"{counts[0]} × Einstau and {counts[1]} × Überstau at {english}; {shares[0]} % of the expected readings came.",
        f"{counts[0]} × Einstau und {counts[1]} × Überstau an {german}; "
        f"{shares[1]} % der erwarteten Messwerte liegen vor.",
    )


def _complete_pct(drains: Sequence[Drain]) -> float:
    expected = sum(each.expected for each in drains)
    counted = sum(min(each.counted, each.expected) for each in drains)
    return round(100 * counted / expected, 1) if expected else 0.0


def _last_day(found: Findings) -> dt.datetime:
    return (found.until - dt.timedelta(microseconds=1)).astimezone(found.timezone)


def _bars(found: Findings) -> Bars:
    first = found.since.astimezone(found.timezone).date()
    days = [first + dt.timedelta(days=day) for day in range((_last_day(found).date() - first).days + 1)]
    began = [(each.began.astimezone(found.timezone).date(), each.type) for each in found.events]
    return Bars(
        CAPTION,
        [str(day) for day in days],
        [
            Series(words(NAMES[kind], NAMES[kind]), colour, [began.count((day, kind.value)) for day in days])
            for kind, colour in ((EINSTAU, "#2b6c8f"), (UEBERSTAU, "#b3261e"))
        ],
    )

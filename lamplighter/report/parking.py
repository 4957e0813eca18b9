"""Use of parking zones as a report: how full by day, how many cars, the fullest hour; nothing about a single bay."""

import datetime as dt
from collections.abc import Sequence

from lamplighter.report.sheet import Bars, Column, Report, of_wholes
from lamplighter.report.words import Language, Words, decimal, number, words
from storage.parking import Used


def known_pct(row: Used) -> float:
    """For which share of a whole day the zone's bays are known, 0–100."""
    return round(min(100.0, 100 * row.known_h / (24 * row.bays)), 1) if row.bays else 0.0


COLUMNS: tuple[Column[Used], ...] = (
    Column(
        words("day", "tag"),
        words("Day", "Tag"),
        words("by the town's wall clock", "nach Ortszeit"),
        lambda row: row.day.isoformat(),
    ),
    Column(
        words("zone", "zone"),
        words("Zone", "Zone"),
        words("the parking zone", "die Parkzone"),
        lambda row: row.zone,
    ),
    Column(
        words("bays", "plaetze"),
        words("Bays", "Plätze"),
        words("that are registered there today, reserved ones too", "die heute dort geführt werden, auch reservierte"),
        lambda row: row.bays,
    ),
    Column(
        words("known_pct", "bekannt_pct"),
        words("Known, %", "Bekannt, %"),
        words(
            "of the day's bay-hours; a bay that is silent for too long is unknown",
            "der Platzstunden des Tages; wer zu lange schweigt, ist unbekannt",
        ),
        known_pct,
    ),
    Column(
        words("taken_pct", "belegt_pct"),
        words("Taken, %", "Belegt, %"),
        words("of the time that is known", "der bekannten Zeit"),
        lambda row: round(100 * row.taken_h / row.known_h, 1),
    ),
    Column(
        words("arrivals", "ankuenfte"),
        words("Arrivals", "Ankünfte"),
        words("changes of a bay from free to taken", "Wechsel eines Platzes von frei zu belegt"),
        lambda row: row.arrivals,
    ),
    Column(
        words("arrivals_per_bay", "ankuenfte_je_platz"),
        words("Per bay", "Je Platz"),
        words("arrivals for each bay", "Ankünfte je Platz"),
        lambda row: round(row.arrivals / row.bays, 2) if row.bays else "",
    ),
    Column(
        words("fullest_hour", "vollste_stunde"),
        words("Fullest hour", "Vollste Stunde"),
        words(
            "the hour that begins then, if half of it is known",
            "die Stunde, die dann beginnt, wenn sie halb bekannt ist",
        ),
        lambda row: "" if row.fullest_hour is None else f"{row.fullest_hour:02}:00",
    ),
    Column(
        words("fullest_pct", "vollste_pct"),
        words("Taken then, %", "Dann belegt, %"),
        words("of the time that is known in that hour", "der bekannten Zeit dieser Stunde"),
        lambda row: "" if row.fullest_pct is None else round(row.fullest_pct, 1),
    ),
)

TITLE = words("Use of parking zones", "Nutzung der Parkzonen")
CAPTION = words("Taken each day, bay-hours", "Je Tag belegt, Platzstunden")


def report(found: Sequence[Used], first: dt.date, last: dt.date, missed_intervals: int) -> Report[Used]:
    """A row a zone and day, between two local days that both count; so many missed reports make a bay unknown."""
    lead = words(
        "How long bays were taken, of the time for which they are known. What a bay reports holds until its next "
        f"report, at most for {missed_intervals} of its report intervals. The report knows zones and no single bay.",
        "Wie lange Plätze belegt waren, gemessen an der Zeit, für die sie bekannt sind. Was ein Platz meldet, gilt bis "
        f"zur nächsten Meldung, höchstens {missed_intervals} Meldeabstände lang. Der Bericht kennt Zonen und keinen "
        "einzelnen Platz.",
    )
    return Report(TITLE, lead, f"{first} – {last}", verdict(found), COLUMNS, found, _bars(found))


def verdict(found: Sequence[Used]) -> Words:
    """The report in a sentence."""
    known, taken = sum(each.known_h for each in found), sum(each.taken_h for each in found)
    if known <= 0:
        return words("No bay said anything in this time.", "In dieser Zeit hat kein Platz etwas gemeldet.")
    share, arrivals = 100 * taken / known, sum(each.arrivals for each in found)
    english, german = ((decimal(share, language), number(arrivals, language)) for language in Language)
    return words(
        f"Bays were taken {english[0]} % of the time; {english[1]} cars came.",
        f"Die Plätze waren {german[0]} % der Zeit belegt; {german[1]} Fahrzeuge kamen.",
    )


def _bars(found: Sequence[Used]) -> Bars:
    return of_wholes(
        CAPTION,
        found,
        name=lambda row: row.day.isoformat(),
        part=lambda row: row.taken_h,
        whole=lambda row: row.known_h,
        called=(words("taken", "belegt"), words("free", "frei")),
        rest_colour="#c8d6dd",
    )

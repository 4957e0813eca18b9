"""Energy of street lights as a report: kWh and CO₂ against full light all night, hours unlit; by street and month."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from lamplighter.report.sheet import Bars, Column, Report, Value, of_wholes
from lamplighter.report.words import Language, Words, decimal, words
from rules.sun import Sun
from storage.energy import Dark, Drawn
from telemetry.clock import to_datetime, to_us

ONE_DAY = dt.timedelta(days=1)

COLUMNS: tuple[Column[Drawn], ...] = (
    Column(
        words("month", "monat"),
        words("Month", "Monat"),
        words("by the town's wall clock", "nach Ortszeit"),
        lambda row: f"{row.month:%Y-%m}",
    ),
    Column(
        words("zone", "zone"),
        words("Zone", "Zone"),
        words("in which the lamps are registered today", "in der die Leuchten heute geführt werden"),
        lambda row: row.zone,
    ),
    Column(
        words("street", "strasse"),
        words("Street", "Straße"),
        words("the zone's name", "der Name der Zone"),
        lambda row: row.name,
    ),
    Column(
        words("lamps", "leuchten"),
        words("Lamps", "Leuchten"),
        words("whose meters told what they drew", "deren Zähler Verbrauch gemeldet haben"),
        lambda row: row.lamps,
    ),
    Column(
        words("lamps_unknown", "leuchten_unbekannt"),
        words("Not counted", "Nicht gezählt"),
        words(
            "lamps that never gave light enough to tell what they draw at full light",
            "Leuchten, deren Leistung bei vollem Licht nicht bekannt ist",
        ),
        lambda row: row.lamps_unknown,
    ),
    Column(
        words("lamp_nights", "leuchtennaechte"),
        words("Lamp-nights", "Leuchtennächte"),
        words("local days of a lamp with a reading of its meter", "Tage einer Leuchte mit Zählerstand"),
        lambda row: row.nights,
    ),
    Column(
        words("full_kwh", "volllicht_kwh"),
        words("At full light, kWh", "Bei vollem Licht, kWh"),
        words(
            "each lamp's power at full light times the hours from dusk to dawn between its meter's readings",
            "Leistung jeder Leuchte bei vollem Licht mal Stunden von Dämmerung zu Dämmerung zwischen Zählerständen",
        ),
        lambda row: round(row.full_kwh, 3),
    ),
    Column(
        words("drawn_kwh", "verbrauch_kwh"),
        words("Drawn, kWh", "Verbrauch, kWh"),
        words("what the meters counted, standby included", "von den Zählern gezählt, mit Bereitschaft"),
        lambda row: round(row.drawn_kwh, 3),
    ),
    Column(
        words("saved_kwh", "gespart_kwh"),
        words("Saved, kWh", "Gespart, kWh"),
        words("the difference", "die Differenz"),
        lambda row: round(row.full_kwh - row.drawn_kwh, 3),
    ),
    Column(
        words("saved_pct", "gespart_pct"),
        words("Saved, %", "Gespart, %"),
        words("of what full light would have taken", "von dem, was volles Licht verbraucht hätte"),
        lambda row: saved_pct(row.drawn_kwh, row.full_kwh),
    ),
    Column(
        words("unlit_lamp_hours", "ausfall_leuchtenstunden"),
        words("Unlit, lamp-hours", "Ausfall, Leuchtenstunden"),
        words(
            "between dusk and dawn, by alarms that a lamp fails, or that it or its cabinet has no supply",
            "zwischen Dämmerung und Dämmerung, nach Alarmen über Ausfall oder fehlende Versorgung von Leuchte oder "
            "Schrank",
        ),
        lambda row: round(row.unlit_h, 1),
    ),
)

TITLE = words("Energy of street lights", "Energie der Straßenbeleuchtung")
LEAD = words(
    "What the lamps drew, against what they would have drawn at full light from dusk to dawn. A lamp's power at full "
    "light is the median of the highest readings of days on which it gave full light, else its highest reading scaled "
    "by the light it gave then. Days on which a lamp told nothing count neither way, nor does the time before its "
    "meter's first reading.",
    "Verbrauch der Leuchten, verglichen mit vollem Licht von der Abend- bis zur Morgendämmerung. Die Leistung einer "
    "Leuchte bei vollem Licht ist der Median der höchsten Werte von Tagen, an denen sie volles Licht gab, sonst ihr "
    "höchster Wert, hochgerechnet von der damaligen Helligkeit. Tage ohne Meldung zählen auf keiner Seite, ebenso die "
    "Zeit vor dem ersten Zählerstand.",
)
CAPTION = words("Each month, kWh", "Je Monat, kWh")


def darkness(clock: Sun, first: dt.date, last: dt.date, now: dt.datetime, timezone: ZoneInfo) -> list[Dark]:
    """When lamps burn by the sun on each local day up to now; both days count."""
    found: list[Dark] = []
    day = first
    while day <= last:
        begin = dt.datetime.combine(day, dt.time(), timezone)
        day += ONE_DAY
        since_us, end_us = to_us(begin), to_us(dt.datetime.combine(day, dt.time(), timezone))
        until_us = max(since_us, min(end_us, to_us(now)))
        dark, before_us = clock.dark_at(since_us), since_us
        for at_us, turns_dark in [*clock.changes(since_us + 1, until_us), (until_us, False)]:
            if dark and before_us < at_us:
                found.append(Dark(begin.astimezone(dt.UTC), to_datetime(before_us), to_datetime(at_us)))
            dark, before_us = turns_dark, at_us
    return found


def saved_pct(drawn_kwh: float, full_kwh: float) -> Value:
    """The share that was saved, empty where there was nothing to save from."""
    return round(100.0 * (full_kwh - drawn_kwh) / full_kwh, 1) if full_kwh > 0 else ""


def report(found: Sequence[Drawn], first: dt.date, last: dt.date, co2_g_per_kwh: float) -> Report[Drawn]:
    """A row a zone and month, between two local days that both count; CO₂ by what the town's power comes from."""
    columns = (*COLUMNS, *_co2(co2_g_per_kwh))
    return Report(TITLE, LEAD, f"{first} – {last}", verdict(found), columns, found, _bars(found))


def _co2(g_per_kwh: float) -> tuple[Column[Drawn], Column[Drawn]]:
    def kg(kwh: float) -> float:
        return round(kwh * g_per_kwh / 1000, 3)

    return (
        Column(
            words("co2_kg", "co2_kg"),
            words("CO₂, kg", "CO₂, kg"),
            words(f"drawn, at {g_per_kwh:g} g/kWh", f"für den Verbrauch, bei {g_per_kwh:g} g/kWh"),
            lambda row: kg(row.drawn_kwh),
        ),
        Column(
            words("saved_co2_kg", "gespart_co2_kg"),
            words("CO₂ saved, kg", "CO₂ gespart, kg"),
            words("saved, at the same", "für die Ersparnis, ebenso"),
            lambda row: kg(row.full_kwh - row.drawn_kwh),
        ),
    )


def verdict(found: Sequence[Drawn]) -> Words:
    """The report in a sentence."""
    drawn, full = sum(each.drawn_kwh for each in found), sum(each.full_kwh for each in found)
    if full <= 0:
        return words("No meter told anything in this time.", "In dieser Zeit hat kein Zähler etwas gemeldet.")
    unlit_h = sum(each.unlit_h for each in found)
    figures = drawn, full - drawn, 100 * (full - drawn) / full, unlit_h
    english, german = ([decimal(each, language) for each in figures] for language in Language)
    return words(
        f"The lamps drew {english[0]} kWh and saved {english[1]} kWh ({english[2]} %) against full light all night; "
        f"they were unlit for {english[3]} lamp-hours of darkness.",
        f"Die Leuchten haben {german[0]} kWh verbraucht und gegenüber vollem Licht die ganze Nacht {german[1]} kWh "
        f"({german[2]} %) gespart; {german[3]} Leuchtenstunden fielen im Dunkeln aus.",
    )


def _bars(found: Sequence[Drawn]) -> Bars:
    return of_wholes(
        CAPTION,
        found,
        name=lambda row: f"{row.month:%Y-%m}",
        part=lambda row: row.drawn_kwh,
        whole=lambda row: row.full_kwh,
        called=(words("drawn", "verbraucht"), words("saved", "gespart")),
        rest_colour="#7fb08a",
    )

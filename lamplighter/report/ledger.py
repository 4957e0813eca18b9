"""The ledger as a report: for every UTC day what was received, what became of it, and whether that was proved."""

import datetime as dt
from collections.abc import Callable, Sequence

from lamplighter.report.sheet import Bars, Column, Report, Series, Value
from lamplighter.report.words import Language, Words, words
from storage.ledger import Check, Day

BALANCES = words("balances", "stimmt")
DIFFERS = words("differs", "weicht ab")
UNCHECKED = words("not checked", "nicht geprüft")


def _account(field: str) -> Callable[[Day], Value]:
    return lambda day: int(getattr(day.account, field))


def _check(value: Callable[[Check], Value]) -> Callable[[Day], Value]:
    return lambda day: "" if day.check is None else value(day.check)


def outcome(day: Day) -> Words:
    """What the day's last check found."""
    if day.check is None:
        return UNCHECKED
    return BALANCES if day.check.balances else DIFFERS


COLUMNS: tuple[Column[Day], ...] = (
    Column(
        words("day", "tag"),
        words("Day", "Tag"),
        words("the UTC day on which the observations were received", "der UTC-Tag, an dem die Messwerte eingingen"),
        lambda day: str(day.day),
    ),
    Column(
        words("received", "empfangen"),
        words("Received", "Empfangen"),
        words("counted on arrival, before anything is read of it", "bei der Ankunft gezählt, noch ungelesen"),
        _account("received"),
    ),
    Column(
        words("stored", "gespeichert"),
        words("Stored", "Gespeichert"),
        words("new, and kept", "neu und aufbewahrt"),
        _account("stored"),
    ),
    Column(
        words("duplicate", "doppelt"),
        words("Duplicate", "Doppelt"),
        words("there already; the first stays", "schon vorhanden; der erste Wert bleibt"),
        _account("duplicate"),
    ),
    Column(
        words("quarantined", "abgewiesen"),
        words("Quarantined", "Abgewiesen"),
        words("refused with a reason", "mit einem Grund abgewiesen"),
        _account("quarantined"),
    ),
    Column(
        words("without_fate", "ohne_verbleib"),
        words("Without fate", "Ohne Verbleib"),
        words("received less all these: 0 if nothing is lost", "empfangen ohne alle diese: 0, wenn nichts fehlt"),
        _account("without_fate"),
    ),
    Column(
        words("replayed", "nachgeholt"),
        words("Replayed", "Nachgeholt"),
        words("refused at first, stored later", "zunächst abgewiesen, später gespeichert"),
        _account("replayed"),
    ),
    Column(
        words("rows_expected", "zeilen_erwartet"),
        words("Rows expected", "Zeilen erwartet"),
        words(
            "stored and replayed until the check, without what is past its retention",
            "bis zur Prüfung gespeichert und nachgeholt, ohne das nach Fristablauf Gelöschte",
        ),
        _check(lambda check: check.rows_expected),
    ),
    Column(
        words("rows_found", "zeilen_gefunden"),
        words("Rows found", "Zeilen gefunden"),
        words("counted in the database at the check", "bei der Prüfung in der Datenbank gezählt"),
        _check(lambda check: check.rows_found),
    ),
    Column(
        words("quarantine_expected", "abgewiesene_erwartet"),
        words("Refused, expected", "Abgewiesene erwartet"),
        words(
            "refused until the check, of those whose bytes are kept",
            "bis zur Prüfung abgewiesene, deren Inhalt aufbewahrt wird",
        ),
        _check(lambda check: check.quarantine_expected),
    ),
    Column(
        words("quarantine_found", "abgewiesene_gefunden"),
        words("Refused, found", "Abgewiesene gefunden"),
        words("counted in the database at the check", "bei der Prüfung in der Datenbank gezählt"),
        _check(lambda check: check.quarantine_found),
    ),
    Column(
        words("check", "pruefung"),
        words("Check", "Prüfung"),
        words("whether everything agreed", "ob alles übereinstimmte"),
        outcome,
    ),
    Column(
        words("checked_at", "geprueft_um"),
        words("Checked", "Geprüft"),
        words("when account and rows were last compared", "wann Konto und Zeilen zuletzt verglichen wurden"),
        _check(lambda check: f"{check.checked_at:%Y-%m-%dT%H:%M:%SZ}"),
    ),
)

TITLE = words("Ledger of observations", "Nachweis über alle Messwerte")
LEAD = words(
    "Every observation that was received has exactly one fate: it was stored, was there already, or was refused with "
    "a reason. Arrivals are counted before they are read, fates as they are written; the check counts the rows that "
    "are there.",
    "Jeder empfangene Messwert hat genau einen Verbleib: Er wurde gespeichert, war schon vorhanden oder wurde mit "
    "einem Grund abgewiesen. Der Eingang wird vor dem Lesen gezählt, der Verbleib beim Schreiben; die Prüfung zählt "
    "die vorhandenen Zeilen.",
)
CAPTION = words("Observations received each day, by fate", "Empfangene Messwerte je Tag nach Verbleib")


def report(days: Sequence[Day], first: dt.date, last: dt.date) -> Report[Day]:
    """A row a day, oldest first as `days` are, between two UTC days that both count."""
    differing = {index for index, day in enumerate(days) if outcome(day) is DIFFERS}
    return Report(TITLE, LEAD, f"{first} – {last} (UTC)", verdict(days), COLUMNS, days, _bars(days), differing)


def verdict(days: Sequence[Day]) -> Words:
    """The report in a sentence."""
    differing = [str(day.day) for day in days if outcome(day) is DIFFERS]
    unchecked = sum(outcome(day) is UNCHECKED for day in days)
    if not days:
        return words("Nothing was received in this time.", "In dieser Zeit wurde nichts empfangen.")
    if differing:
        names = ", ".join(differing)
        return words(f"The account does not balance on {names}.", f"Das Konto geht nicht auf am {names}.")
    if unchecked:
        return words(
            f"No difference was found; days not checked yet: {unchecked}.",
            f"Keine Abweichung gefunden; noch nicht geprüfte Tage: {unchecked}.",
        )
    return words(
        "The account of every day balances, and at its last check every row was there.",
        "Das Konto jedes Tages geht auf, und bei der letzten Prüfung war jede Zeile vorhanden.",
    )


def _bars(days: Sequence[Day]) -> Bars:
    fates = {column.name[Language.ENGLISH]: column.heading for column in COLUMNS}
    return Bars(
        CAPTION,
        [str(day.day) for day in days],
        [
            Series(fates[fate], colour, [int(getattr(day.account, fate)) for day in days])
            for fate, colour in (("stored", "#2b6c8f"), ("duplicate", "#a9c7d6"), ("quarantined", "#d9822b"))
        ],
    )

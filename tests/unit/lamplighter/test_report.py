"""The ledger's report: what it says of days that balance, that differ and that nobody has checked."""

import datetime as dt
import re
import xml.etree.ElementTree as ElementTree

from lamplighter.report.ledger import report, verdict
from lamplighter.report.page import html
from lamplighter.report.sheet import Report
from lamplighter.report.words import Language
from storage.ledger import Check, Day, Ledger

NOW = dt.datetime(2026, 11, 24, 6, 0, tzinfo=dt.UTC)


def day(number: int, check: Check | None = None) -> Day:
    date = dt.date(2026, 11, number)
    return Day(date, Ledger(12_345, 12_000, 340, 5, 0, 0, 1, 2, 0, date), check)


def checked(found: int, since: dt.datetime | None = None) -> Check:
    return Check(NOW, 0, 12_002, found, 4, 4, since)


BALANCED, DIFFERING, UNCHECKED = day(21, checked(12_002)), day(22, checked(12_001, NOW)), day(23)


def page(days: list[Day], language: Language = Language.ENGLISH, city: str = "") -> str:
    return html(of(days), city, NOW, language)


def of(days: list[Day]) -> Report[Day]:
    return report(days, dt.date(2026, 11, 1), dt.date(2026, 11, 24))


def test_a_row_a_day_under_the_names_of_the_columns() -> None:
    head, *rows = of([BALANCED, DIFFERING, UNCHECKED]).table(Language.ENGLISH)
    assert [dict(zip(head, row, strict=True))["check"] for row in rows] == ["balances", "differs", "not checked"]
    assert dict(zip(head, rows[1], strict=True)) == {
        "day": "2026-11-22",
        "received": 12_345,
        "stored": 12_000,
        "duplicate": 340,
        "quarantined": 5,
        "without_fate": 0,
        "replayed": 2,
        "rows_expected": 12_002,
        "rows_found": 12_001,
        "quarantine_expected": 4,
        "quarantine_found": 4,
        "checked_at": "2026-11-24T06:00:00Z",
        "check": "differs",
    }
    assert rows[2][7:] == ["", "", "", "", "not checked", ""]


def test_german_and_english_have_the_same_columns() -> None:
    english, german = (of([BALANCED]).table(language) for language in (Language.ENGLISH, Language.GERMAN))
    assert len(set(german[0])) == len(german[0]) == len(english[0])
    assert (german[0][1], german[1][-2]) == ("empfangen", "stimmt")
    assert english[1][:-2] == german[1][:-2]


def test_the_verdict_names_the_days_that_differ() -> None:
    verdicts = [
        verdict(days)[Language.ENGLISH]
        for days in ([], [BALANCED], [BALANCED, UNCHECKED], [BALANCED, DIFFERING, UNCHECKED])
    ]
    assert verdicts == [
        "Nothing was received in this time.",
        "The account of every day balances, and at its last check every row was there.",
        "No difference was found; days not checked yet: 1.",
        "The account does not balance on 2026-11-22.",
    ]


def test_the_page_stands_alone_and_escapes_what_it_shows() -> None:
    text = page([BALANCED, DIFFERING], Language.GERMAN, city="Hohen<ruhr>")
    assert text.startswith('<!doctype html>\n<html lang="de">')
    assert "Hohen&lt;ruhr&gt; · 2026-11-01 – 2026-11-24 (UTC)" in text
    assert "<td>12.345</td>" in text
    assert text.count('<tr class="bad">') == 1
    assert not re.search(r"https?:|src=|@import", text)


def test_the_bars_are_as_high_as_their_days() -> None:
    plot = re.search(r"<svg.*</svg>", page([BALANCED, UNCHECKED]), re.DOTALL)
    assert plot
    groups = ElementTree.fromstring(plot[0]).iter("g")
    bars = [[float(part.get("height", 0)) for part in group.iter("rect")] for group in groups]
    assert [round(sum(bar)) for bar in bars] == [168, 168]
    assert bars[0][0] > bars[0][1] > bars[0][2] > 0
    assert "<svg" not in page([])

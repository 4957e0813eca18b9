"""The use of parking zones, as it is said."""

import datetime as dt

from lamplighter.report import page, parking
from lamplighter.report.words import Language
from storage.parking import Used

FRIDAY = Used("market", "Market", dt.date(2026, 11, 20), 50, 1_200.0, 900.0, 1_310, 11, 98.4)
SILENT = Used("station", "Station", dt.date(2026, 11, 20), 10, 1.0, 0.0, 0, None, None)


def test_a_row_a_zone_and_day() -> None:
    head, friday, silent = parking.report([FRIDAY, SILENT], FRIDAY.day, FRIDAY.day, 3).table(Language.ENGLISH)
    assert dict(zip(head, friday, strict=True)) == {
        "day": "2026-11-20",
        "zone": "market",
        "bays": 50,
        "known_pct": 100.0,
        "taken_pct": 75.0,
        "arrivals": 1_310,
        "arrivals_per_bay": 26.2,
        "fullest_hour": "11:00",
        "fullest_pct": 98.4,
    }
    assert silent[3:] == [0.4, 0.0, 0, 0.0, "", ""]


def test_the_verdict_in_both_languages_and_of_nothing() -> None:
    assert parking.verdict([FRIDAY])[Language.ENGLISH] == "Bays were taken 75.0 % of the time; 1,310 cars came."
    assert "75,0 % der Zeit belegt; 1.310 Fahrzeuge" in parking.verdict([FRIDAY])[Language.GERMAN]
    assert parking.verdict([])[Language.ENGLISH] == "No bay said anything in this time."


def test_the_page_holds_the_table_and_no_single_bay() -> None:
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    shown = page.html(parking.report([FRIDAY], FRIDAY.day, FRIDAY.day, 4), "Witten", now, Language.GERMAN)
    assert "Nutzung der Parkzonen" in shown
    assert "Vollste Stunde" in shown
    assert "höchstens 4 Meldeabstände lang" in shown

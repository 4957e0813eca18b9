"""Energy saved against full light all night: the hours of darkness, the sums, and how they are said."""

import datetime as dt
from zoneinfo import ZoneInfo

from lamplighter.report import energy
from lamplighter.report.words import Language
from storage.energy import Dark, Drawn
from tests.parts.cities import BERLIN, SUN

MAY = Drawn("ring", "Ringstraße", dt.date(2026, 5, 1), 10, 1, 310, 800.0, 2000.0, 12.5)
JUNE = Drawn("ring", "Ringstraße", dt.date(2026, 6, 1), 10, 0, 300, 1200.5, 1000.0, 0.0)


LATER = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def hours(first: dt.date, last: dt.date, timezone: ZoneInfo = BERLIN) -> list[float]:
    return by_day(energy.darkness(SUN, first, last, LATER, timezone))


def by_day(darkness: list[Dark]) -> list[float]:
    days = {each.day: 0.0 for each in darkness}
    for each in darkness:
        days[each.day] += (each.ends - each.begins) / dt.timedelta(hours=1)
    return [round(each, 1) for each in days.values()]


def test_the_hours_from_dusk_to_dawn_of_local_days() -> None:
    assert hours(dt.date(2026, 6, 21), dt.date(2026, 6, 22)) == [5.8, 5.8]
    assert hours(dt.date(2026, 12, 21), dt.date(2026, 12, 21)) == [14.8]


def test_of_today_and_of_days_to_come_counts_what_was() -> None:
    now, today = dt.datetime(2026, 12, 21, 3, tzinfo=dt.UTC), dt.date(2026, 12, 21)
    found = energy.darkness(SUN, today, today + dt.timedelta(days=1), now, BERLIN)
    assert by_day(found) == [4.0]


def test_the_day_on_which_the_clocks_are_put_back_has_25_hours() -> None:
    found = energy.darkness(SUN, dt.date(2026, 10, 25), dt.date(2026, 10, 26), LATER, BERLIN)
    sunday, monday = sorted({each.day for each in found})
    assert monday - sunday == dt.timedelta(hours=25)


def test_saved_is_what_full_light_would_have_taken_less_what_was_drawn() -> None:
    head, may, june = energy.report([MAY, JUNE], MAY.month, JUNE.month, 500).table(Language.ENGLISH)
    assert dict(zip(head, may, strict=True)) == {
        "month": "2026-05",
        "zone": "ring",
        "street": "Ringstraße",
        "lamps": 10,
        "lamps_unknown": 1,
        "lamp_nights": 310,
        "full_kwh": 2000.0,
        "drawn_kwh": 800.0,
        "saved_kwh": 1200.0,
        "saved_pct": 60.0,
        "unlit_lamp_hours": 12.5,
        "co2_kg": 400.0,
        "saved_co2_kg": 600.0,
    }
    assert june[-5:-2] == [-200.5, -20.1, 0.0]


def test_the_verdict_in_both_languages() -> None:
    assert energy.verdict([MAY])[Language.ENGLISH] == (
        "The lamps drew 800.0 kWh and saved 1,200.0 kWh (60.0 %) against full light all night; "
        "they were unlit for 12.5 lamp-hours of darkness."
    )
    assert "1.200,0 kWh (60,0 %)" in energy.verdict([MAY])[Language.GERMAN]
    assert energy.verdict([])[Language.ENGLISH] == "No meter told anything in this time."

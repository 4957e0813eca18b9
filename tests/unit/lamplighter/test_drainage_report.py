"""The drains' report: Einstau and Überstau within the days asked for, and what is not known is said."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from lamplighter.report.drainage import Findings, report, verdict
from lamplighter.report.page import html
from lamplighter.report.words import Language
from storage.drainage import Drain, Event

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = dt.datetime(2026, 11, 23, tzinfo=BERLIN)
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime(2026, 11, 25, 6, 0, tzinfo=dt.UTC)


def found(*events: Event, volume_m3: float | None = None) -> Findings:
    drains = [
        Drain(1, "D-1", "Am Markt", "a", {}, 300.0, 288.0, 330, 280.0),
        Drain(2, "D-2", "<Kanal>", None, {}, 300.0, 288.0, 0, 0.0),
    ]
    volumes = {} if volume_m3 is None else {1: volume_m3}
    return Findings(MONDAY, MONDAY + 24 * HOUR, BERLIN, drains, list(events), volumes)


FLOOD = (
    Event(1, "D-1", "drain_high", MONDAY - HOUR, MONDAY + 2 * HOUR, 1.62),
    Event(1, "D-1", "drain_overflow", MONDAY + HOUR, None, 1.62),
)


def test_a_row_a_drain_counts_what_lies_within_the_days() -> None:
    head, first, second = report(found(*FLOOD, volume_m3=12.34)).table(Language.ENGLISH)
    assert dict(zip(head, first, strict=True)) == {
        "drain": "D-1",
        "name": "Am Markt",
        "einstau_count": 1,
        "einstau_hours": 2.0,
        "ueberstau_count": 1,
        "ueberstau_hours": 23.0,
        "peak_m": 1.62,
        "volume_m3": 12.3,
        "received": 330,
        "expected": 288,
        "completeness_pct": 97.2,
    }
    assert second[2:8] == [0, 0.0, 0, 0.0, "", "not estimated"]


def test_a_row_an_event_by_the_towns_clock() -> None:
    _, high, overflow = report(found(*FLOOD), by_event=True).table(Language.GERMAN)
    assert high == ["D-1", "Einstau", "2026-11-22T23:00:00+0100", "2026-11-23T02:00:00+0100", 2.0, 1.62]
    assert overflow[1:4] == ["Überstau", "2026-11-23T01:00:00+0100", ""]


@pytest.mark.parametrize("by_event", [False, True])
@pytest.mark.parametrize("language", Language)
def test_the_page_never_claims_a_flood(language: Language, by_event: bool) -> None:
    page = html(report(found(*FLOOD), by_event), "Wetter", NOW, language)
    assert "<Kanal>" not in page
    told = verdict(found(*FLOOD))[language]
    assert told in page
    assert "Einstau" in told
    assert "Überflutung" not in told


def test_without_drains_it_says_so() -> None:
    nothing = Findings(MONDAY, MONDAY + HOUR, BERLIN, [], [])
    assert verdict(nothing)[Language.ENGLISH] == "No drain was observed in these days."
    assert html(report(nothing), "", NOW, Language.GERMAN)

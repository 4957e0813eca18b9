"""The ledger and the quarantine over HTTP."""

import base64
import hashlib
from datetime import date

import httpx
import pytest

from api import shapes
from storage import quarantine
from storage.ledger_check import check_day
from storage.pool import Connection
from telemetry.clock import to_us
from tests.integration.api.conftest import ago

QUARANTINE = "/ops/v1/quarantine"
LEDGER = "/ops/v1/ledger"


async def refuse(conn: Connection, n: int, reason: str = "malformed_json", device: str = "L1", size: int = 3) -> None:
    payload = b"x" * size
    await conn.execute(
        "INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (ago(0).date(), ago(0), f"t/{n}", device, hashlib.sha256(payload).digest(), n, reason, "why", payload),
    )


async def book(conn: Connection, day: str, received: int, stored: int, duplicate: int, quarantined: int) -> None:
    await conn.execute(
        "INSERT INTO ledger (day, received, stored, duplicate, quarantined) VALUES (%s, %s, %s, %s, %s)",
        (day, received, stored, duplicate, quarantined),
    )


async def test_refused_uplinks_newest_first_with_their_bytes(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await refuse(conn, 1)
    await refuse(conn, 2, "unknown_device", "nobody")
    answer = (await viewer.get(QUARANTINE)).json()
    shapes.Quarantine.model_validate(answer)
    assert [item["topic"] for item in answer["items"]] == ["t/2", "t/1"]
    newest = answer["items"][0]
    assert (newest["reason"], newest["device"], newest["detail"]) == ("unknown_device", "nobody", "why")
    assert base64.b64decode(newest["payload_base64"]) == b"xxx"
    assert newest["replayed_at"] is None


async def test_of_one_reason_or_device(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await refuse(conn, 1)
    await refuse(conn, 2, "unknown_device", "nobody")
    for filters in ({"reason": "unknown_device"}, {"device": "nobody"}):
        items = (await viewer.get(QUARANTINE, params=filters)).json()["items"]
        assert [item["topic"] for item in items] == ["t/2"]
    assert (await viewer.get(QUARANTINE, params={"reason": "boredom"})).status_code == 422


async def test_pages_of_the_quarantine(viewer: httpx.AsyncClient, conn: Connection) -> None:
    for n in range(5):
        await refuse(conn, n)
    first = (await viewer.get(QUARANTINE, params={"limit": 3})).json()
    second = (await viewer.get(QUARANTINE, params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["topic"] for item in first["items"] + second["items"]] == [f"t/{n}" for n in (4, 3, 2, 1, 0)]
    assert second["next"] is None


async def test_a_page_of_large_payloads_ends_early(
    viewer: httpx.AsyncClient, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "PAGE_BYTES_MAX", 1_000)
    for n in range(4):
        await refuse(conn, n, size=600)
    first = (await viewer.get(QUARANTINE)).json()
    assert len(first["items"]) == 2
    second = (await viewer.get(QUARANTINE, params={"cursor": first["next"]})).json()
    assert len(second["items"]) == 2
    assert second["next"] is None


async def test_the_ledger_of_nothing(viewer: httpx.AsyncClient) -> None:
    answer = (await viewer.get(LEDGER)).json()
    shapes.Ledger.model_validate(answer)
    assert answer["received"] == 0
    assert answer["since"] is None


async def test_the_ledger_adds_up_with_what_is_in_flight(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await book(conn, "2026-11-21", 10, 7, 2, 1)
    await book(conn, "2026-11-22", 5, 5, 0, 0)
    statement = "INSERT INTO ingest_instance (instance, in_flight, seen_at) VALUES (%s, %s, %s)"
    await conn.execute(statement, ("alive", 4, ago(1)))
    await conn.execute(statement, ("dead", 100, ago(60)))
    answer = (await viewer.get(LEDGER)).json()
    assert answer["received"] == 19
    assert answer["in_flight"] == 4
    assert answer["received"] == answer["stored"] + answer["duplicate"] + answer["quarantined"] + answer["in_flight"]
    assert answer["since"] == "2026-11-21T00:00:00Z"


async def test_books_that_do_not_add_up_are_shown_as_they_are(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await book(conn, "2026-11-21", 10, 7, 0, 0)
    answer = (await viewer.get(LEDGER)).json()
    assert (answer["received"], answer["stored"], answer["in_flight"]) == (10, 7, 0)


async def test_the_interface_says_what_of_the_ledger_is_the_proof(viewer: httpx.AsyncClient) -> None:
    document = (await viewer.get("/openapi.json")).json()
    description = document["paths"][LEDGER]["get"]["description"]
    assert "a view of the books" in description
    assert "The proof is each day's `check`" in description


async def test_the_ledger_by_day(viewer: httpx.AsyncClient, conn: Connection) -> None:
    for day in range(1, 6):
        await book(conn, f"2026-11-0{day}", day, day, 0, 0)
    first = (await viewer.get(LEDGER, params={"by": "day", "limit": 3})).json()
    second = (await viewer.get(LEDGER, params={"by": "day", "cursor": first["next"]})).json()
    days = [(item["day"], item["received"]) for item in first["items"] + second["items"]]
    assert days == [(f"2026-11-0{day}", day) for day in (5, 4, 3, 2, 1)]
    assert (await viewer.get(LEDGER, params={"by": "week"})).status_code == 422


async def test_a_day_shows_its_last_check(viewer: httpx.AsyncClient, conn: Connection) -> None:
    for day in (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)):
        await book(conn, str(day), 2, 0, 2, int(day.day == 2))
        if day.day < 3:
            await check_day(conn, day, to_us(ago(0)))
    answer = (await viewer.get(LEDGER, params={"by": "day"})).json()
    shapes.LedgerDays.model_validate(answer)
    unchecked, differing, balanced = (item["check"] for item in answer["items"])
    assert unchecked is None
    assert (balanced["balances"], balanced["differs_since"]) == (True, None)
    assert differing["differs_since"] == differing["checked_at"]
    assert (differing["balances"], differing["without_fate"], differing["quarantine_found"]) == (False, -1, 0)


async def test_the_ledger_is_a_figure_too(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await book(conn, "2026-11-21", 10, 7, 2, 1)
    figures = (await viewer.get("/metrics")).text
    for fate, count in (("received", 10), ("stored", 7), ("duplicate", 2), ("quarantined", 1), ("in_flight", 0)):
        assert f'lamplighter_ledger_observations{{fate="{fate}"}} {count}.0' in figures
    assert "lamplighter_ledger_days_differing 0.0" in figures
    await check_day(conn, date(2026, 11, 21), to_us(ago(0)))
    assert "lamplighter_ledger_days_differing 1.0" in (await viewer.get("/metrics")).text

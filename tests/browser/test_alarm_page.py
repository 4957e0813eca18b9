"""The page behind a link from Grafana: it asks for the token, says why, acknowledges and puts aside."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from api.app import create_app
from api.board import Board
from api.settings import ApiSettings
from lamplighter.http_server import HttpServer, listen
from storage import alarms, tokens
from storage.alarms import Raised
from storage.pool import connect, open_pool
from telemetry.alarms import AlarmType
from telemetry.clock import DAY_US
from tests.browser.conftest import lasting_fixture, now
from tests.parts.tasks import running

pytestmark = pytest.mark.asyncio(loop_scope="session")
WHY = {
    "rule_version": "witten-7",
    "inputs": {
        "level_m": 1.62,
        "observed_at": "2026-11-22T20:15:00Z",
        "rain": {"mm_h": 4.0, "from": "R-1"},
        "upstream": [{"asset": "D-16", "rises": True}, {"asset": "D-15", "level_m": None}],
    },
    "thresholds": {
        "ground_m": 1.5,
        "raise_delay_s": 360,
        "step_m_per_min_max": 0.4,
        "trend_bays_min": 2,
        "note": "<b>not markup</b>",
    },
}


@dataclass(frozen=True)
class Office:
    """Where the API answers, and an operator's token."""

    url: str
    token: str


@lasting_fixture()
async def office(database: str) -> AsyncIterator[Office]:
    async with await connect(database) as conn:
        at_us = now() - 60_000_000
        await alarms.turn(conn, [Raised("a1", "asset:D-17", "D-17", AlarmType.DRAIN_OVERFLOW, at_us, at_us, WHY)])
        _, token = await tokens.issue(
            conn, role="operator", name="night desk", expires_us=now() + DAY_US, real_now_us=now()
        )

    def city() -> int:
        """A city whose clock is another than the browser's."""
        return now() + 30 * DAY_US

    async with await open_pool(database, size=2) as pool:
        app = create_app(
            pool=pool, board=Board(city), now=city, real_now=now, dark=lambda begin, end: True, settings=ApiSettings()
        )
        server = HttpServer(app, listen("127.0.0.1", 0))
        async with running(server.serve()):
            await server.until_started()
            yield Office(server.url, token)


async def enter(page: Page, office: Office, token: str) -> None:
    await page.goto(f"{office.url}/ops/alarms/a1")
    await expect(page.get_by_label("Your token")).to_be_focused()
    await page.keyboard.type(token)
    await page.keyboard.press("Enter")


async def test_an_operator_sees_why_acknowledges_and_puts_aside(browser: Browser, office: Office) -> None:
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await enter(page, office, office.token)
    await expect(page.get_by_role("heading", level=1)).to_have_text("drain overflow: D-17")
    why = page.locator("#why")
    rows = {
        await row.locator("th").inner_text(): await row.locator("td").inner_text()
        for row in await why.locator("tr").all()
    }
    assert rows == {
        "rule version": "witten-7",
        "level": "1.62 m",
        "observed": "22 Nov 2026, 21:15:00 CET",
        "rain": "measured by R-1, intensity 4 mm/h",
        "upstream": "asset D-16, rises yes; asset D-15, level unknown",
        "ground": "1.5 m",
        "raise delay": "6 min",
        "step, at most": "0.4 m/min",
        "trend bays, at least": "2",
        "note": "<b>not markup</b>",
    }
    await expect(page.locator("main")).to_contain_text("Times are those of the town, Europe/Berlin.")
    await page.get_by_label("Note").fill("pump is on its way")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("#state")).to_have_text("acknowledged")
    await expect(page.locator("#course")).to_contain_text("night desk")
    await page.get_by_label("because").fill("pumping")
    await page.get_by_role("button", name="Put aside").click()
    await expect(page.locator("#state")).to_have_text("shelved, acknowledged underneath")
    await page.get_by_role("button", name="Take back").click()
    await expect(page.locator("#state")).to_have_text("acknowledged")
    await page.reload()
    await expect(page.locator("#state")).to_have_text("acknowledged")
    assert complaints == []
    await page.close()


async def test_a_wrong_token_is_said_to_be_one_and_kept_nowhere(browser: Browser, office: Office) -> None:
    page = await browser.new_page()
    await enter(page, office, "ll_Straße→")
    await expect(page.get_by_role("status")).to_contain_text("a character that no token has")
    await enter(page, office, "ll_guess")
    await expect(page.get_by_role("status")).to_contain_text("unknown, expired or revoked")
    await expect(page.locator("#alarm")).to_be_hidden()
    assert await page.evaluate("sessionStorage.length + localStorage.length") == 0
    await page.close()

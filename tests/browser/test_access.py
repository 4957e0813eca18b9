"""Everybody can read the residents' page: without barriers, at any size, by keyboard alone, over a slow line."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Open, Publish, lasting_fixture
from tests.browser.test_residents_page import ENGLISH, GERMAN, town

pytestmark = pytest.mark.asyncio(loop_scope="session")
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000}
"""1.6 Mbit/s both ways, and 150 ms from a request to its answer."""
LCP_MS_MAX = 1_500
BYTES_MAX = 100_000
LARGEST_PAINT = """() => new Promise((tell) => {
  const watch = new PerformanceObserver((list) => tell(list.getEntries().at(-1).startTime));
  watch.observe({ type: "largest-contentful-paint", buffered: true });
})"""


@lasting_fixture(autouse=True)
async def zones(publish: Publish) -> None:
    for word in town():
        await publish(word)


async def found_by_axe(page: Page) -> list[Any]:
    """What stands in somebody's way, by rule and place."""
    found: list[Any] = await page.evaluate(
        """async (rules) => (await axe.run({ runOnly: rules })).violations
             .map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 120))])""",
        RULES,
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_barrier_in_any_language(visit: Open, scheme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `make test` once, or `npm ci` in tests/browser")
    async with visit(**GERMAN, color_scheme=scheme, bypass_csp=True) as here:
        await expect(here.page.locator(".pin")).to_have_count(3)
        await here.page.add_script_tag(path=AXE)
        for language in ("Deutsch", "English", "Einfache Sprache"):
            await here.page.get_by_role("button", name=language).click()
            assert await found_by_axe(here.page) == [], language


@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 400)], ids=["320 px", "1280 px at 200 %"])
async def test_nothing_is_lost_where_there_is_little_room(visit: Open, width: int, height: int) -> None:
    """Zooming in halves what a browser tells the page of its width."""
    async with visit(**GERMAN, viewport={"width": width, "height": height}) as here:
        await here.page.locator("#map").scroll_into_view_if_needed()
        await expect(here.page.locator(".pin")).to_have_count(3)
        for language in ("English", "Einfache Sprache"):
            await here.page.get_by_role("button", name=language).click()
            assert await here.page.evaluate("document.documentElement.scrollWidth") <= width
            for button in await here.page.get_by_role("button").all():
                box = await button.bounding_box()
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
                assert min(box["width"], box["height"]) >= 24  # WCAG 2.2, 2.5.8


async def test_everything_is_reached_by_keyboard_and_seen_to_be(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await expect(here.page.locator(".pin")).to_have_count(3)
        wanted = await here.page.locator("main :is(a, button, #map):visible, footer a").count()
        reached = set()
        for _ in range(wanted + 6):
            await here.page.keyboard.press("Tab")
            told = await here.page.evaluate(
                """() => { const at = document.activeElement, style = getComputedStyle(at);
                     return [!!at.closest("main, footer"), style.outlineStyle !== "none",
                             [...document.querySelectorAll("a, button, #map")].indexOf(at)]; }"""
            )
            inside, outlined, place = told
            if inside:
                reached.add(place)
                assert outlined
        assert len(reached) == wanted
        await here.page.get_by_role("button", name="Most free").focus()
        await here.page.keyboard.press("Space")
        assert (await here.names())[0] == "Market"


async def test_the_list_is_read_soon_over_a_slow_line(browser: Browser, site: str) -> None:
    opened = await browser.new_context(viewport={"width": 390, "height": 844}, **GERMAN)
    page = await opened.new_page()
    session = await opened.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", SLOW)
    received = []
    session.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
    await page.goto(site)
    await expect(page.locator(".zone")).to_have_count(3)
    await page.wait_for_timeout(300)
    assert await page.evaluate(LARGEST_PAINT) <= LCP_MS_MAX
    assert await page.locator(".pin").count() == 0, "the map comes when somebody comes to see it"
    assert 0 < sum(received) < BYTES_MAX
    before = len(received)
    await page.locator("#map").scroll_into_view_if_needed()
    await expect(page.locator(".pin")).to_have_count(3)
    assert len(received) > before
    await opened.close()

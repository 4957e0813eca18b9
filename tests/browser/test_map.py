"""The residents' map: it comes when it is looked at, is used by anybody, and asks nobody else unasked."""

import itertools
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from api.settings import ApiSettings
from tests.browser.conftest import Open, Publish, lasting_fixture, moment
from tests.browser.test_access import AXE, found_by_axe
from tests.browser.test_residents_page import ENGLISH, GERMAN, town
from tests.parts.zones import zone

pytestmark = pytest.mark.asyncio(loop_scope="session")
PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
TILES = "https://tiles.example.org/{z}/{x}/{y}.png © Mapmakers <b> https://maps.example.org/copyright"


@lasting_fixture(autouse=True)
async def zones(publish: Publish) -> None:
    close = zone("close", name="Close by the market", lat=51.43632, lon=7.33522, updated_at=moment())
    for word in (*town(), close):
        await publish(word)


async def boxes(signs: Locator) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each."""
    found = [await each.bounding_box() for each in await signs.all()]
    return [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in found if box]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_for_everybody_on_a_small_phone(visit: Open, publish: Publish, scheme: str) -> None:
    async with visit(**GERMAN, **PHONE, color_scheme=scheme, bypass_csp=True) as here:
        await expect(here.page.locator(".zone")).to_have_count(4)
        assert not [url for url in here.asked if "leaflet" in url or "map." in url]
        await here.page.locator("#map").scroll_into_view_if_needed()
        await expect(here.page.locator(".pin")).to_have_count(4)
        left, top, right, bottom = (await boxes(here.page.locator("#map")))[0]
        signs = await boxes(here.page.locator(".pin"))
        assert all(left <= a and top <= b and c <= right and d <= bottom for a, b, c, d in signs)
        for a, b in itertools.combinations(signs, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "two signs cover each other"
        state = here.page.locator(".pin[href='#zone-market'] use")
        await expect(state).to_have_attribute("href", "#i-free")
        await publish(zone("market", free=0, occupied=40, updated_at=moment(), status="full"))
        await expect(state).to_have_attribute("href", "#i-full")
        if AXE.exists():
            await here.page.add_script_tag(path=AXE)
            assert await found_by_axe(here.page) == []


async def test_it_is_used_by_keyboard_alone(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        pin = here.page.get_by_role("link", name="Park 2 free (Almost full)")
        await expect(pin).to_be_visible()
        before = (await boxes(pin))[0]
        await here.page.locator("#map").focus()
        await here.page.keyboard.press("ArrowRight")
        await here.page.wait_for_timeout(400)
        assert (await boxes(pin))[0][0] < before[0]
        for _ in range(3):
            await here.page.get_by_role("button", name="Zoom in").press("Enter")
            await here.page.wait_for_timeout(400)
        left, top, right, bottom = (await boxes(here.page.locator("#map")))[0]
        await pin.focus()  # out of sight by now
        a, b, c, d = (await boxes(pin))[0]
        assert left <= a < c <= right
        assert top <= b < d <= bottom
        await here.page.keyboard.press("Enter")
        await expect(here.page.locator("#zone-park")).to_be_focused()
        assert here.complaints == []


@pytest.mark.parametrize("settings", [ApiSettings(map_tiles=TILES, database_away_s=3_600)], ids=["tiles"])
async def test_somebody_elses_tiles_are_asked_for_only_where_a_resident_wants_them(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        given: list[str] = []

        async def give(route: Route) -> None:
            given.append(route.request.url)
            await route.fulfill(body=b'<svg xmlns="http://www.w3.org/2000/svg"/>', content_type="image/svg+xml")

        await here.page.context.route("https://tiles.example.org/**", give)
        await expect(here.page.locator(".pin")).to_have_count(4)
        await expect(here.page.locator("footer")).to_contain_text("does tiles.example.org learn your internet address")
        assert given == []
        offer = here.page.get_by_role("button", name="Load the street map from tiles.example.org")
        await offer.press("Enter")
        await expect(offer).to_have_count(0)
        await expect(here.page.locator("#map")).to_be_focused()
        await expect(here.page.locator("img.leaflet-tile-loaded").first).to_be_attached()
        assert given
        maker = here.page.locator(".leaflet-control-attribution")
        await expect(maker).to_have_text("© Mapmakers <b> maps.example.org")
        await expect(maker.get_by_role("link")).to_have_attribute("href", "https://maps.example.org/copyright")
        await here.page.get_by_role("button", name="Zoom in").press("Enter")
        await here.page.wait_for_timeout(400)
        assert here.complaints == [], "the page's policy lets these tiles in"

"""The residents' page in a real browser: what it says, live, to everybody."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import expect

from telemetry.availability import Expectation, ZoneAvailability
from tests.browser.conftest import CITY, Open, Publish, lasting_fixture, moment
from tests.parts.zones import bays, zone

pytestmark = pytest.mark.asyncio(loop_scope="session")
GERMAN: Mapping[str, Any] = {"locale": "de-DE"}
ENGLISH: Mapping[str, Any] = {"locale": "en-GB"}


def town() -> list[ZoneAvailability]:
    """Three zones: free with a silent bay, full, and nearly full with bays for some."""
    few = {"disabled": bays(free=1, occupied=1), "charging": bays(occupied=2)}
    return [
        zone(
            "market",
            free=12,
            occupied=25,
            unknown=3,
            free_min=11,
            updated_at=moment(),
            trend="filling",
            forecast=ahead(),
        ),
        zone("station", free=0, occupied=40, lat=51.4345, lon=7.3305, updated_at=moment(), status="full"),
        zone(
            "park",
            free=2,
            occupied=38,
            lat=51.4402,
            lon=7.333,
            updated_at=moment(),
            restricted=few,
            closed=4,
            status="almost_full",
            forecast=(Expectation(30, moment(), 2, 0, 40, 38.0, learning=True),),
        ),
    ]


def ahead() -> tuple[Expectation, ...]:
    """What is expected of a zone that fills."""
    ends = ((15, 10, 9, 12), (30, 8, 6, 11), (60, 5, 1, 9))
    return tuple(Expectation(minutes, moment(), free, low, high, 1.5) for minutes, free, low, high in ends)


@lasting_fixture(autouse=True)
async def zones(publish: Publish) -> None:
    for word in town():
        await publish(word)


async def test_zones_are_listed_with_an_honest_range(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        assert await here.names() == ["Market", "Park", "Station"]
        market = here.page.locator("#zone-market")
        await expect(market.locator(".count")).to_have_text("12 bays free of 40")
        await expect(market.locator(".state")).to_contain_text("Available")
        await expect(market.locator(".state")).to_contain_text("filling up")
        await expect(market.locator(".range")).to_have_text("At least 11, at most 15 (3 bays do not report)")
        await expect(market.locator(".soon")).to_have_text("In 30 min about 8 free (6 to 11)")
        await expect(here.page.locator("#zone-station .state")).to_contain_text("Full")
        await expect(here.page.locator("#zone-station .soon")).to_be_hidden()
        park = here.page.locator("#zone-park")
        await expect(park.locator(".state")).to_contain_text("Almost full")
        await expect(park.locator(".soon")).to_have_text("In 30 min about 2 free (a first guess)")
        await expect(park.locator(".disabled")).to_have_text("Accessible bays: 1 of 2 free")
        await expect(park.locator(".charging")).to_have_text("Charging bays: 0 of 2 free")
        await expect(park.locator(".facts .closed")).to_have_text("4 bays closed")
        await expect(here.page.locator("#total")).to_have_text("14 of 120 bays are free right now")
        await expect(here.page.locator("#asof")).to_contain_text("updated live")
        await expect(here.page).to_have_title(f"Available parking in {CITY}")


async def test_a_change_is_seen_within_two_seconds(visit: Open, publish: Publish) -> None:
    async with visit(**ENGLISH) as here:
        number = here.page.locator("#zone-market .count strong")
        await expect(number).to_have_text("12")
        await expect(here.page.locator("#asof")).to_contain_text("live")
        begun = time.monotonic()
        await publish(zone("market", free=9, occupied=31, updated_at=moment()))
        await expect(number).to_have_text("9", timeout=2_000)
        assert time.monotonic() - begun < 2
        await expect(here.page.locator("#zone-market .range")).to_be_hidden()


async def test_a_new_zone_appears_and_one_taken_away_goes(visit: Open, publish: Publish) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await publish(zone("airport", updated_at=moment()))
        await expect(here.page.locator(".zone")).to_have_count(4)
        assert (await here.names())[0] == "Airport"
        await publish.take_away("station")
        await expect(here.page.locator(".zone")).to_have_count(3)
        assert await here.names() == ["Airport", "Market", "Park"]


async def test_nobody_else_is_asked_and_nothing_complains(visit: Open) -> None:
    async with visit(**GERMAN) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await here.page.wait_for_timeout(300)
        origin = here.page.url
        assert here.asked
        assert [url for url in here.asked if not url.startswith(origin)] == []
        assert here.complaints == []
        assert await here.page.context.cookies() == []
        assert await here.page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_the_browsers_language_is_spoken(visit: Open) -> None:
    async with visit(**GERMAN) as here:
        await expect(here.page.locator("#zone-market .count")).to_have_text("12 Plätze frei von 40")
        await expect(here.page.locator("html")).to_have_attribute("lang", "de")
    async with visit(locale="fr-FR") as here:
        await expect(here.page.locator("html")).to_have_attribute("lang", "en")


async def test_the_language_is_switched_with_the_keyboard_alone(visit: Open) -> None:
    async with visit(**GERMAN) as here:
        await expect(here.page.locator("h1")).to_have_text("Freie Parkplätze")
        for _ in range(3):  # past the skip link and "Deutsch"
            await here.page.keyboard.press("Tab")
        await expect(here.page.get_by_role("button", name="English")).to_be_focused()
        await here.page.keyboard.press("Enter")
        await expect(here.page.locator("h1")).to_have_text("Available parking")
        await expect(here.page.locator("html")).to_have_attribute("lang", "en")
        await expect(here.page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
        await here.page.reload()
        await expect(here.page.locator("h1")).to_have_text("Available parking")


async def test_it_is_said_plainly_too(visit: Open, publish: Publish) -> None:
    async with visit(**GERMAN) as here:
        await here.page.get_by_role("button", name="Einfache Sprache").click()
        await expect(here.page.locator("html")).to_have_attribute("lang", "de-simple")
        market = here.page.locator("#zone-market")
        await expect(market.locator(".soon")).to_have_text("In 30 Minuten sind vielleicht 8 Plätze frei.")
        await publish(zone("market", free=0, occupied=0, closed=40, updated_at=moment(), status="closed"))
        await expect(market.locator(".state")).to_contain_text("Geschlossen")
        assert here.page.url.endswith("?lang=simple")


async def test_the_skip_link_leads_to_the_list(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await here.page.keyboard.press("Tab")
        await here.page.keyboard.press("Enter")
        await expect(here.page.locator("#list")).to_be_focused()


async def test_only_zones_with_the_bay_one_needs(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await here.page.get_by_role("button", name="accessible bay").click()
        assert await here.names() == ["Park"]
        await here.page.get_by_role("button", name="charging bay").click()
        await expect(here.page.locator(".zone")).to_have_count(0)
        await expect(here.page.locator("#empty")).to_have_text("No zone has such a free bay at the moment.")


async def test_nearest_first_and_the_place_stays_in_the_browser(visit: Open) -> None:
    place = {"latitude": 51.4346, "longitude": 7.3306}
    async with visit(**ENGLISH, geolocation=place, permissions=["geolocation"]) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await here.page.get_by_role("button", name="Near me").click()
        await expect(here.page.locator(".zone h3").first).to_have_text("Station")
        await expect(here.page.locator("#zone-station .route")).to_contain_text("10 m away")
        assert not [url for url in here.asked if "lat=" in url or "51.43" in url]


async def test_a_refused_place_is_explained(visit: Open) -> None:
    async with visit(**ENGLISH, permissions=[]) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        await here.page.get_by_role("button", name="Near me").click()
        await expect(here.page.locator("#notice")).to_contain_text("Your location is not available")


async def test_the_map_leads_to_the_list(visit: Open) -> None:
    async with visit(**ENGLISH) as here:
        pin = here.page.get_by_role("link", name="Market 12 free (Available)")
        await pin.focus()
        await here.page.keyboard.press("Enter")
        await expect(here.page.locator("#zone-market")).to_be_focused()


async def test_changes_are_announced_politely(visit: Open, publish: Publish) -> None:
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator("#spoken")).to_have_attribute("aria-live", "polite")
        await expect(here.page.locator("#asof")).to_contain_text("live")
        await publish(zone("market", free=5, occupied=35, updated_at=moment()))
        await expect(here.page.locator("#spoken")).to_have_text("Market: 5 free", timeout=15_000)


async def test_a_stale_word_is_said_to_be_one(visit: Open, publish: Publish) -> None:
    await publish(zone("market", updated_at=moment(), stale=True))
    async with visit(**ENGLISH) as here:
        market = here.page.locator("#zone-market")
        await expect(market.locator(".state")).to_contain_text("Uncertain")
        await expect(market.locator(".stale")).to_contain_text("May be out of date")


async def test_a_name_is_text_whatever_it_holds(visit: Open, publish: Publish) -> None:
    await publish(zone("market", name="<img src=x onerror=alert(1)>", updated_at=moment()))
    async with visit(**ENGLISH) as here:
        await expect(here.page.locator("#zone-market h3")).to_have_text("<img src=x onerror=alert(1)>")
        assert here.complaints == []


async def test_nothing_is_cut_off_at_any_width(visit: Open) -> None:
    async with visit(**GERMAN) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        for width in (320, 390, 600, 768, 960, 1280, 1920):
            await here.page.set_viewport_size({"width": width, "height": 700})
            await here.page.wait_for_timeout(150)
            assert await here.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(visit: Open, scheme: str) -> None:
    """Every text has at least the contrast of WCAG AA, 4.5 to 1."""
    async with visit(**GERMAN, color_scheme=scheme) as here:
        await expect(here.page.locator(".zone")).to_have_count(3)
        assert await here.page.evaluate(TOO_FAINT) == []


TOO_FAINT = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("svg, noscript")) continue;
    const a = luminance(channels(getComputedStyle(element).color));
    const b = luminance(ground(element));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${element.className || element.tagName}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""

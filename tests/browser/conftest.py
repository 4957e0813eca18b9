"""A real browser before the real page, which is fed by a real broker."""

import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright
from psycopg_pool import AsyncConnectionPool

from api.service import ApiService
from api.settings import ApiSettings
from bus.session import Publisher
from lamplighter.http_server import HttpServer, listen
from telemetry import topics
from telemetry.availability import ZoneAvailability
from telemetry.clock import to_rfc3339
from tests.parts.broker import BrokerPart
from tests.parts.tasks import running
from tests.parts.zones import message

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CITY = "Musterstadt"
lasting_fixture = partial(pytest_asyncio.fixture, loop_scope="session")
"""A fixture on the event loop of the browser, which outlives a test; the tests themselves are marked so."""


class Publish:
    """Publishes zones as rules do."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def __call__(self, word: ZoneAvailability) -> None:
        topic, payload = message(word)
        await self._publisher.publish(topic, payload, retain=True, timeout_s=10)

    async def take_away(self, zone: str) -> None:
        await self._publisher.publish(topics.zone_parking(zone), b"", retain=True, timeout_s=10)


def now() -> int:
    return time.time_ns() // 1_000


def moment() -> str:
    """The present to the second, as zones say it."""
    return to_rfc3339(now() // 1_000_000 * 1_000_000)


@lasting_fixture()
async def publish(own_broker: BrokerPart) -> AsyncIterator[Publish]:
    async with Publisher(own_broker.url, "rules-of-the-test") as publisher:
        yield Publish(publisher)


@pytest.fixture
def settings() -> ApiSettings:
    """What the town has set; a test may have others."""
    return ApiSettings(city_name=CITY, database_away_s=3_600)


@lasting_fixture()
async def site(own_broker: BrokerPart, settings: ApiSettings) -> AsyncIterator[str]:
    """The URL of the page; the database is away."""
    service = ApiService(
        pool=AsyncConnectionPool("", open=False),
        mqtt_url=own_broker.url,
        now=now,
        real_now=now,
        dark=lambda begin, end: False,
        settings=settings,
    )
    server = HttpServer(service.app, listen("127.0.0.1", 0))
    async with running(service.run()), running(server.serve()):
        await server.until_started()
        yield server.url


@lasting_fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests: each opens contexts of its own, which share nothing."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (on Debian: apt install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


class Visit:
    """A page somebody looks at, and everything that it asked for or complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    async def names(self) -> list[str]:
        """The zones as they are listed."""
        return await self.page.locator(".zone h3").all_inner_texts()


Open = Callable[..., Any]


@pytest.fixture
def visit(browser: Browser, site: str) -> Open:
    """Opens the page in a context of its own: `async with visit(locale="de-DE") as here`."""

    @asynccontextmanager
    async def visit(**context: Any) -> AsyncIterator[Visit]:
        opened = await browser.new_context(**context)
        try:
            here = Visit(await opened.new_page())
            await here.page.goto(site)
            yield here
        finally:
            await opened.close()

    return visit

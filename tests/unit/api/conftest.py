"""The application without a database: one that a module's tests ask, and such as a test makes and changes itself."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx
import pytest
from psycopg_pool import AsyncConnectionPool

from api.app import create_app
from api.board import Board
from api.door import Door
from api.settings import ApiSettings
from storage.pool import Pool
from telemetry.clock import SECOND_US, to_us

MOMENT_US = to_us(datetime(2026, 11, 22, 20, 15, 10, tzinfo=UTC))


class Clock:
    """City time that stands still until it is moved."""

    def __init__(self) -> None:
        self.us = MOMENT_US

    def __call__(self) -> int:
        return self.us

    def pass_s(self, seconds: float) -> None:
        self.us += int(seconds * SECOND_US)


def app_on(board: Board, clock: Clock, settings: ApiSettings) -> Door:
    """An application on a board, whose database is away for good."""
    pool: Pool = AsyncConnectionPool("", open=False)
    return create_app(
        pool=pool, board=board, now=clock, real_now=clock, dark=lambda begin, end: False, settings=settings
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(clock)


MakeApp = Callable[[ApiSettings], Door]


@pytest.fixture
def make_app(board: Board, clock: Clock) -> MakeApp:
    """Makes an application on the test's own board."""
    return lambda settings: app_on(board, clock, settings)


@pytest.fixture(scope="module")
def shown() -> Board:
    """The board that all tests of a module ask for; whoever fills it does so once, before the first."""
    return Board(Clock())


@pytest.fixture(scope="module")
def settings() -> ApiSettings:
    """How the application is set that all tests of a module ask."""
    return ApiSettings()


@pytest.fixture(scope="module")
def app(shown: Board, settings: ApiSettings) -> Door:
    """The application that all tests of a module ask and none changes: making one takes longer than most tests."""
    return app_on(shown, Clock(), settings)


ADDRESSES = map(str, ip_network("198.18.0.0/15").hosts())


@pytest.fixture
async def client(app: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client from an address of its own, so that no test uses up what another may ask."""
    async with open_client(app, next(ADDRESSES)) as client:
        yield client


def open_client(app: Door, address: str = "203.0.113.7") -> httpx.AsyncClient:
    """A client of the application that seems to come from an address."""
    transport = httpx.ASGITransport(app, client=(address, 40_000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://city.example")

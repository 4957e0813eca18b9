"""The application without a database, at a moment that a test can move."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(clock)


MakeApp = Callable[[ApiSettings], Door]


@pytest.fixture
def make_app(board: Board, clock: Clock) -> MakeApp:
    """An application on the board, whose database is away for good."""

    def make(settings: ApiSettings) -> Door:
        pool: Pool = AsyncConnectionPool("", open=False)
        return create_app(
            pool=pool, board=board, now=clock, real_now=clock, dark=lambda begin, end: False, settings=settings
        )

    return make


@pytest.fixture
async def client(make_app: MakeApp) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(make_app(ApiSettings())) as client:
        yield client


def open_client(app: Door, address: str = "203.0.113.7") -> httpx.AsyncClient:
    """A client of the application that seems to come from an address."""
    transport = httpx.ASGITransport(app, client=(address, 40_000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://city.example")

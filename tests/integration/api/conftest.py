"""A registered town with a few observations, and the application on a real database."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb

from api.app import create_app
from api.board import Board
from api.database import Database
from api.settings import ApiSettings
from storage import tokens
from storage.pool import Connection, Pool, connect, open_pool
from storage.registry import import_csv
from storage.tokens import Role
from telemetry.clock import DAY_US, to_datetime
from tests.integration.storage.rows import Fields, store

TOWN = """asset,kind,name,zone,lat,lon,device,crossing,ring_sign,min_level_pct,ground_m
market,zone,Marktplatz,,51.4363,7.3352,,,,,
station,zone,Bahnhof,,51.4345,7.3305,,,,,
lamp-1,streetlight,Lamp 1,market,51.4363,7.3352,L1,,true,,
lamp-2,streetlight,Lamp 2,market,51.4364,7.3353,L2,true,,40,
lamp-3,streetlight,Lamp 3,station,51.4345,7.3305,L3,,,,
lamp-4,streetlight,Lamp 4,station,51.4346,7.3306,,,,,
drain-1,drain_level,Drain 1,market,51.4360,7.3350,D1,,,,1.5
bay-1,parking_bay,Bay 1,market,51.4363,7.3352,B1,,,,
"""

Ask = Callable[..., Any]


def real_now() -> int:
    return time.time_ns() // 1_000


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, size=4)
    yield pool
    await pool.close()


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    """A connection of the test's own to the town's database."""
    async with await connect(database) as connection:
        await import_csv(connection, TOWN, real_now())
        yield connection


class Night:
    """Whether it is dark, as a test wants it."""

    def __init__(self) -> None:
        self.dark = False

    def __call__(self, begin_us: int, end_us: int) -> bool:
        assert begin_us < end_us
        return self.dark


@pytest.fixture
def night() -> Night:
    return Night()


@pytest.fixture
def watched(pool: Pool) -> Database:
    """The database as the application sees it; a test probes it by hand."""
    return Database(pool)


@pytest.fixture
def app(pool: Pool, conn: Connection, night: Night, watched: Database) -> Any:
    board = Board(real_now)
    return create_app(
        pool=pool,
        board=board,
        now=real_now,
        real_now=real_now,
        dark=night,
        settings=ApiSettings(requests_burst=10_000),
        database=watched,
    )


def stranger(pool: Pool, settings: ApiSettings) -> httpx.AsyncClient:
    """A client from elsewhere, without a token, of an application of its own with these settings."""
    app = create_app(
        pool=pool,
        board=Board(real_now),
        now=real_now,
        real_now=real_now,
        dark=lambda begin, end: False,
        settings=settings,
    )
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 40_000))
    return httpx.AsyncClient(transport=transport, base_url="http://city.example")


@pytest.fixture
def client_as(app: Any, conn: Connection) -> Callable[[Role | None], Any]:
    """Opens a client that bears a token of a role, or none."""

    async def open_client(role: Role | None) -> httpx.AsyncClient:
        headers = {}
        if role is not None:
            now_us = real_now()
            _, secret = await tokens.issue(
                conn, role=role, name=f"{role} of the test", expires_us=now_us + DAY_US, real_now_us=now_us
            )
            headers = {"authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 40_000), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://city.example", headers=headers)

    return open_client


@pytest.fixture
async def viewer(client_as: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_as("viewer") as client:
        yield client


@pytest.fixture
async def operator(client_as: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_as("operator") as client:
        yield client


async def asset_id(conn: Connection, asset: str) -> int:
    row = await (await conn.execute("SELECT asset_id FROM asset WHERE asset = %s", (asset,))).fetchone()
    assert row
    return int(row[0])


async def observe(conn: Connection, asset: str, kind: str, *rows: tuple[dt.datetime, Fields]) -> None:
    """Store observations as ingest does, the newest as the latest."""
    of = await asset_id(conn, asset)
    await store(conn, kind, [(of, moment, fields) for moment, fields in rows])
    moment, fields = max(rows, key=lambda row: row[0])
    await conn.execute(
        "INSERT INTO latest_observation (asset_id, kind, observed_at, received_at, fields) VALUES (%s, %s, %s, %s, %s)",
        (of, kind, moment, moment, Jsonb(dict(fields))),
    )


def ago(seconds: float) -> dt.datetime:
    """A real moment in the past, to the second."""
    return to_datetime(real_now()).replace(microsecond=0) - dt.timedelta(seconds=seconds)


def text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")

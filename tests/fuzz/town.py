"""A town on a real port with something at each address: what fuzzers of HTTP knock at."""

import datetime as dt
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg.types.json import Jsonb

import telemetry.alarms
from api.alarm_board import AlarmBoard
from api.app import create_app
from api.board import Board
from api.description import EXAMPLES
from api.settings import ApiSettings
from lamplighter.http_server import HttpServer, listen
from storage import alarms, tokens
from storage.alarms import Raised
from storage.pool import Connection, connect, open_pool
from storage.registry import import_csv
from telemetry import topics
from telemetry.alarms import AlarmType
from telemetry.clock import DAY_US, SECOND_US, to_datetime, to_rfc3339
from tests.integration.storage.rows import store
from tests.parts.alarms import alarm
from tests.parts.tasks import running
from tests.parts.zones import bays, message, zone

TOWN = """asset,kind,name,zone,lat,lon,device,ground_m,sensor_height_m
market,zone,Marktplatz,,51.4363,7.3352,,,
lamp-1,streetlight,Lamp 1,market,51.4363,7.3352,L1,,
lamp-2,streetlight,Lamp 2,market,51.4364,7.3353,L2,,
drain-1,drain_level,Drain 1,market,51.4360,7.3350,D1,1.5,2.0
bay-1,parking_bay,Bay 1,market,51.4363,7.3352,B1,,
"""
OBSERVED = {"lamp-1": {"level_pct": 40.0, "motion": 3}, "drain-1": {"level_m": 0.4}, "bay-1": {"occupied": True}}
OBSERVATIONS = 30
ALARMS = 20


@dataclass(frozen=True, slots=True)
class Served:
    """Where the town answers, and a token that opens everything."""

    url: str
    token: str


@asynccontextmanager
async def served(database: str) -> AsyncIterator[Served]:
    """Fill a migrated database and serve it on a free port of this machine; nobody is told to slow down."""
    async with await connect(database) as conn:
        token = await _fill(conn)
    pool = await open_pool(database, size=4)
    board = Board(_now)
    for name in ("market", "station"):
        restricted = {"disabled": bays(free=1, occupied=1)}
        board.receive(*message(zone(name, updated_at=to_rfc3339(_now()), restricted=restricted)))
    alarm_board = AlarmBoard()
    for name in ("a", "b"):
        alarm_board.receive(topics.alarm(name), telemetry.alarms.encode(alarm(name)))
    unhurried = ApiSettings(
        requests_per_s=1e6, requests_burst=1_000_000, ttl_s=3_600, comment_every_s=0.2, public_kinds=("drain_level",)
    )
    app = create_app(
        pool=pool,
        board=board,
        now=_now,
        real_now=_now,
        dark=lambda begin, end: False,
        settings=unhurried,
        alarm_board=alarm_board,
    )
    server = HttpServer(app, listen("127.0.0.1", 0))
    try:
        async with running(server.serve()):
            await server.until_started()
            yield Served(server.url, token)
    finally:
        board.changes.close()
        alarm_board.changes.close()
        await pool.close()


async def _fill(conn: Connection) -> str:
    now_us = _now()
    await import_csv(conn, TOWN, now_us - DAY_US)
    for asset, fields in OBSERVED.items():
        row = await (await conn.execute("SELECT asset_id, kind FROM asset WHERE asset = %s", (asset,))).fetchone()
        assert row
        newest = to_datetime(now_us)
        moments = [newest - dt.timedelta(minutes=minute) for minute in range(OBSERVATIONS)]
        await store(conn, row[1], [(row[0], moment, fields) for moment in moments])
        await conn.execute(
            "INSERT INTO latest_observation (asset_id, kind, observed_at, received_at, fields) "
            "VALUES (%s, %s, %s, %s, %s)",
            (row[0], row[1], newest, newest, Jsonb(fields)),
        )
    raised = [
        Raised(name, f"asset:lamp-{number}", "lamp-1", AlarmType.LAMP_FAULT, at_us, at_us, {"level_pct": 0.0})
        for number, name in enumerate([EXAMPLES["parameters"]["alarm"], *(f"a{n}" for n in range(ALARMS))])
        for at_us in (now_us - number * SECOND_US,)
    ]
    await alarms.turn(conn, raised)
    await conn.execute("INSERT INTO ledger (day, received, stored) VALUES ('2026-11-21', 1, 1)")
    expires_us = now_us + DAY_US
    _, secret = await tokens.issue(conn, role="admin", name="fuzzer", expires_us=expires_us, real_now_us=now_us)
    return secret


def _now() -> int:
    return time.time_ns() // 1_000

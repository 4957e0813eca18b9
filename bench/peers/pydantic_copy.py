"""aiomqtt, pydantic and COPY: what a Python programmer writes who has measured the tutorial and batches.

`pydantic_copy.py MQTT_URL DATABASE_URL [tuned]`. A model checks each reading; 5,000 rows or 200 ms go to the table by
COPY, row by row, as psycopg's documentation shows it. Tuned, the queue is drained without a timer for each message, and
the COPY is binary. Not idempotent: one reading that is there already refuses its whole batch. aiomqtt acknowledges on
receipt.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import aiomqtt
import psycopg
from pydantic import BaseModel, Field

ROWS_MAX = 5_000
AGE_S_MAX = 0.2
COPY = """
    COPY streetlight (observed_at, asset_id, received_at, time_from_receipt, seq, level_pct, setpoint_pct, power_w,
                      energy_kwh, voltage_v, lux, motion, temp_c, lamp_fault) FROM STDIN"""
TYPES = ["timestamptz", "int4", "timestamptz", "bool", "int8", *["float8"] * 6, "int4", "float8", "bool"]
Percent = Annotated[float, Field(ge=0, le=100)]


class Reading(BaseModel):
    ts: datetime
    seq: int
    level_pct: Percent
    setpoint_pct: Percent
    power_w: Annotated[float, Field(ge=0, le=2000)]
    energy_kwh: Annotated[float, Field(ge=0)]
    voltage_v: Annotated[float, Field(ge=0, le=480)]
    lux: Annotated[float, Field(ge=0, le=200_000)]
    motion: Annotated[int, Field(ge=0, le=65_535)]
    temp_c: Annotated[float, Field(ge=-50, le=150)]
    lamp_fault: bool


Row = tuple[object, ...]


async def batches(queue: "asyncio.Queue[Row]") -> AsyncIterator[list[Row]]:
    loop = asyncio.get_running_loop()
    while True:
        batch = [await queue.get()]
        until = loop.time() + AGE_S_MAX
        with suppress(TimeoutError):
            while len(batch) < ROWS_MAX and (left := until - loop.time()) > 0:
                try:
                    batch.append(queue.get_nowait())
                except asyncio.QueueEmpty:
                    batch.append(await asyncio.wait_for(queue.get(), left))
        yield batch


async def drained(queue: "asyncio.Queue[Row]") -> AsyncIterator[list[Row]]:
    loop = asyncio.get_running_loop()
    while True:
        batch = [await queue.get()]
        until = loop.time() + AGE_S_MAX
        while len(batch) < ROWS_MAX and loop.time() < until:
            if queue.empty():
                await asyncio.sleep(0.01)
            while not queue.empty() and len(batch) < ROWS_MAX:
                batch.append(queue.get_nowait())
        yield batch


async def write(queue: "asyncio.Queue[Row]", database_url: str, tuned: bool) -> None:
    database = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async for batch in drained(queue) if tuned else batches(queue):
        async with database.cursor() as cursor, cursor.copy(f"{COPY} (FORMAT BINARY)" if tuned else COPY) as copy:
            if tuned:
                copy.set_types(TYPES)
            for row in batch:
                await copy.write_row(row)


async def read(queue: "asyncio.Queue[Row]", mqtt_url: str) -> None:
    broker = urlsplit(mqtt_url)
    assert broker.hostname
    assert broker.port
    async with aiomqtt.Client(
        broker.hostname, broker.port, username=broker.username, password=broker.password
    ) as client:
        await client.subscribe("city/v1/+/+/telemetry", qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            device = str(message.topic).split("/")[3]
            r = Reading.model_validate_json(message.payload)
            queue.put_nowait((
                r.ts, int(device.removeprefix("lamp-")), datetime.now(UTC), False, r.seq, r.level_pct, r.setpoint_pct,
                r.power_w, r.energy_kwh, r.voltage_v, r.lux, r.motion, r.temp_c, r.lamp_fault,
            ))  # fmt: skip


async def main(mqtt_url: str, database_url: str, how: str = "") -> None:
    queue: asyncio.Queue[Row] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(read(queue, mqtt_url))
        group.create_task(write(queue, database_url, how == "tuned"))


asyncio.run(main(*sys.argv[1:]))

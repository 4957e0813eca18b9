"""aiomqtt and psycopg as a tutorial joins them: a message, an INSERT.

`tutorial.py MQTT_URL DATABASE_URL`. Idempotent by ON CONFLICT DO NOTHING. aiomqtt acknowledges on receipt, before the
INSERT: what waits in its queue when the process dies is lost.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiomqtt
import psycopg

INSERT = """
    INSERT INTO streetlight (observed_at, asset_id, received_at, seq, level_pct, setpoint_pct, power_w, energy_kwh,
                             voltage_v, lux, motion, temp_c, lamp_fault)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
FIELDS = ("seq", "level_pct", "setpoint_pct", "power_w", "energy_kwh", "voltage_v", "lux", "motion", "temp_c",
          "lamp_fault")  # fmt: skip


async def main(mqtt_url: str, database_url: str) -> None:
    broker = urlsplit(mqtt_url)
    assert broker.hostname
    assert broker.port
    database = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with aiomqtt.Client(
        broker.hostname, broker.port, username=broker.username, password=broker.password
    ) as client:
        await client.subscribe("city/v1/+/+/telemetry", qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            device = str(message.topic).split("/")[3]
            reading = json.loads(message.payload)
            observed = datetime.fromtimestamp(reading["ts"] / 1000, UTC)
            row = (observed, int(device.removeprefix("lamp-")), datetime.now(UTC), *map(reading.get, FIELDS))
            await database.execute(INSERT, row)


asyncio.run(main(*sys.argv[1:]))

"""mq-bridge, a bridge in Rust that is configured, not programmed: MQTT in, COPY into PostgreSQL out.

`mq_bridge_copy.py MQTT_URL DATABASE_URL`. It acknowledges after the batch is written. Not idempotent: COPY refuses a
batch with a reading that is there already. Two things spare it work that others do: its SQL output neither knows the
topic nor converts times, so `seq` stands where the asset's number belongs, and milliseconds where the time does, in a
table that is otherwise like `streetlight`.
"""

import sys
import time
from urllib.parse import urlsplit

import psycopg
from mq_bridge import Route  # type: ignore[import-not-found]

BATCH_ROWS = 5_000
TABLE = """
    DROP TABLE IF EXISTS streetlight_ms;
    CREATE TABLE streetlight_ms (
        observed_at bigint NOT NULL, asset_id integer NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        time_from_receipt boolean NOT NULL DEFAULT false, seq bigint, level_pct double precision NOT NULL,
        setpoint_pct double precision, power_w double precision, energy_kwh double precision,
        voltage_v double precision, lux double precision, motion integer, temp_c double precision, lamp_fault boolean,
        PRIMARY KEY (asset_id, observed_at))"""
COLUMNS = {
    "observed_at": "ts",
    "asset_id": "seq",
    **{name: name for name in ("seq", "level_pct", "setpoint_pct", "power_w", "energy_kwh", "voltage_v", "lux",
                               "motion", "temp_c", "lamp_fault")},
}  # fmt: skip


def route(mqtt_url: str, database_url: str) -> dict[str, object]:
    """The configuration of the bridge."""
    broker = urlsplit(mqtt_url)
    tokens = ", ".join(f"${{payload:{field}}}" for field in COLUMNS.values())
    mqtt = {
        "url": f"tcp://{broker.hostname}:{broker.port}", "username": broker.username, "password": broker.password,
        "topic": "city/v1/+/+/telemetry", "client_id": "bench-mq-bridge", "qos": 1, "clean_session": True,
        "protocol": "v5", "queue_capacity": 20_000, "max_inflight": 60_000,
    }  # fmt: skip
    sqlx = {
        "url": database_url, "table": "streetlight_ms", "bulk_copy": True,
        "insert_query": f"INSERT INTO streetlight_ms ({', '.join(COLUMNS)}) VALUES ({tokens})",
    }  # fmt: skip
    return {"input": {"mqtt": mqtt}, "output": {"sqlx": sqlx}, "batch_size": BATCH_ROWS, "concurrency": 1}


def main(mqtt_url: str, database_url: str) -> None:
    """Run until stopped."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(TABLE)
    bridge = Route.from_config({"routes": {"readings": route(mqtt_url, database_url)}}, "readings")
    bridge.start()
    time.sleep(1)  # it does not say when it is subscribed
    print("ready", flush=True)
    while True:
        time.sleep(1)


main(*sys.argv[1:])

"""The ingest service as a process that a test may kill: `python -m … MQTT_URL DATABASE_URL`."""

import asyncio
import signal
import sys
import time
from contextlib import suppress

from ingest import service
from storage.pool import open_pool
from telemetry.clock import CityClock


async def main(mqtt_url: str, database_url: str) -> None:
    async with await open_pool(database_url) as pool:
        work = asyncio.ensure_future(
            service.run(
                mqtt_url=mqtt_url,
                pool=pool,
                now=lambda: time.time_ns() // 1000,
                clock=CityClock(),
                ready=lambda: print("ready", flush=True),
            )
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
        with suppress(asyncio.CancelledError):
            await work


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))

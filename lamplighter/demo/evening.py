"""An evening of the simulated town that is over: rain, a flood, lamps that go on, and a clock that goes no faster."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lamplighter.clock import real_now
from lamplighter.demo.folder import demo_folder
from lamplighter.demo.options import Options
from lamplighter.demo.report import Glance, Ready, Summary
from lamplighter.demo.run import run
from lamplighter.embedded.postgres import embedded_postgres
from lamplighter.settings import Settings
from storage import city, errors
from storage.pool import connect
from telemetry.clock import CityClock

START = dt.datetime(2025, 9, 25, 13, 30, tzinfo=dt.UTC)
"""An hour before the shower that the weather of seed 1 has on this day; the sun sets at half past five, UTC."""
SPEED = 300.0
REAL_S = 84.0
"""So long does the evening take: seven hours of the city."""


class _End:
    """Keeps when the city stopped."""

    is_live = False

    def __init__(self) -> None:
        self.city_us = 0

    def ready(self, ready: Ready) -> None:
        """Nothing: nobody looks yet."""

    def glance(self, glance: Glance) -> None:
        """Nothing in between."""

    def finished(self, summary: Summary) -> None:
        """Keep the moment."""
        self.city_us = summary.city_us


@asynccontextmanager
async def evening(settings: Settings) -> AsyncIterator[str]:
    """Let the town live through the evening, then run its database alone until the context ends; the URL of it.

    Raises:
        Failure: a part of the city cannot start, or has died.
    """
    with demo_folder(None) as parent:
        folder, end = parent / "city", _End()
        options = Options(for_s=REAL_S, start=START, speed=SPEED, http_port=0, mqtt_port=0, data=folder)
        await run(options, settings, end)
        async with embedded_postgres(folder) as server:
            with errors.translated():
                async with await connect(server.url, application="lamplighter preview") as connection:
                    await city.set_clock(connection, CityClock(end.city_us, real_now(), 1.0))
            yield server.url

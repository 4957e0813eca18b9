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
from telemetry.clock import HOUR_US, SECOND_US, to_us

START = dt.datetime(2025, 9, 25, 13, 45, tzinfo=dt.UTC)
"""An hour before the shower that the weather of seed 1 has on this day; the sun sets at half past five, UTC."""
SPEED = 300.0
EVENING_US = 7 * HOUR_US


class _NobodyLooks:
    """A view that says nothing."""

    is_live = False

    def ready(self, ready: Ready) -> None:
        """Nothing."""

    def glance(self, glance: Glance) -> None:
        """Nothing."""

    def finished(self, summary: Summary) -> None:
        """Nothing."""


@asynccontextmanager
async def evening(settings: Settings) -> AsyncIterator[str]:
    """Let the town live through the evening, then run its database alone until the context ends; the URL of it.

    Raises:
        Failure: a part of the city cannot start, or has died.
    """
    with demo_folder(None) as parent:
        folder = parent / "city"
        options = Options(
            for_s=EVENING_US / SECOND_US / SPEED, start=START, speed=SPEED, http_port=0, mqtt_port=0, data=folder
        )
        await run(options, settings, _NobodyLooks())
        async with embedded_postgres(folder) as server:
            with errors.translated():
                async with await connect(server.url, application="lamplighter preview") as connection:
                    await city.stand_where_it_stopped(connection, to_us(START) + EVENING_US, real_now())
            yield server.url

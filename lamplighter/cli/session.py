"""What every command begins with: settings, logging, and an event loop."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import structlog
import typer
import uvloop

from lamplighter import logs
from lamplighter.errors import WrongUsage
from lamplighter.settings import Settings, unknown_variables
from lamplighter.supervise import EXIT_AT_ONCE, PATIENCE_S
from storage.errors import translated
from storage.pool import Connection, connect

if TYPE_CHECKING:
    from lamplighter.compose import Place

_log = structlog.get_logger(__name__)

T = TypeVar("T")

NO_PLACE = "set LAMPLIGHTER_CITY_LAT and _LON, or register the places of assets"
"""What to do where nobody knows where the city lies."""

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings as TOML.", show_default="lamplighter.toml if it is there"),
]
"""The option `--config` of a command that reads settings."""


def begin(config: Path | None, is_service: bool = False) -> Settings:
    """Read the settings and set up logging.

    A command that is no service has its answer on standard output and logs only what goes wrong, unless `debug` is set.

    Raises:
        WrongUsage: a setting is wrong.
    """
    settings = Settings.read(config)
    is_quiet = not is_service and settings.log_level == "info"
    logs.configure("warning" if is_quiet else settings.log_level, settings.log_format)
    for name in unknown_variables() if is_service else ():
        _log.warning("a variable of the environment is no setting: misspelt?", name=name, listed="docs/settings.md")
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end, on the faster event loop. Ctrl-C cancels it, and does not disturb its end."""
    with _patient_at_the_end() as ended, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(work)
        finally:
            ended()


@contextmanager
def _patient_at_the_end() -> Iterator[Callable[[], None]]:
    """Hear Ctrl-C as the runner does, and from a call of what is given on as `_insist`; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def ended() -> None:
        signal.signal(signal.SIGINT, partial(_insist, time.monotonic()))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which the runner replaces by its own
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)


def _insist(ended_s: float, *_: object) -> None:
    """Ctrl-C while the event loop is closed: at once, but only if that takes too long."""
    if time.monotonic() - ended_s > PATIENCE_S:
        os._exit(EXIT_AT_ONCE)


def need_database(settings: Settings) -> str:
    """The database's URL.

    Raises:
        WrongUsage: none is set.
    """
    if settings.database_url is None:
        raise WrongUsage("No database is named: set LAMPLIGHTER_DATABASE_URL, or database_url in the settings file.")
    return settings.database_url


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Connection]:
    """One connection to the database that the settings name.

    Raises:
        WrongUsage: none is named.
        StorageError: it does not do what is asked within the block.
    """
    url = need_database(settings)
    with translated():
        async with await connect(url, application="lamplighter command line") as connection:
            yield connection


async def whereabouts(settings: Settings, connection: Connection) -> "Place | None":
    """Where the city lies: by the settings, else the middle of what is registered; `None` where neither tells it."""
    from lamplighter.compose import Place, place  # heavy: all services
    from storage import city

    middle = None if place(settings) else await city.middle(connection)
    return place(settings) if middle is None else Place(*middle, await city.timezone(connection))


def need_broker(settings: Settings) -> str:
    """The broker's URL.

    Raises:
        WrongUsage: none is set.
    """
    url = settings.broker_url
    if url is None:
        raise WrongUsage("No broker is named: set LAMPLIGHTER_MQTT_URL, or mqtt_url in the settings file.")
    return url

"""Putting the rooms together: the only place that knows that one room's output is another's input.

A room is imported when its service starts: a process of one service neither waits for the others nor holds them.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry

from bus import inbox, users
from bus.address import BadAddress, parse_address
from bus.reconnecting import Lost, Untrusted
from ingest.ledger import Ledger
from ingest.probes import Probes
from lamplighter import retention
from lamplighter.clock import real_now, ticking
from lamplighter.embedded import handshake
from lamplighter.errors import Failure
from lamplighter.http_server import HttpServer, url_of
from lamplighter.settings import Settings
from lamplighter.supervise import Crew
from lamplighter.tracing import Requests
from lamplighter.upkeep_metrics import UpkeepMetrics
from storage import errors, lifecycle, migrate, shared_clock
from storage.pool import Pool, connect, open_pool
from telemetry import spans
from telemetry.clock import CityClock, Now

if TYPE_CHECKING:
    from rules.journal import Journal

_log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE_S = 10.0
"""How long a service waits at its start for a broker or a database that is still starting."""
UPKEEP_AGAIN_S = 30.0
"""How long upkeep rests after the database was away, or another process was at it."""
INGEST = "ingest"
"""The client id of an ingest that is alone."""
_AGAIN_S = 0.5
_POOL_SIZE = 8
"""Connections of one process: writing, rules, a few readers at once, upkeep."""


@dataclass(frozen=True)
class Place:
    """Where the city lies: WGS 84 degrees and its time zone."""

    lat: float
    lon: float
    timezone: str


@dataclass(frozen=True)
class Ground:
    """What all services of this process stand on. `figures` is where Prometheus looks."""

    settings: Settings
    mqtt_url: str
    pool: Pool
    clock: CityClock
    figures: CollectorRegistry = field(default_factory=CollectorRegistry)

    @property
    def now(self) -> Now:
        """The city clock."""
        return ticking(self.clock)


def place(settings: Settings) -> Place | None:
    """Where the city lies, None if that is not set."""
    if settings.city_lat is None or settings.city_lon is None:
        return None
    return Place(settings.city_lat, settings.city_lon, settings.timezone)


@asynccontextmanager
async def ground(
    settings: Settings, database_url: str, mqtt_url: str, wanted: CityClock, name: str = "lamplighter"
) -> AsyncIterator[Ground]:
    """Check that broker and database are there and of our schema, agree on the clock, and open the pool.

    An empty `mqtt_url` is for services that need no broker. `name`, the process's, begins its sessions'.

    Raises:
        Failure: the broker cannot be used.
        StorageError: the database cannot be used, or has another schema.
    """
    if mqtt_url:
        await _until_there("broker", lambda: reach_broker(mqtt_url, f"{name}-{users.DOOR}"))
    clock = await _until_there("database", lambda: _agree(database_url, wanted))
    pool = await open_pool(database_url, size=_POOL_SIZE)
    try:
        yield Ground(settings, mqtt_url, pool, clock)
    finally:
        await pool.close()


class BrokerAway(Failure):
    """Nobody answers at the broker's address; it may be about to."""


async def reach_broker(mqtt_url: str, client_id: str = "") -> None:
    """Log in to the broker once, under a name that holds no session there; by itself one that the broker chooses.

    Raises:
        BrokerAway: nobody answers.
        Failure: it refuses us; the sentence says why, and the mend.
    """
    try:
        address = parse_address(mqtt_url)
        await handshake.shake_hands(mqtt_url, client_id=client_id)
    except (BadAddress, handshake.Refused) as error:
        raise Failure(
            f"The broker cannot be used: {error}; mend LAMPLIGHTER_MQTT_URL or LAMPLIGHTER_MQTT_CA."
        ) from error
    except Untrusted as error:
        raise Failure(
            f"The broker {address} shows a certificate that cannot be trusted ({error}): name its "
            "authority in LAMPLIGHTER_MQTT_CA, or mend the host in LAMPLIGHTER_MQTT_URL."
        ) from error
    except OSError as error:
        raise BrokerAway(
            f"The broker {address} does not answer ({error}): start it, or mend LAMPLIGHTER_MQTT_URL."
        ) from error


async def _agree(database_url: str, wanted: CityClock) -> CityClock:
    with errors.translated():
        async with await connect(database_url) as connection:
            await migrate.check(connection)
            return await shared_clock.share(connection, wanted)


async def _until_there(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    told = False
    while True:
        try:
            return await attempt()
        except (BrokerAway, errors.Unavailable) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            if not told:
                _log.warning(f"waiting for the {what}", reason=str(error))
            told = True
            await asyncio.sleep(_AGAIN_S)


async def serve_ingest(
    crew: Crew, ground: Ground, name: str = INGEST, share: str | None = None, *, retires: bool = False
) -> Ledger:
    """Start ingest and wait until it listens, or if it retires has nothing left to do; returns its live account.

    Args:
        crew: runs it.
        ground: what it stands on.
        name: its client id at the broker, where its queue waits for it; of several processes each has its own.
        share: a name that several processes have in common, which then divide the uplinks among them.
        retires: take nothing new, only what the broker holds for this process.
    """
    import ingest.service  # its room alone

    ledger = Ledger(name, ground.figures)
    ready = asyncio.Event()
    crew.serve(
        "ingest",
        ingest.service.run(
            mqtt_url=ground.mqtt_url,
            pool=ground.pool,
            now=ground.now,
            clock=ground.clock,
            instance=name,
            share=share,
            ledger=ledger,
            probes=Probes(name, ground.figures),
            ready=ready.set,
            retires=retires,
        ),
    )
    await ready.wait()
    return ledger


async def forget_session(mqtt_url: str, client_id: str) -> None:
    """Have the broker forget what it keeps for a client.

    Raises:
        Failure: it does not; the sentence says why.
    """
    try:
        await inbox.forget(mqtt_url, client_id)
    except Lost as error:
        raise Failure(f"The broker still keeps the session {client_id} ({error}): retire it again.") from error


async def serve_gateway(crew: Crew, ground: Ground) -> None:
    """Start the gateway and wait until it hears the city, and its network servers if they are there.

    Raises:
        Failure: the file of device models is wrong; the sentence says how.
    """
    import gateway.service  # its room alone
    from gateway.figures import Figures
    from lamplighter.networks import device_models, networks

    models, ready = device_models(ground.settings.gateway_models), asyncio.Event()
    crew.serve(
        "gateway",
        gateway.service.run(
            mqtt_url=ground.mqtt_url,
            networks=networks(ground.settings.gateway_networks),
            models=models,
            pool=ground.pool,
            now=ground.now,
            figures=Figures(ground.figures),
            ready=ready.set,
        ),
    )
    await ready.wait()


async def serve_rules(crew: Crew, ground: Ground, place: Place) -> None:
    """Start the rules and wait until they lead and hear, or stand by for another process that leads.

    Raises:
        Failure: the folder of their journal cannot be written.
    """
    import rules.service  # its room alone
    from lamplighter.rule_metrics import RuleMetrics
    from rules.counts import Counts
    from rules.notifying import Notifier
    from rules.rulefile.active import ActiveRules
    from rules.soundings import QueueBound

    counts, ready = Counts(), asyncio.Event()
    journal = _rules_journal(ground.settings)
    ground.figures.register(RuleMetrics(counts))
    crew.serve(
        "rules",
        rules.service.run(
            mqtt_url=ground.mqtt_url,
            pool=ground.pool,
            now=ground.now,
            clock=ground.clock,
            lat=place.lat,
            lon=place.lon,
            timezone=ZoneInfo(place.timezone),
            journal=journal,
            rules=ActiveRules(ground.settings.rules_file, ground.settings.rules_author),
            notifier=Notifier(platform_url=ground.settings.platform_url),
            counts=counts,
            ready=ready.set,
            bound=QueueBound(ground.settings.broker_queue_messages, ground.settings.broker_queue_bytes),
        ),
    )
    await ready.wait()


def _rules_journal(settings: Settings) -> "Journal":
    from rules.journal import Journal

    folder = settings.rules_journal_dir or settings.data_dir / "rules"
    try:
        return Journal(folder)
    except OSError as error:
        raise Failure(
            f"The rules cannot keep their journal in {folder} ({error.strerror}): "
            "let them write there, or mend LAMPLIGHTER_RULES_JOURNAL_DIR."
        ) from error


async def serve_api(crew: Crew, ground: Ground, place: Place | None, taken: socket.socket) -> str:
    """Start the API on a socket that is already bound, wait until it answers, and return its URL.

    `place` tells when it is dark; None takes it for always dark, so that what a guard forbids at night is never done.
    """
    from api.service import ApiService  # its room alone
    from api.settings import ApiSettings
    from rules.sun import Sun

    settings = ground.settings
    service = ApiService(
        pool=ground.pool,
        mqtt_url=ground.mqtt_url,
        now=ground.now,
        real_now=real_now,
        dark=Sun(place.lat, place.lon).dark_between if place else _always,
        settings=ApiSettings(
            ttl_s=settings.ttl_s,
            requests_per_s=settings.requests_per_s,
            requests_burst=settings.requests_burst,
            streams_per_address=settings.streams_per_address,
            trusted_proxies=settings.trusted_proxies,
            timezone=settings.timezone,
            city_name=settings.city_name,
            imprint_url=settings.imprint_url,
            privacy_url=settings.privacy_url,
            accessibility_url=settings.accessibility_url,
            map_tiles=settings.map_tiles,
            platform_url=settings.platform_url or "",
            public_kinds=settings.public_kinds,
        ),
        clock_speed=ground.clock.speed,
        client_id=f"api-{socket.gethostname()}-{os.getpid()}",
        registry=ground.figures,
        own_url=url_of(taken),
    )
    crew.serve("api", service.run())
    return await _answer(crew, "http", Requests(service.app) if spans.followed() else service.app, taken)


async def serve_figures(crew: Crew, ground: Ground, taken: socket.socket) -> str:
    """Tell Prometheus the figures of a process without the API; returns where."""
    from prometheus_client import make_asgi_app

    return await _answer(crew, "figures", make_asgi_app(ground.figures), taken)


async def _answer(crew: Crew, name: str, app: Any, taken: socket.socket) -> str:
    server = HttpServer(app, taken)
    crew.serve(name, server.serve())
    await server.until_started()
    return server.url


def _always(from_us: int, to_us: int) -> bool:
    return True


def serve_upkeep(crew: Crew, ground: Ground) -> None:
    """Start what looks after old data: partitions, rollups, compression, retention."""
    figures = UpkeepMetrics()
    ground.figures.register(figures)
    crew.serve("upkeep", _look_after(ground, retention.ages(ground.settings), figures))


async def _look_after(ground: Ground, ages: lifecycle.Ages, figures: UpkeepMetrics) -> None:
    """Round after round; several processes may do so, of which one at a time has the work."""
    now = ground.now
    while True:
        try:
            done = await lifecycle.maintain(ground.pool, now(), clock_is_real=ground.clock.is_real, ages=ages)
            figures.add(done)
            rest_s = UPKEEP_AGAIN_S if done.idle else done.rest_s
        except errors.StorageError as error:
            _log.warning("upkeep put off", reason=str(error))
            rest_s = UPKEEP_AGAIN_S
        await asyncio.sleep(rest_s)

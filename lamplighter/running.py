"""Services against the configured broker and database, until a signal."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import structlog

from lamplighter import compose, systemd
from lamplighter.clock import start_clock
from lamplighter.errors import WrongUsage
from lamplighter.http_server import listen
from lamplighter.settings import Settings
from lamplighter.supervise import crew

_log = structlog.get_logger(__name__)

Service = Literal["ingest", "upkeep", "gateway", "rules", "api"]


@dataclass(frozen=True, slots=True)
class Seat:
    """One of several `ingest` processes that divide the uplinks of a `share` among them; `member` tells them apart."""

    share: str
    member: int

    @property
    def client_id(self) -> str:
        """The same after every start: what waits at the broker for this member is nobody else's, and must be read."""
        return f"ingest-{self.share}-{self.member}"


def _queue(seat: Seat | None) -> tuple[str, str | None]:
    """The client id of an `ingest` process, by which its queue waits at the broker, and the share that it is of."""
    return (compose.INGEST, None) if seat is None else (seat.client_id, seat.share)


async def retire(settings: Settings, database_url: str, mqtt_url: str, seat: Seat | None) -> int:
    """Give up an `ingest` process's place for good: store what the broker holds for it, then have that forgotten.

    Args:
        settings: the town's.
        database_url: has the schema of this version.
        mqtt_url: the broker.
        seat: which of several processes; None the one that takes all uplinks.

    Returns:
        How many observations waited there.

    Raises:
        Failure: broker or database cannot be used; what is left still waits.
    """
    name, share = _queue(seat)
    wanted = start_clock(settings.clock_start, settings.clock_speed)
    async with crew() as members:
        ground = await members.enter(compose.ground(settings, database_url, mqtt_url, wanted, name))
        ledger = await compose.serve_ingest(members, ground, name, share, retires=True)
        await members.end("ingest")
        await compose.forget_session(mqtt_url, name)
        return ledger.total.received


async def serve(
    settings: Settings,
    database_url: str,
    mqtt_url: str,
    services: Collection[Service],
    seat: Seat | None = None,
    metrics_port: int | None = None,
) -> None:
    """Run services until SIGINT or SIGTERM.

    Args:
        settings: the town's.
        database_url: has the schema of this version.
        mqtt_url: the broker; empty where none of the services needs one.
        services: which ones.
        seat: which of several `ingest` processes this one is; None takes all uplinks.
        metrics_port: of 127.0.0.1, where Prometheus finds the process's figures; the API tells them anyway.

    Raises:
        WrongUsage: where the city lies is not set, and the rules need it.
        Failure: one of them cannot start or has failed; the sentence says why, and the mend.
    """
    place = compose.place(settings)
    if place is None and "rules" in services:
        raise WrongUsage(
            "Where the city lies is not set, so nobody knows when it gets dark: set LAMPLIGHTER_CITY_LAT and "
            "LAMPLIGHTER_CITY_LON."
        )
    taken = listen(settings.http_host, settings.http_port) if "api" in services else None
    figures = listen("127.0.0.1", metrics_port, "--metrics-port") if metrics_port is not None else None
    wanted = start_clock(settings.clock_start, settings.clock_speed)
    async with crew() as members:
        name = next(iter(services)) if seat is None else seat.client_id
        ground = await members.enter(compose.ground(settings, database_url, mqtt_url, wanted, name))
        if "ingest" in services:
            await compose.serve_ingest(members, ground, *_queue(seat))
        if "upkeep" in services:
            compose.serve_upkeep(members, ground)
        if "gateway" in services:
            await compose.serve_gateway(members, ground)
        if place is not None and "rules" in services:
            await compose.serve_rules(members, ground, place)
        if taken is not None:
            url = await compose.serve_api(members, ground, place, taken)
            _log.info("listening", url=url)
        if figures is not None:
            _log.info("figures", url=f"{await compose.serve_figures(members, ground, figures)}/metrics")
        _log.info("up", services=sorted(services))
        async with systemd.watched():
            await members.until_asked_to_stop()

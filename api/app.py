"""The application put together from plain arguments: routes, errors, and the door before them."""

from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response

from api import page, problems, reference
from api.addresses import Addresses
from api.alarm_board import AlarmBoard
from api.auth import Gate
from api.backlog import Waiting
from api.board import Board
from api.database import Database
from api.description import Described
from api.documents import Document
from api.door import Door
from api.health import health_router
from api.metrics import Metrics
from api.ops import alarms, annotations, assets, commands, records, zones
from api.ops.alarm_stream import LISTENERS_MAX, alarm_stream_router
from api.page import page_router
from api.page.alarm import alarm_page_router
from api.parts import Dark, OpsParts
from api.public import PublicParts, answer, public_router
from api.ratelimit import Buckets, Streams
from api.self_probe import Sighting
from api.settings import ApiSettings
from api.standards.routes import standards_router
from api.standards.sensorthings.raw_table import RawTables
from api.standards.sensorthings.routes import all_assets, sensorthings_router
from api.standards.spots import Spots
from storage.pool import Pool
from telemetry.clock import Now

DESCRIPTION = "Parking availability for everybody; street lights, drains and bays for operators."


def create_app(
    *,
    pool: Pool,
    board: Board,
    now: Now,
    real_now: Now,
    dark: Dark,
    broker_connected: Callable[[], bool] = lambda: True,
    settings: ApiSettings | None = None,
    registry: CollectorRegistry | None = None,
    database: Database | None = None,
    waiting: Waiting | None = None,
    sighting: Sighting | None = None,
    alarm_board: AlarmBoard | None = None,
) -> Door:
    """The ASGI application.

    Args:
        pool: connections to the database; it may be away.
        board: the parking zones, which somebody feeds (`api.service` with the broker's retained topics).
        now: the city clock.
        real_now: the machine's clock; tokens live by it.
        dark: whether it is between dusk and dawn at any time in a span of city time.
        broker_connected: whether the broker is there, for `/readyz`.
        settings: limits and names; `None` means the defaults.
        registry: where `/metrics` reads from and our own figures go; `None` means a new one.
        database: the pool as already watched by somebody; `None` means nobody watches it.
        waiting: how much waits for ingest, which somebody feeds; `None` means nobody knows.
        sighting: whether the self-probe comes through, which somebody looks after; `None` means nobody does.
        alarm_board: the alarms that are not normal, which somebody feeds; `None` means nobody does.
    """
    waiting = waiting or Waiting(real_now)
    alarm_board = alarm_board or AlarmBoard()
    settings = settings or ApiSettings()
    database = database or Database(pool)
    addresses = Addresses(settings.trusted_proxies)
    buckets, attempts = (Buckets(settings.requests_per_s, settings.requests_burst) for _ in range(2))
    streams = Streams(settings.streams_per_address, settings.streams_max)
    metrics = Metrics(registry or CollectorRegistry(), board)
    metrics.registry.register(waiting)
    states = all_assets(database, now, at_once=bool(settings.public_kinds))
    gate = Gate(database, real_now, addresses, attempts)
    app = _framework()
    listeners = Streams(settings.streams_per_address, LISTENERS_MAX)
    for router in (
        public_router(PublicParts(board, settings, addresses, streams, metrics)),
        standards_router(board, Spots(database, now, settings.ttl_s)),
        sensorthings_router(board, states, RawTables(database), gate, settings),
        alarm_stream_router(alarm_board, gate, addresses, listeners, metrics.alarm_streams),
        *_ops_routers(OpsParts(database, gate, now, real_now, dark, settings)),
        health_router(broker_connected, database, real_now, gate, metrics, waiting, sighting),
        page_router(settings),
        alarm_page_router(settings),
        _reference_router(app),
    ):
        app.router.routes.extend(router.routes)  # included, each would be analysed once more at the first request
    return Door(app, board, buckets, addresses, metrics, gate)


def _framework() -> Described:
    """The framework's application without a route."""
    app = Described(
        title="Lamplighter",
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.explain_all(app)
    return app


def _ops_routers(parts: OpsParts) -> list[APIRouter]:
    routers = (assets.assets_router, alarms.alarms_router, commands.commands_router, zones.zones_router)
    return [router(parts) for router in (*routers, annotations.annotations_router, records.records_router)]


def _reference_router(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    written: list[Document] = []

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        if not written:
            written.append(page.html(reference.page(app.openapi(), page.file_path)))
        return answer(request, written[0])

    return router

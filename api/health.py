"""Whether the service lives, whether it can do its work, whether what is sent comes through, and its figures."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse, Response

from api.auth import TOKEN_OPTIONAL, Gate
from api.backlog import Waiting
from api.database import Database
from api.metrics import Metrics
from api.problems import Problem
from api.self_probe import PATH as PROBE_PATH
from api.self_probe import Sighting
from storage import ledger, self_probe
from storage.errors import StorageError
from storage.ledger import Ledger
from telemetry.clock import Now


def health_router(
    broker_connected: Callable[[], bool],
    database: Database,
    real_now: Now,
    gate: Gate,
    metrics: Metrics,
    waiting: Waiting,
    sighting: Sighting | None = None,
) -> APIRouter:
    """`/healthz`, `/readyz`, `/probez` and `/metrics`; `sighting` is `None` where nobody looks after the self-probe."""
    router = APIRouter(tags=["service"])

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @router.get(
        "/readyz", summary="Database and broker are there, and readings come through", response_model=dict[str, Any]
    )
    async def readyz() -> Response:
        """503 says what is away or does not come through; parking availability is answered all the same.

        `parts.probe` is null where nobody has sounded the platform since this process began: it is not judged then.
        """
        now_s = time.monotonic()
        parts = {"database": not database.is_away, "broker": broker_connected()}
        probe = None if sighting is None else sighting.document(now_s)
        told = {"parts": parts | {"probe": probe and probe["through"]}, "backlog": waiting.document(), "probe": probe}
        away = " and ".join(f"the {name}" for name, there in parts.items() if not there)
        trouble = f"Not reached at the moment: {away}." if away else sighting and sighting.trouble(now_s)
        if trouble:
            detail = f"{trouble} Parking availability is answered all the same."
            raise Problem(503, detail, slug="not-ready", headers={"retry-after": "5"}, **told)
        return Response(msgspec.json.encode({"ready": True, **told}), media_type="application/json")

    _serve_ourselves(router, Depends(gate.demands_unless_local("viewer")), database, real_now, metrics)
    return router


def _serve_ourselves(router: APIRouter, viewer: Any, database: Database, real_now: Now, metrics: Metrics) -> None:
    """What asks the database and is open to this machine alone; a `viewer`, as a dependency, is let in too."""

    @router.get(
        PROBE_PATH,
        summary="The newest readings of the platform's own device; open to this machine itself",
        dependencies=[viewer],
        response_model=dict[str, Any],
        openapi_extra=TOKEN_OPTIONAL,
    )
    async def probez() -> Response:
        """What each ingest process has stored last of the self-probe, which is no asset and counts nowhere."""
        async with database.connection() as conn:
            found = await self_probe.newest(conn)
        return Response(msgspec.json.encode({"items": found}), media_type="application/json")

    @router.get(
        "/metrics",
        summary="Figures for Prometheus; open to this machine itself",
        dependencies=[viewer],
        response_class=PlainTextResponse,
        openapi_extra=TOKEN_OPTIONAL,
    )
    async def figures() -> Response:
        metrics.database_away.set(database.away_s)
        with suppress(StorageError):  # what the database would tell is left as it was while it is away
            async with database.connection() as conn:
                _show(metrics, await ledger.totals(conn, real_now()))
                metrics.ledger_days_differing.set(len(await ledger.differing(conn)))
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _show(metrics: Metrics, books: Ledger) -> None:
    """The ledger's own equation as gauges, whichever process counted."""
    metrics.ledger.labels("received").set(books.heard)
    for fate in ("stored", "duplicate", "quarantined", "in_flight", "replayed"):
        metrics.ledger.labels(fate).set(getattr(books, fate))

"""Whether the service lives, whether it can do its work, and its figures."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.auth import Gate
from api.backlog import Waiting
from api.database import Database
from api.metrics import Metrics
from api.problems import Problem
from storage import ledger
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
) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["service"])
    viewer = gate.demands_unless_local("viewer")

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @router.get("/readyz", summary="Database and broker are there", response_model=dict[str, Any])
    async def readyz() -> Response:
        parts = {"database": not database.is_away, "broker": broker_connected()}
        backlog = waiting.document()
        if not all(parts.values()):
            away = " and ".join(f"the {name}" for name, there in parts.items() if not there)
            detail = f"Not reached at the moment: {away}. Parking availability is answered all the same."
            raise Problem(503, detail, slug="not-ready", headers={"retry-after": "5"}, parts=parts, backlog=backlog)
        content = {"ready": True, "parts": parts, "backlog": backlog}
        return Response(msgspec.json.encode(content), media_type="application/json")

    @router.get("/metrics", summary="Figures for Prometheus", dependencies=[Depends(viewer)], response_class=Response)
    async def figures() -> Response:
        metrics.database_away.set(database.away_s)
        with suppress(StorageError):  # what the database would tell is left as it was while it is away
            async with database.connection() as conn:
                _show(metrics, await ledger.totals(conn, real_now()))
                metrics.ledger_days_differing.set(len(await ledger.differing(conn)))
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _show(metrics: Metrics, books: Ledger) -> None:
    """The ledger's own equation as gauges, whichever process counted."""
    metrics.ledger.labels("received").set(books.heard)
    for fate in ("stored", "duplicate", "quarantined", "in_flight", "replayed"):
        metrics.ledger.labels(fate).set(getattr(books, fate))

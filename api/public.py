"""What everybody may ask: parking availability as documents, by nearness, and live."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api import shapes
from api.addresses import Addresses
from api.board import PATH, Board
from api.documents import GEOJSON, Document, document, matches
from api.metrics import Metrics
from api.nearest import nearest
from api.problems import not_found
from api.ratelimit import Streams
from api.settings import ApiSettings
from api.stream import EventStream, events, last_event_id

NEAREST_DEFAULT = 5
NEAREST_MAX = 1_000


@dataclass(frozen=True, slots=True)
class PublicParts:
    """What the public part stands on; no database among it."""

    board: Board
    settings: ApiSettings
    addresses: Addresses
    streams: Streams
    metrics: Metrics


class GeoJson(JSONResponse):
    """What the description says of a GeoJSON answer."""

    media_type = GEOJSON


def answer(request: Request, ready: Document) -> Response:
    """A document as the client takes it, or 304 where it has that already."""
    ready = ready.fitting(request.headers.get("accept-encoding"))
    if matches(request.headers.get("if-none-match"), ready.etag):
        response = Response(status_code=304)
        response.raw_headers = list(ready.unchanged)
        return response
    response = Response(ready.body)
    response.raw_headers = list(ready.headers)
    return response


def public_router(parts: PublicParts) -> APIRouter:
    """The routes under `/public/v1`."""
    board = parts.board
    router = APIRouter(tags=["public"])

    @router.get(PATH, response_model=shapes.Parking, summary="All parking zones")
    async def parking(request: Request) -> Response:
        return answer(request, board.documents[PATH])

    @router.get(
        f"{PATH}.geojson",
        response_model=shapes.FeatureCollection,
        response_class=GeoJson,
        summary="All parking zones as GeoJSON",
    )
    async def parking_geojson(request: Request) -> Response:
        return answer(request, board.documents[f"{PATH}.geojson"])

    @router.get(f"{PATH}/nearest", response_model=shapes.Nearest, summary="Zones with a free bay, nearest first")
    async def parking_nearest(
        request: Request,
        lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
        lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
        limit: Annotated[int, Query(ge=1, le=NEAREST_MAX)] = NEAREST_DEFAULT,
        needs: Annotated[list[Literal["disabled", "charging"]] | None, Query()] = None,
    ) -> Response:
        found = nearest(board.zones, lat, lon, limit, needs or ())
        body = msgspec.json.encode({"zones": [_at_distance(zone, metres) for zone, metres in found]})
        return answer(request, document(body, "application/json", board.ttl_s, shared=False))

    @router.get(
        f"{PATH}/stream",
        summary="Zones live, as server-sent events",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}, "description": "`event: zone`, `data:` a zone."}},
    )
    async def parking_stream(request: Request) -> Response:
        since = last_event_id(request.headers.get("last-event-id"))
        frames = events(board.changes, since, parts.settings.comment_every_s)
        return EventStream(frames, parts.streams, parts.addresses.client(request.scope), parts.metrics.streams)

    @router.get(f"{PATH}/{{zone}}/forecast", response_model=shapes.Forecast, summary="Free bays expected soon")
    async def parking_forecast(request: Request, zone: str) -> Response:
        ready = board.documents.get(f"{PATH}/{zone}/forecast")
        if ready is None:
            raise not_found("parking zone of this name")
        return answer(request, ready)

    @router.get(f"{PATH}/{{zone}}", response_model=shapes.Zone, summary="One parking zone")
    async def parking_zone(request: Request, zone: str) -> Response:
        ready = board.documents.get(f"{PATH}/{zone}")
        if ready is None:
            raise not_found("parking zone of this name")
        return answer(request, ready)

    return router


def _at_distance(zone: Any, metres: float) -> dict[str, Any]:
    return {**msgspec.to_builtins(zone), "distance_m": round(metres, 1)}

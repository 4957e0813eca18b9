"""The documents of the standards over HTTP; those of the zones are usually answered by the door already."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.board import Board
from api.documents import document
from api.public import answer
from api.standards import RENDERINGS, datex, datex_xml, ngsi_ld, parkapi, shapes
from api.standards.spots import Spots

Start = Annotated[
    int, Query(ge=0, le=parkapi.NUMBER_MAX + 1, description="The least `id` of a page: the `next_id` before.")
]
Limit = Annotated[
    int | None, Query(ge=1, le=1_000, description="How many a page has. Absent: all, wherever they start.")
]


class JsonLd(JSONResponse):
    """What the description says of a JSON-LD answer."""

    media_type = RENDERINGS[ngsi_ld.PATH].media_type


def standards_router(board: Board, spots: Spots) -> APIRouter:
    """ParkAPI, DATEX II and NGSI-LD."""
    router = APIRouter(tags=["standards"])

    def serve(path: str, summary: str, **other: Any) -> None:
        async def rendered(request: Request) -> Response:
            ready = board.document(path)
            assert ready is not None
            return answer(request, ready)

        router.add_api_route(path, rendered, summary=summary, name=path, **other)

    @router.get(parkapi.SITES_PATH, response_model=shapes.ParkingSites, summary="All parking zones as ParkAPI v3 sites")
    async def parking_sites(request: Request, start: Start = 0, limit: Limit = None) -> Response:
        ready = board.document(parkapi.SITES_PATH)
        assert ready is not None
        if limit is not None:
            page = parkapi.page(parkapi.SITES_PATH, msgspec.json.decode(ready.body), start, limit)
            ready = document(msgspec.json.encode(page), "application/json", board.ttl_s)
        return answer(request, ready)

    @router.get(parkapi.SPOTS_PATH, response_model=shapes.ParkingSpots, summary="All bays as ParkAPI v3 spots, as now")
    async def parking_spots(request: Request, start: Start = 0, limit: Limit = None) -> Response:
        return answer(request, await (spots.document() if limit is None else spots.page(start, limit)))

    serve(datex.PATH, "All parking zones as DATEX II v3 parking publication light", response_model=shapes.Datex)
    serve(
        datex_xml.PATH,
        "All parking zones as DATEX II v2.3 XML",
        response_class=Response,
        responses={200: {"content": {"application/xml": {}}, "description": "Table and status in one publication."}},
    )
    serve(
        ngsi_ld.PATH,
        "All parking zones as NGSI-LD entities of the Smart Data Models",
        response_model=list[shapes.NgsiLdEntity],
        response_class=JsonLd,
    )
    return router

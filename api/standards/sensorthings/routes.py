"""SensorThings over HTTP: who asks, what they may see, and how long the answer may be kept."""

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import WithJsonSchema
from starlette.responses import Response

from api.auth import TOKEN_OPTIONAL, Credentials, Gate
from api.board import Board
from api.database import Database
from api.documents import GEOJSON, document
from api.kept import Kept
from api.public import answer
from api.settings import ApiSettings
from api.standards.sensorthings import options, resources, shapes
from api.standards.sensorthings.budget import OPERATOR_STEPS, PUBLIC_STEPS, Budget, bad_query
from api.standards.sensorthings.entities import SETS, World
from api.standards.sensorthings.raw_table import RawTables
from api.standards.sensorthings.sources import NEVER_PUBLIC_KINDS, of_assets, of_zone
from api.standards.sensorthings.writing import Writer
from storage import readings
from storage.readings import AssetState
from telemetry.clock import Now

ROOT = "/v1.1"
ASSETS_MAX = 100_000
PATH_CHARACTERS_MAX = 1_000
HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
FEATURES = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {"type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": {"type": "object"}}},
}
ANSWER: dict[str, Any] = {
    "content": {GEOJSON: {"schema": FEATURES}, "text/plain": {}},
    "description": "What lies there; text by `$value`.",
}
Option = Annotated[str | None, Query(max_length=options.CHARACTERS_MAX)]
Number = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,8}$"})]
Truth = Annotated[str, WithJsonSchema({"type": "string", "enum": ["true", "false"]})]
Format = Annotated[str, WithJsonSchema({"type": "string", "enum": ["GeoJSON"]})]
Path = Annotated[str, WithJsonSchema({"type": "string", "pattern": rf"^({'|'.join(SETS)})(\('[^']*'\))?(/.*)?$"})]
"""As the description has them; `options` and `resources` check them."""


def all_assets(database: Database, now: Now, *, at_once: bool) -> Kept[list[AssetState]]:
    """Every asset with its latest state; `now` is the city clock, `at_once` whether residents may see some of it."""
    return Kept(database, lambda conn: readings.assets(conn, now_us=now(), limit=ASSETS_MAX), at_once=at_once)


def sensorthings_router(
    board: Board, assets: Kept[list[AssetState]], raw: RawTables, gate: Gate, settings: ApiSettings
) -> APIRouter:
    """Everything below `/v1.1`."""
    router = APIRouter(tags=["sensorthings"])
    public_kinds = frozenset(settings.public_kinds) - NEVER_PUBLIC_KINDS
    send = _sender(board.ttl_s, shared=bool(settings.platform_url))

    async def world(public: bool) -> World:
        sources = [of_zone(zone) for zone in board.zones]
        if not public or public_kinds:
            states, stale = await assets.get()
            sources += of_assets(states, public_kinds if public else None, stale=stale)
        return World(sources, raw.past_of())

    @router.get(ROOT, response_model=shapes.Root, summary="The sets of SensorThings")
    @router.get(f"{ROOT}/", include_in_schema=False)
    async def sets(request: Request) -> Response:
        body = msgspec.json.encode(resources.root(_root(request, settings.platform_url)))
        return send(request, body, resources.JSON, True)

    @router.get(
        f"{ROOT}/{{path:path}}",
        response_model=shapes.Found,
        summary="A set, an entity, a link or a property of SensorThings 1.1",
        responses={200: ANSWER},
        openapi_extra=TOKEN_OPTIONAL,
    )
    async def resource(
        request: Request,
        path: Path,
        credentials: Credentials,
        top: Annotated[Number | None, Query(alias="$top")] = None,
        skip: Annotated[Number | None, Query(alias="$skip")] = None,
        count: Annotated[Truth | None, Query(alias="$count")] = None,
        orderby: Annotated[Option, Query(alias="$orderby")] = None,
        select: Annotated[Option, Query(alias="$select")] = None,
        expand: Annotated[Option, Query(alias="$expand")] = None,
        filter: Annotated[Option, Query(alias="$filter")] = None,
        result_format: Annotated[Format | None, Query(alias="$resultFormat")] = None,
    ) -> Response:
        wanted = _options(request, path, result_format)
        public = await _is_public(request, credentials, gate)
        found = await world(public)
        writer = Writer(_root(request, settings.platform_url), Budget(PUBLIC_STEPS if public else OPERATOR_STEPS))
        geojson = result_format is not None
        body, media_type = await asyncio.to_thread(
            resources.read, found, path.removesuffix("/"), wanted, writer, geojson=geojson
        )
        return send(request, body, media_type, public)

    return router


def _sender(ttl_s: int, *, shared: bool) -> Callable[[Request, bytes, str, bool], Response]:
    """Sends a body of a media type, to anybody or to who has a token; unless `shared`, its links are the asker's."""
    vary = (b"authorization",) if shared else (b"authorization", b"host", b"x-forwarded-proto")

    def send(request: Request, body: bytes, media_type: str, public: bool) -> Response:
        if not public:
            return Response(body, 200, {"cache-control": "no-store"}, media_type)
        return answer(request, document(body, media_type, ttl_s, shared=shared, vary=vary))

    return send


def _options(request: Request, path: str, result_format: str | None) -> options.Options:
    if len(path) > PATH_CHARACTERS_MAX:
        raise bad_query("The path is too long.")
    if result_format is not None and result_format.lower() != "geojson":
        raise bad_query("Of $resultFormat there is GeoJSON.")
    given = [(name, value) for name, value in request.query_params.multi_items() if name.startswith("$")]
    return options.read([each for each in given if each[0] != "$resultFormat"])


async def _is_public(request: Request, credentials: HTTPAuthorizationCredentials | None, gate: Gate) -> bool:
    """Whether somebody without a token asks. Who has one gets what operators get; a bad one is refused."""
    if credentials is None:
        return True
    await gate.recognise(request, credentials.credentials)
    return False


def _root(request: Request, platform_url: str) -> str:
    """The URL of the service as the town names it; else as this client does, also through a proxy that speaks TLS.

    Raises:
        Problem: the client names no host.
    """
    if platform_url:
        return platform_url.rstrip("/") + ROOT
    url = request.url
    if HOST.fullmatch(url.netloc) is None:
        raise bad_query("The request's Host is no name or address of a host.")
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else url.scheme
    return f"{scheme}://{url.netloc}{ROOT}"

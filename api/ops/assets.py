"""Assets with their latest state, and what one of them observed."""

import csv
import datetime as dt
import io
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from api import paging, shapes
from api.accepting import prefers
from api.moments import in_order, moment, rfc3339, width
from api.parameters import AssetPath, Cursor, Every, KindName, Limit, Name
from api.parts import OpsParts, json_answer
from api.problems import not_found
from storage import readings
from storage.readings import AssetState, Row, Span
from telemetry import outlook
from telemetry.clock import to_datetime, to_us
from telemetry.kind import Kind
from telemetry.kinds import KINDS
from telemetry.kinds.drain_level import DrainLevel

DAY = dt.timedelta(days=1)
FIRST_DAY_END = dt.datetime.min.replace(tzinfo=dt.UTC) + DAY
"""The earliest moment that has a whole day before it."""
END_OF_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)
CSV_PAGE_ROWS = 2_000
"""Rows fetched at a time for a CSV that has no limit of its own."""


def assets_router(parts: OpsParts) -> APIRouter:
    """The routes under `/ops/v1/assets`."""
    router = APIRouter(prefix="/ops/v1/assets", tags=["assets"], dependencies=[Depends(parts.gate.demands("viewer"))])

    @router.get("", response_model=shapes.Assets, summary="The registry with the latest state and its age")
    async def assets(
        kind: KindName | None = None,
        zone: Name | None = None,
        limit: Limit = paging.LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response:
        key = paging.after(cursor, str)
        async with parts.database.connection() as conn:
            found = await readings.assets(
                conn, now_us=parts.now(), limit=limit + 1, kind=kind, zone=zone, after=str(key[0]) if key else None
            )
            if not found and zone is not None and not await readings.zone_exists(conn, zone):
                raise not_found("zone of this name")
        return json_answer(paging.page(found, limit, lambda each: [each.asset], _asset))

    @router.get("/{asset}", response_model=shapes.Asset, summary="One asset")
    async def asset(asset: AssetPath) -> Response:
        async with parts.database.connection() as conn:
            found = await readings.asset(conn, asset, parts.now())
        if found is None:
            raise not_found("asset of this name")
        return json_answer(_asset(found) | {"outlook": _outlook(found, parts.now())})

    @router.get(
        "/{asset}/observations",
        response_model=shapes.Observations,
        summary="What an asset observed, raw or in buckets",
        responses={200: {"content": {"text/csv": {}}, "description": "As JSON, or as CSV by `Accept: text/csv`."}},
    )
    async def observations(
        request: Request,
        asset: AssetPath,
        since: Annotated[
            shapes.Moment | None, Query(alias="from", description="Inclusive; absent: a day before `to`.")
        ] = None,
        until: Annotated[shapes.Moment | None, Query(alias="to", description="Exclusive; absent: no end.")] = None,
        every: Every | None = None,
        limit: Limit | None = None,
        cursor: Cursor = None,
    ) -> Response:
        span = _span(parts.now(), since, until, cursor)
        wanted = _Wanted(parts, asset, span, every)
        if prefers("text/csv", ", ".join(request.headers.getlist("accept")), usual="application/json"):
            return await wanted.as_csv(limit)
        return await wanted.as_json(limit or paging.LIMIT_DEFAULT)

    return router


class _Wanted:
    """Observations of one asset that somebody asked for."""

    def __init__(self, parts: OpsParts, asset: str, span: Span, every: str | None) -> None:
        self._parts = parts
        self._asset = asset
        self._span = span
        self._width = width(every) if every is not None else None
        self._time = "observed_at" if every is None else "bucket"

    async def as_json(self, limit: int) -> Response:
        """One page."""
        kind, asset_id = await self._found()
        rows = await self._rows(kind, asset_id, self._span, limit + 1)
        return json_answer(paging.page(rows, limit, lambda row: [to_us(row[self._time])]))

    async def as_csv(self, limit: int | None) -> Response:
        """One page where a limit is given, else everything, sent as it is read."""
        kind, asset_id = await self._found()
        names = self._column_names(kind)
        first = await self._rows(kind, asset_id, self._span, limit or CSV_PAGE_ROWS)
        filename = f"{self._asset}.csv"
        headers = {"content-disposition": f'inline; filename="{filename}"', "cache-control": "no-store"}
        if limit is not None:
            return Response(_csv(first, names, header=True), 200, headers, "text/csv")
        return StreamingResponse(self._csv_pages(kind, asset_id, first, names), 200, headers, "text/csv")

    async def _csv_pages(
        self, kind: Kind, asset_id: int, rows: list[Row], names: tuple[str, ...]
    ) -> AsyncIterator[bytes]:
        yield _csv(rows, names, header=True)
        while len(rows) == CSV_PAGE_ROWS:
            span = Span(self._span.since, self._span.until, rows[-1][self._time])
            rows = await self._rows(kind, asset_id, span, CSV_PAGE_ROWS)
            yield _csv(rows, names, header=False)

    async def _found(self) -> tuple[Kind, int]:
        async with self._parts.database.connection() as conn:
            found = await readings.asset(conn, self._asset, self._parts.now())
        if found is None or found.kind not in KINDS:
            raise not_found("asset of this name")
        return KINDS[found.kind], found.asset_id

    async def _rows(self, kind: Kind, asset_id: int, span: Span, limit: int) -> list[Row]:
        async with self._parts.database.connection() as conn:
            if self._width is None:
                return await readings.observations(conn, kind, asset_id, span, limit)
            timezone = self._parts.settings.timezone
            return await readings.buckets(conn, kind, asset_id, span, limit, self._width, timezone)

    def _column_names(self, kind: Kind) -> tuple[str, ...]:
        if self._width is None:
            own = (each.name for each in kind.properties)
            return ("observed_at", "received_at", *own, "time_from_receipt", "seq")
        return ("bucket", "count", *(name for each in kind.properties for name in readings.bucket_names(each)))


def _asset(state: AssetState) -> dict[str, Any]:
    names = ("asset", "kind", "name", "zone", "lat", "lon", "device", "attributes", "online", "observed_at", "age_s")
    return {name: getattr(state, name) for name in names} | {"latest": state.latest}


def _outlook(state: AssetState, now_us: int) -> dict[str, Any] | None:
    """Where the water of a drain stands and goes; `None` of anything else, and of a drain that nobody has heard."""
    if state.kind != DrainLevel.name or state.observed_at is None:
        return None
    return outlook.document(state.outlook or {}, now_us)


def _span(now_us: int, since: str | None, until: str | None, cursor: str | None) -> Span:
    key = paging.after(cursor, int)
    end = END_OF_TIME if until is None else moment(until, "to")
    newest = to_datetime(now_us) if until is None else end
    begin = max(newest, FIRST_DAY_END) - DAY if since is None else moment(since, "from")
    in_order(begin, end)
    return Span(begin, end, paging.moment(key[0]) if key else None)


def _csv(rows: Iterable[Row], names: tuple[str, ...], *, header: bool) -> bytes:
    """RFC 4180 with the names as header; an absent value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    if header:
        writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value

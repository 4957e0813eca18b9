"""What happened, as marks on a time axis, for charts elsewhere than in Grafana, which asks the database itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api import paging, shapes
from api.moments import in_order, moment
from api.parameters import Cursor, Limit
from api.parts import OpsParts, json_answer
from storage import annotations
from telemetry.clock import DAY_US, to_datetime, to_us


def annotations_router(parts: OpsParts) -> APIRouter:
    """`/ops/v1/annotations`."""
    router = APIRouter(prefix="/ops/v1", tags=["alarms"], dependencies=[Depends(parts.gate.demands("viewer"))])

    @router.get("/annotations", response_model=shapes.Annotations, summary="Alarms and overrides as marks in time")
    async def marks(
        since: Annotated[shapes.Moment | None, Query(alias="from", description="Absent: a day before now.")] = None,
        until: Annotated[shapes.Moment | None, Query(alias="to", description="Exclusive; absent: now.")] = None,
        limit: Limit = paging.LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response:
        key = paging.after(cursor, int, str)
        before = (paging.moment(key[0]), str(key[1])) if key else None
        now_us = parts.now()
        begin = to_datetime(now_us - DAY_US) if since is None else moment(since, "from")
        end = to_datetime(now_us) if until is None else moment(until, "to")
        in_order(begin, end)
        async with parts.database.connection() as conn:
            found = await annotations.between(conn, begin, end, limit + 1, before)
        return json_answer(paging.page(found, limit, lambda each: [to_us(each.time), each.id]))

    return router

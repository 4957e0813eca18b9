"""Alarms with their reasons, and their acknowledgement."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api import paging, shapes
from api.auth import Caller
from api.ops.assets import Cursor, Limit, Name
from api.parts import OpsParts, json_answer
from api.problems import not_found
from storage import alarms, audit
from telemetry.alarms import Alarm, AlarmType, State
from telemetry.clock import to_us


def alarms_router(parts: OpsParts) -> APIRouter:
    """The routes under `/ops/v1/alarms`."""
    router = APIRouter(prefix="/ops/v1/alarms", tags=["alarms"], dependencies=[Depends(parts.gate.demands("viewer"))])
    operator = parts.gate.demands("operator")

    @router.get("", response_model=shapes.Alarms, summary="Alarms, newest first")
    async def listed(
        state: Annotated[State | Literal["active"] | None, Query(description="`active`: all but normal.")] = None,
        type: AlarmType | None = None,
        asset: Name = None,
        limit: Limit = paging.LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response:
        key = paging.after(cursor, int, str)
        before = (paging.moment(key[0]), str(key[1])) if key else None
        async with parts.database.connection() as conn:
            found = await alarms.page(conn, limit=limit + 1, before=before, state=state, type=type, asset=asset)
        return json_answer(paging.page(found, limit, _itself, lambda each: [to_us(each.raised_at), each.id]))

    @router.get("/{alarm}", response_model=shapes.Alarm, summary="One alarm, with why it was raised")
    async def one(alarm: str) -> Response:
        async with parts.database.connection() as conn:
            found = await alarms.find(conn, alarm)
        if found is None:
            raise not_found("alarm of this id")
        return json_answer(found)

    @router.post("/{alarm}/acknowledge", response_model=shapes.Alarm, summary="Say that somebody has seen it")
    async def acknowledge(
        alarm: str,
        caller: Annotated[Caller, Depends(operator)],
        body: shapes.Acknowledgement | None = None,
    ) -> Response:
        now_us, note = parts.now(), body.note if body else None
        async with parts.database.transaction() as conn:
            found = await alarms.acknowledge(conn, alarm, by=caller.name, note=note, at_us=now_us)
            if found is None:
                raise not_found("alarm of this id")
            detail = {"note": note} if note else {}
            await audit.record(
                conn, at_us=now_us, by=caller.name, action="acknowledge", subject=f"alarm:{alarm}", detail=detail
            )
        return json_answer(found)

    return router


def _itself(alarm: Alarm) -> Alarm:
    return alarm

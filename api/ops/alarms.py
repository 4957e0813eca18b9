"""Alarms with their reasons: acknowledged, put aside for a while, and taken back."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api import bodies, paging, shapes
from api.auth import Caller
from api.moments import ahead
from api.parameters import AlarmPath, Cursor, Limit, Name
from api.parts import OpsParts, json_answer
from api.problems import not_found
from storage import alarms, audit, readings
from telemetry.alarms import AlarmType, State
from telemetry.clock import to_rfc3339, to_us

CITY_TIME = "city-time"
"""The header that says what the city's clock says, for whoever is about to name a moment."""
SHELVED_DAYS_MAX = 7
"""No alarm is put aside for longer (contract §3)."""


def alarms_router(parts: OpsParts) -> APIRouter:
    """The routes under `/ops/v1/alarms`."""
    router = APIRouter(prefix="/ops/v1/alarms", tags=["alarms"], dependencies=[Depends(parts.gate.demands("viewer"))])
    operator = parts.gate.demands("operator")

    @router.get("", response_model=shapes.Alarms, summary="Alarms, newest first")
    async def listed(
        state: Annotated[State | Literal["active"] | None, Query(description="`active`: all but normal.")] = None,
        type: AlarmType | None = None,
        asset: Name | None = None,
        limit: Limit = paging.LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response:
        key = paging.after(cursor, int, str)
        before = (paging.moment(key[0]), str(key[1])) if key else None
        async with parts.database.connection() as conn:
            found = await alarms.page(conn, limit=limit + 1, before=before, state=state, type=type, asset=asset)
            if not found and asset is not None and await readings.asset(conn, asset, parts.now()) is None:
                raise not_found("asset of this name")
        return json_answer(paging.page(found, limit, lambda each: [to_us(each.raised_at), each.id]))

    @router.get(
        "/{alarm}",
        response_model=shapes.Alarm,
        summary="One alarm, with why it was raised",
        responses={200: {"headers": {CITY_TIME: {"schema": {"type": "string", "format": "date-time"}}}}},
    )
    async def one(alarm: AlarmPath) -> Response:
        async with parts.database.connection() as conn:
            found = await alarms.find(conn, alarm)
        if found is None:
            raise not_found("alarm of this id")
        response = json_answer(found)
        response.headers[CITY_TIME] = to_rfc3339(parts.now())
        return response

    @router.post("/{alarm}/acknowledge", response_model=shapes.Alarm, summary="Say that somebody has seen it")
    async def acknowledge(
        alarm: AlarmPath,
        caller: Annotated[Caller, Depends(operator)],
        body: bodies.Acknowledgement | None = None,
    ) -> Response:
        return await _acknowledge(parts, alarm, body.note if body else None, caller)

    @router.post("/{alarm}/shelve", response_model=shapes.Alarm, summary="Put it aside until a moment")
    async def shelve(alarm: AlarmPath, body: bodies.Shelving, caller: Annotated[Caller, Depends(operator)]) -> Response:
        return await _shelve(parts, alarm, body, caller)

    @router.post("/{alarm}/unshelve", response_model=shapes.Alarm, summary="Take it back")
    async def unshelve(alarm: AlarmPath, caller: Annotated[Caller, Depends(operator)]) -> Response:
        return await _unshelve(parts, alarm, caller)

    return router


async def _acknowledge(parts: OpsParts, alarm: str, note: str | None, caller: Caller) -> Response:
    """Note that somebody has seen an alarm."""
    now_us = parts.now()
    async with parts.database.transaction() as conn:
        found = await alarms.acknowledge(conn, alarm, by=caller.name, note=note, at_us=now_us)
        if found is None:
            raise not_found("alarm of this id")
        detail = {"note": note} if note else {}
        await audit.record(
            conn, at_us=now_us, by=caller.name, action="acknowledge", subject=f"alarm:{alarm}", detail=detail
        )
    return json_answer(found)


async def _shelve(parts: OpsParts, alarm: str, body: bodies.Shelving, caller: Caller) -> Response:
    """Put an alarm aside."""
    now_us = parts.now()
    until_us = ahead(body.until, "until", now_us, SHELVED_DAYS_MAX)
    async with parts.database.transaction() as conn:
        found = await alarms.shelve(conn, alarm, until_us=until_us, by=caller.name, reason=body.reason, at_us=now_us)
        if found is None:
            raise not_found("alarm of this id")
        detail = {"until": to_rfc3339(until_us), "reason": body.reason}
        await audit.record(conn, at_us=now_us, by=caller.name, action="shelve", subject=f"alarm:{alarm}", detail=detail)
    return json_answer(found)


async def _unshelve(parts: OpsParts, alarm: str, caller: Caller) -> Response:
    """Take a shelved alarm back."""
    now_us = parts.now()
    async with parts.database.transaction() as conn:
        found = await alarms.unshelve(conn, alarm, by=caller.name, at_us=now_us)
        if found is None:
            raise not_found("alarm of this id")
        await audit.record(conn, at_us=now_us, by=caller.name, action="unshelve", subject=f"alarm:{alarm}")
    return json_answer(found)

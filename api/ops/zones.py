"""What operators order for a whole zone until a moment: bays closed, alarms that disturb nobody, every lamp on."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api import bodies, shapes
from api.auth import Caller
from api.moments import impossible, moment
from api.ops import commands as overrides
from api.parameters import ZonePath
from api.parts import OpsParts, json_answer
from api.problems import not_found
from storage import audit, commands, measures, readings
from storage.measures import MeasureRow
from telemetry.alarms import zone_subject
from telemetry.clock import DAY_US, to_rfc3339, to_us
from telemetry.commands import Settings, command_id
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight

MEASURE_DAYS_MAX = 366
"""No order for a zone stands longer; who wants it longer orders it again."""

What = Literal["closure", "maintenance"]


def zones_router(parts: OpsParts) -> APIRouter:
    """The routes under `/ops/v1/zones`."""
    router = APIRouter(prefix="/ops/v1/zones", tags=["zones"], dependencies=[Depends(parts.gate.demands("viewer"))])
    operator = parts.gate.demands("operator")

    @router.get("/{zone}/measures", response_model=shapes.Measures, summary="What is ordered for a zone, now and later")
    async def listed(zone: ZonePath) -> Response:
        async with parts.database.connection() as conn:
            rows: list[MeasureRow] = await measures.standing(conn, parts.now(), zone)
            if not rows and not await readings.zone_exists(conn, zone):
                raise not_found("zone of this name")
        return json_answer({"items": rows})

    @router.post("/{zone}/closure", status_code=201, response_model=shapes.Measure, summary="Close the zone's bays")
    async def close(
        zone: ZonePath, body: bodies.MeasureOrder, caller: Annotated[Caller, Depends(operator)]
    ) -> Response:
        return await _order(parts, zone, "closure", body, caller)

    @router.delete("/{zone}/closure", response_model=shapes.Measures, summary="Open the zone's bays again")
    async def open(zone: ZonePath, caller: Annotated[Caller, Depends(operator)]) -> Response:
        return await _end(parts, zone, "closure", caller)

    @router.post(
        "/{zone}/maintenance", status_code=201, response_model=shapes.Measure, summary="Notify nobody of its alarms"
    )
    async def maintain(
        zone: ZonePath, body: bodies.MeasureOrder, caller: Annotated[Caller, Depends(operator)]
    ) -> Response:
        return await _order(parts, zone, "maintenance", body, caller)

    @router.delete("/{zone}/maintenance", response_model=shapes.Measures, summary="Notify again")
    async def maintained(zone: ZonePath, caller: Annotated[Caller, Depends(operator)]) -> Response:
        return await _end(parts, zone, "maintenance", caller)

    @router.post("/{zone}/all-on", status_code=202, response_model=shapes.AllOn, summary="Every lamp to 100 %")
    async def all_on(zone: ZonePath, body: bodies.AllOnOrder, caller: Annotated[Caller, Depends(operator)]) -> Response:
        return await _all_on(parts, zone, body, caller)

    return router


async def _order(parts: OpsParts, zone: str, what: What, body: bodies.MeasureOrder, caller: Caller) -> Response:
    """Write a measure down."""
    now_us = parts.now()
    from_us, until_us = _span(body, now_us)
    name = command_id(zone_subject(zone), f"{what}|{from_us}|{until_us}", now_us)
    async with parts.database.transaction() as conn:
        if what == "closure" and not await readings.assets(
            conn, now_us=now_us, limit=1, kind=ParkingBay.name, zone=zone
        ):
            raise not_found("zone of this name with a parking bay")
        row = await measures.order(
            conn, id=name, zone=zone, what=what, from_us=from_us, until_us=until_us, note=body.note, by=caller.name
        )
        if row is None:
            raise not_found("zone of this name")
        detail = {"starts_at": to_rfc3339(from_us), "expires_at": to_rfc3339(until_us), "note": body.note}
        subject = zone_subject(zone)
        await audit.record(conn, at_us=now_us, by=caller.name, action=what, subject=subject, detail=detail)
    return json_answer(row, 201)


async def _end(parts: OpsParts, zone: str, what: What, caller: Caller) -> Response:
    """End the measures of a sort."""
    now_us = parts.now()
    async with parts.database.transaction() as conn:
        rows = await measures.end(conn, zone=zone, what=what, at_us=now_us)
        if rows is None:
            raise not_found("zone of this name")
        subject, detail = zone_subject(zone), {"ended": [row.id for row in rows]}
        await audit.record(conn, at_us=now_us, by=caller.name, action=f"end_{what}", subject=subject, detail=detail)
    return json_answer({"items": rows})


async def _all_on(parts: OpsParts, zone: str, body: bodies.AllOnOrder, caller: Caller) -> Response:
    """Override every lamp of a zone that can be told; the others are named."""
    now_us = parts.now()
    expires_us = overrides.expiry(body.expires_at, now_us)
    settings = Settings(setpoint_pct=100.0)
    async with parts.database.transaction() as conn:
        states = await readings.assets(
            conn, now_us=now_us, limit=overrides.ZONE_ASSETS_MAX + 1, kind=StreetLight.name, zone=zone
        )
        if not states:
            raise not_found("zone of this name with a street light")
        if len(states) > overrides.ZONE_ASSETS_MAX:
            raise impossible("zone", f"the zone {zone} has more than {overrides.ZONE_ASSETS_MAX} lamps")
        lamps = [overrides.plain(state) for state in states]
        orders = [overrides.ordered(lamp, settings, now_us, expires_us) for lamp in lamps if lamp.device]
        rows = await commands.order(conn, orders, by=caller.name, note=body.note)
        unserved = [lamp.asset for lamp in lamps if not lamp.device]
        detail = {"commands": [row.id for row in rows], "unserved": unserved, "note": body.note}
        await audit.record(
            conn, at_us=now_us, by=caller.name, action="all_on", subject=zone_subject(zone), detail=detail
        )
    return json_answer({"items": rows, "unserved": unserved}, 202)


def _span(body: bodies.MeasureOrder, now_us: int) -> tuple[int, int]:
    """From when to when, in microseconds of city time."""
    from_us = now_us if body.starts_at is None else to_us(moment(body.starts_at, "starts_at"))
    until_us = to_us(moment(body.expires_at, "expires_at"))
    if until_us <= max(from_us, now_us):
        raise impossible("expires_at", f"must lie after its start and the city's time, which is {to_rfc3339(now_us)}")
    if until_us > now_us + MEASURE_DAYS_MAX * DAY_US:
        raise impossible("expires_at", f"must not be more than {MEASURE_DAYS_MAX} days ahead")
    return from_us, until_us

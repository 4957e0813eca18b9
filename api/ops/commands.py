"""Commands: how far each has come, and overrides ordered and ended by hand.

An override is a row that the rules take up; what may be set is guarded here at the door, and by the rules once more
when they send it.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api import bodies, paging, shapes
from api.auth import Caller
from api.moments import ahead, impossible, invalid
from api.parameters import CommandPath, Cursor, Limit, Name
from api.parts import OpsParts, json_answer
from api.problems import Problem, not_found
from storage import audit, commands, readings, rule_versions
from storage.commands import CommandRow, Order
from storage.pool import Connection
from storage.readings import AssetState
from telemetry import guards
from telemetry.alarms import asset_subject, zone_subject
from telemetry.clock import SECOND_US, to_us
from telemetry.commands import Settings, command_id
from telemetry.kinds import KINDS
from telemetry.kinds.streetlight import StreetLight
from telemetry.limits import COMMAND_LEASE_S
from telemetry.registry import Asset

OVERRIDE_DAYS_MAX = 31
"""No override stands longer; who wants it longer orders it again."""
ZONE_ASSETS_MAX = 10_000
"""An order for a zone with more is refused, for some would be passed over."""
REASONS_TOLD = 3
"""Refusals told in the problem's sentence; `refused` names all of them."""


def commands_router(parts: OpsParts) -> APIRouter:
    """The routes under `/ops/v1/commands`."""
    router = APIRouter(
        prefix="/ops/v1/commands", tags=["commands"], dependencies=[Depends(parts.gate.demands("viewer"))]
    )
    operator = parts.gate.demands("operator")

    @router.get("", response_model=shapes.Commands, summary="Commands, newest first")
    async def listed(asset: Name | None = None, limit: Limit = paging.LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
        key = paging.after(cursor, int, str)
        before = (paging.moment(key[0]), str(key[1])) if key else None
        async with parts.database.connection() as conn:
            found = await commands.page(conn, limit=limit + 1, before=before, asset=asset)
            if not found and asset is not None and await readings.asset(conn, asset, parts.now()) is None:
                raise not_found("asset of this name")
        return json_answer(paging.page(found, limit, lambda each: [to_us(each.queued_at), each.id]))

    @router.post("", status_code=202, response_model=shapes.Ordered, summary="Order an override for an asset or a zone")
    async def order(body: bodies.Override, caller: Annotated[Caller, Depends(operator)]) -> Response:
        now_us = parts.now()
        settings, expires_us = _settings(body), expiry(body.expires_at, now_us)
        async with parts.database.transaction() as conn:
            targets = await _targets(conn, body, settings, now_us)
            _guard(targets, settings, parts.dark(now_us, expires_us), await rule_versions.class_min_pct(conn))
            orders = [ordered(each, settings, now_us, expires_us) for each in targets]
            rows = await commands.order(conn, orders, by=caller.name, note=body.note)
            await _record(conn, now_us, caller, body, rows)
        return json_answer({"items": rows}, 202)

    @router.delete("/{command}", response_model=shapes.Command, summary="End an override")
    async def end(command: CommandPath, caller: Annotated[Caller, Depends(operator)]) -> Response:
        now_us = parts.now()
        async with parts.database.transaction() as conn:
            row = await commands.end_override(conn, command, at_us=now_us)
            if row is None:
                raise not_found("override of this id")
            await audit.record(conn, at_us=now_us, by=caller.name, action="end_command", subject=f"command:{command}")
        return json_answer(row)

    return router


def _settings(body: bodies.Override) -> Settings:
    """As on the wire, an integral number is an integer."""
    given = {
        name: int(each) if isinstance(each, float) and each.is_integer() else each for name, each in body.set.items()
    }
    try:
        return msgspec.convert(given, Settings)
    except msgspec.ValidationError as error:
        raise invalid("set", str(error)) from error
    except UnicodeEncodeError as error:
        raise invalid("set", "holds what is no Unicode text") from error


def expiry(expires_at: str | None, now_us: int) -> int:
    """When an override ends, in microseconds of city time; absent, in an hour.

    Raises:
        Problem: 422, it is no moment, has passed, or lies too far ahead.
    """
    if expires_at is None:
        return now_us + COMMAND_LEASE_S * SECOND_US
    return ahead(expires_at, "expires_at", now_us, OVERRIDE_DAYS_MAX)


async def _targets(conn: Connection, body: bodies.Override, settings: Settings, now_us: int) -> list[Asset]:
    """The asset, or all of the zone for which the settings mean anything, also those that cannot be told.

    A level means something for lamps only, a report interval for every asset.

    Raises:
        Problem: 422, there is none, or more than one order may be for.
    """
    if (body.asset is None) == (body.zone is None):
        raise invalid("asset", "either an asset or a zone must be given, and not both")
    if body.asset is not None:
        found = await readings.asset(conn, body.asset, now_us)
        if found is None:
            raise impossible("asset", f"there is no asset {body.asset}")
        return [plain(found)]
    kind = StreetLight.name if settings.setpoint_pct is not None else None
    states = await readings.assets(conn, now_us=now_us, limit=ZONE_ASSETS_MAX + 1, kind=kind, zone=body.zone)
    if not states:
        raise impossible("zone", f"there is no zone {body.zone} with an asset to which this could be sent")
    if len(states) > ZONE_ASSETS_MAX:
        raise impossible(
            "zone", f"the zone {body.zone} has more than {ZONE_ASSETS_MAX} assets, so order for each by itself"
        )
    return [plain(state) for state in states]


def plain(state: AssetState) -> Asset:
    """The asset as the guards know it."""
    attributes = msgspec.convert(state.attributes, KINDS[state.kind].wire.attributes)
    return Asset(
        state.asset_id, state.asset, state.kind, state.name, state.zone, state.lat, state.lon, attributes, state.device
    )


def _guard(targets: list[Asset], settings: Settings, dark: bool, class_min_pct: Mapping[str, float]) -> None:
    """All or nothing: refuse where any asset may not be told so, or cannot be.

    Raises:
        Problem: 422 with every such asset and why.
    """
    refused = [
        {"asset": asset.asset, "detail": detail}
        for asset in targets
        if (detail := guards.objection(asset, settings, dark, class_min_pct) or _unreachable(asset)) is not None
    ]
    if refused:
        reasons = " ".join(each["detail"] for each in refused[:REASONS_TOLD])
        more = f" And {len(refused) - REASONS_TOLD} more, see `refused`." if len(refused) > REASONS_TOLD else ""
        raise Problem(422, f"Nothing was sent. {reasons}{more}", slug="guarded", refused=refused)


def _unreachable(asset: Asset) -> str | None:
    return None if asset.device else f"{asset.asset} is served by no device, so nothing can be sent to it."


def ordered(asset: Asset, settings: Settings, now_us: int, expires_us: int) -> Order:
    """The override of one asset, as the rules take it up."""
    words = msgspec.json.encode(settings).decode()
    name = command_id(asset_subject(asset.asset), f"override|{words}|{expires_us}", now_us)
    return Order(name, asset.asset_id, asset.asset, asset.device, settings, "override", now_us, expires_us)


async def _record(conn: Connection, now_us: int, caller: Caller, body: bodies.Override, rows: list[CommandRow]) -> None:
    subject = asset_subject(body.asset) if body.asset is not None else zone_subject(body.zone or "")
    detail: dict[str, Any] = {"set": body.set, "note": body.note, "commands": [row.id for row in rows]}
    await audit.record(conn, at_us=now_us, by=caller.name, action="command", subject=subject, detail=detail)

"""What became of every uplink: the refused ones with their bytes, and the ledger."""

import base64
import datetime as dt
from typing import Any, Literal

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api import paging, shapes
from api.moments import rfc3339
from api.parameters import Cursor, Device, Limit
from api.parts import OpsParts, json_answer
from storage import ledger, quarantine
from storage.ledger import Day
from storage.quarantine import QuarantinedUplink
from telemetry.refusals import Reason


def records_router(parts: OpsParts) -> APIRouter:
    """`/ops/v1/quarantine` and `/ops/v1/ledger`."""
    router = APIRouter(prefix="/ops/v1", tags=["ledger"], dependencies=[Depends(parts.gate.demands("viewer"))])

    @router.get("/quarantine", response_model=shapes.Quarantine, summary="Refused uplinks, newest first")
    async def quarantined(
        reason: Reason | None = None,
        device: Device | None = None,
        limit: Limit = paging.LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response:
        key = paging.after(cursor, int)
        async with parts.database.connection() as conn:
            rows, more = await quarantine.page(
                conn, limit=limit, before=int(key[0]) if key else None, reason=reason, device=device
            )
        following = paging.cursor([rows[-1].id]) if more else None
        return json_answer({"items": [_uplink(row) for row in rows], "next": following})

    @router.get("/ledger", response_model=shapes.Ledger | shapes.LedgerDays, summary="What became of every uplink")
    async def books(
        by: Literal["day"] | None = None, limit: Limit = paging.LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Response:
        """`received = stored + duplicate + quarantined + in_flight`; of single days `in_flight` is always 0.

        The sums are a view of the books: what is in flight stands on both sides. The proof is each day's `check`, a
        comparison with the rows that were there; null before the first.
        """
        key = paging.after(cursor, str)
        async with parts.database.connection() as conn:
            if by is None:
                return json_answer((await ledger.totals(conn, parts.real_now())).document())
            rows = await ledger.days(conn, limit=limit + 1, before=_day(str(key[0])) if key else None)
        return json_answer(paging.page(rows, limit, lambda row: [str(row.day)], _of_day))

    return router


def _uplink(row: QuarantinedUplink) -> dict[str, Any]:
    return {
        "id": row.id,
        "received_at": rfc3339(row.received_at),
        "topic": row.topic,
        "device": row.device,
        "reason": row.reason,
        "detail": row.detail,
        "payload_base64": base64.b64encode(row.payload).decode(),
        "replayed_at": rfc3339(row.replayed_at),
    }


def _of_day(row: Day) -> dict[str, Any]:
    check = row.check and {
        "checked_at": rfc3339(row.check.checked_at),
        "balances": row.check.balances,
        **row.check.figures(),
        "differs_since": rfc3339(row.check.differs_since),
    }
    return {"day": str(row.day), **row.account.document(), "check": check}


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise paging.no_cursor() from error

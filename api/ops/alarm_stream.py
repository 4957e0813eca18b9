"""Alarms live, for operators: what stands at first, then every change, for as long as the token is good."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from prometheus_client import Gauge
from starlette.responses import Response

from api.addresses import Addresses
from api.alarm_board import AlarmBoard
from api.auth import Caller, Gate
from api.ratelimit import Streams
from api.stream import EventStream, events, last_event_id

PATH = "/ops/v1/alarms/stream"
LISTENERS_MAX = 500
"""Streams of alarms at a time, from everywhere."""
CHECK_EVERY_S = 5.0
"""So often a stream says that it lives, and looks whether its token is still good; no event is sent without that."""


def alarm_stream_router(
    board: AlarmBoard, gate: Gate, addresses: Addresses, streams: Streams, open_streams: Gauge
) -> APIRouter:
    """The route of the stream; it is to stand before that of a single alarm."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        PATH,
        summary="Alarms live, as server-sent events",
        response_class=Response,
        responses={
            200: {
                "content": {"text/event-stream": {}},
                "description": "`event: alarm`, `data:` an alarm, also when it becomes normal; `event: gone`, `data:` "
                "the id of one that became so unheard. All that are not normal first, or what changed since the event "
                "of `Last-Event-ID`. Ends when the token does.",
            }
        },
    )
    async def alarm_stream(
        request: Request,
        caller: Annotated[Caller, Depends(gate.demands("viewer"))],
        since: Annotated[
            str | None, Header(alias="last-event-id", description="The `id` of the last event seen.")
        ] = None,
    ) -> Response:
        frames = events(board.changes, last_event_id(since), CHECK_EVERY_S)
        return EventStream(_while_valid(frames, gate, caller), streams, addresses.client(request.scope), open_streams)

    return router


async def _while_valid(frames: AsyncIterator[bytes], gate: Gate, caller: Caller) -> AsyncIterator[bytes]:
    """The frames until the caller's token is revoked or expires."""
    clock = asyncio.get_running_loop().time
    checked_s = clock()
    async for frame in frames:
        if clock() >= checked_s + CHECK_EVERY_S:
            if not await gate.is_still_good(caller):
                return
            checked_s = clock()
        yield frame

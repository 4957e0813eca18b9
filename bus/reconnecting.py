"""Staying connected: one connection after another, with growing waits between those that fail."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bus.address import Address
from bus.backoff import Backoff

STEADY_S = 5.0
"""A connection that stood this long counts as a success: the next wait is short again."""

_log = structlog.get_logger(__name__)

Stands = Callable[[], None]
"""To be called when the connection stands and all is subscribed."""


class Lost(ConnectionError):
    """The connection ended, or never stood; the message says why."""


class Untrusted(Lost):
    """Somebody answers, but with a certificate that cannot be trusted; the message says why."""


async def stay_connected(client_id: str, address: Address, live: Callable[[Stands], Awaitable[str]]) -> NoReturn:
    """Live one connection after the other, until cancelled.

    `live` makes a connection and stays with it until it is gone: then it returns the reason in words, or raises `Lost`.
    """
    backoff, loop = Backoff(), asyncio.get_running_loop()
    while True:
        stood_s: float | None = None

        def stands() -> None:
            nonlocal stood_s
            stood_s = loop.time()
            _log.info("broker connected", client=client_id, broker=str(address))

        try:
            reason = await live(stands)
        except Lost as error:
            reason = str(error)
        if stood_s is not None and loop.time() - stood_s >= STEADY_S:
            backoff.succeeded()
        wait_s = backoff.next_s()
        _log.warning("broker away", client=client_id, broker=str(address), reason=reason, again_in_s=round(wait_s, 2))
        await asyncio.sleep(wait_s)

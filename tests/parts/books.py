"""The books of a town that processes of its own keep: when they are at rest."""

import asyncio
import time

import psycopg

LOOK_S = 0.25


async def at_rest(url: str, quiet_s: float, until_s: float) -> None:
    """Wait until the ledger has not changed for `quiet_s`, at most until the monotonic time `until_s`."""
    before, since_s = None, time.monotonic()
    while time.monotonic() < until_s and time.monotonic() - since_s < quiet_s:
        now = await asyncio.to_thread(_counted, url)
        if now != before:
            before, since_s = now, time.monotonic()
        await asyncio.sleep(LOOK_S)


def _counted(url: str) -> object:
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT sum(received), sum(replayed) FROM ledger").fetchone()

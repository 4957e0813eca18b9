"""Check of the broker's certificate: how long it lasts yet. One that has run out is refused with the connection."""

import asyncio
import ssl
from collections.abc import AsyncIterator

from bus.address import BadAddress, parse_address
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok
from telemetry.clock import DAY_US, SECOND_US

PATIENCE_S = 10.0
DAYS_NOTE = 21


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at the certificate of the broker at `url`; says nothing without TLS, or where it is not let in."""
    try:
        address = parse_address(url)
        if address.tls is None:
            return
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
    except (OSError, TimeoutError, BadAddress):
        return
    shown = writer.get_extra_info("peercert") or {}
    writer.close()
    until_us = int(ssl.cert_time_to_seconds(str(shown["notAfter"])) * SECOND_US)
    days = (until_us - real_now()) // DAY_US
    if days < DAYS_NOTE:
        left = "1 day" if days == 1 else f"{days} days"
        yield note("broker", f"Its certificate runs out in {left}: renew it, or every device is turned away then.")
    else:
        yield ok("broker", f"Its certificate is good for another {days} days.")

"""Checks of where notifications go: whether each sink's URL can be had, and whether anybody listens there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from lamplighter.doctor.findings import Finding, note
from rules.notifying import unusable, url_of
from telemetry.thresholds import Sink

PATIENCE_S = 5.0
_ABOUT = "notifications"
_PORTS = {"json": 80, "xml": 80, "form": 80, "jsons": 443, "xmls": 443, "forms": 443}
"""Webhooks, as apprise spells them; of other services only apprise knows the host."""


async def examine(sinks: Mapping[str, Sink]) -> AsyncIterator[Finding]:
    """Look at each sink; nothing is sent."""
    unfit = unusable(sinks)
    for name, sink in sinks.items():
        if name in unfit:
            yield note(_ABOUT, f"The sink {name} cannot be used from here: {unfit[name]}.")
            continue
        parts = urlsplit(url_of(sink))
        if parts.scheme in _PORTS and not await _listens(parts.hostname or "", parts.port or _PORTS[parts.scheme]):
            yield note(
                _ABOUT, f"Nobody listens where the sink {name} leads, {parts.hostname}: start it, or mend its URL."
            )


async def _listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True

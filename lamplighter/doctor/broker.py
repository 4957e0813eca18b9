"""Checks of the broker: reachable, closed to strangers, and its queue."""

import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from bus.address import BadAddress
from lamplighter.cleartext import is_here
from lamplighter.doctor import backlog, certificate, queue
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.embedded import handshake

PATIENCE_S = 10.0


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at the broker at `url`."""
    try:
        await handshake.shake_hands(url, PATIENCE_S)
    except (OSError, TimeoutError, handshake.Refused, BadAddress, ssl.SSLError) as error:
        reason = str(error) or "it does not answer"
        yield wrong("broker", f"The broker cannot be used ({reason}): {_mend(error, reason)}.")
        return
    yield ok("broker", "The broker lets us in.")
    yield await _strangers(url)
    if urlsplit(url).scheme == "mqtt" and not is_here(url):
        yield note("broker", "Passwords travel in clear: use mqtts:// and a listener with TLS.")
    async for finding in certificate.examine(url):
        yield finding
    async for finding in backlog.examine(url):
        yield finding
    async for finding in queue.examine(url):
        yield finding


def _mend(error: Exception, reason: str) -> str:
    if "expired" in reason:
        return "renew its certificate, and see that this machine's clock is right"
    if isinstance(error, ssl.SSLError) or "certificate" in reason:
        return "name who vouches for its certificate in LAMPLIGHTER_MQTT_CA, or mend the host in LAMPLIGHTER_MQTT_URL"
    if isinstance(error, handshake.Refused):
        return "mend user and password in LAMPLIGHTER_MQTT_URL, or let that user in"
    return "start it, or mend LAMPLIGHTER_MQTT_URL"


async def _strangers(url: str) -> Finding:
    parts = urlsplit(url)
    open_door = parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]).geturl()
    try:
        await handshake.shake_hands(open_door, PATIENCE_S)
    except (OSError, TimeoutError, handshake.Refused):
        return ok("broker", "The broker turns away who has no password.")
    return wrong("broker", "The broker lets anybody in without a password: set `allow_anonymous false`.")

"""Checks of the network servers: each broker's door, what may be heard there, and devices that nobody can read."""

import ssl
from collections.abc import AsyncIterator

from bus.address import BadAddress
from gateway.events import Network
from gateway.models import Models
from gateway.service import SERVERS
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.embedded import handshake
from lamplighter.errors import Failure
from lamplighter.networks import device_models, networks
from lamplighter.settings import Settings
from storage import errors, gateway_survey
from storage.pool import connect
from telemetry.clock import SECOND_US, to_datetime

PATIENCE_S = 10.0
LOOK_BACK_S = 7 * 24 * 3_600
NAMED_MAX = 3
_NO = (OSError, TimeoutError, handshake.Refused, BadAddress, ssl.SSLError)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the network servers that are set; says nothing where there are none."""
    if not settings.gateway_networks:
        return
    try:
        models = device_models(settings.gateway_models)
    except Failure as error:
        yield wrong("gateway", str(error))
        models = Models()
    for network in networks(settings.gateway_networks):
        async for finding in _network(network, models):
            yield finding
    if settings.database_url is not None:
        async for finding in _unread(settings.database_url):
            yield finding


async def _network(network: Network, models: Models) -> AsyncIterator[Finding]:
    about = f"gateway {network.name}"
    try:
        await handshake.shake_hands(network.url, PATIENCE_S)
    except _NO as error:
        reason = str(error) or "it does not answer"
        yield wrong(about, f"Its broker cannot be used ({reason}): start it, or mend LAMPLIGHTER_GATEWAY_NETWORKS.")
        return
    server = SERVERS[network.kind](models)
    try:
        await handshake.shake_hands(network.url, PATIENCE_S, server.filters)
    except _NO as error:
        yield wrong(about, f"No uplinks are heard there ({error}): let our user read {', '.join(server.filters)}.")
        return
    yield ok(about, "Its broker lets us in, and takes our subscriptions.")
    if not server.overheard:
        return
    try:
        await handshake.shake_hands(network.url, PATIENCE_S, server.overheard)
    except _NO:
        wanted = ", ".join(each for each in server.overheard if each.startswith("+"))
        words = f"Its radio gateways are not overheard, so that an outage is no one alarm: let our user read {wanted}."
        yield note(about, words)


async def _unread(url: str) -> AsyncIterator[Finding]:
    """What waits for a model; nothing where the database cannot be asked, which is another check's finding."""
    since = to_datetime(real_now() - LOOK_BACK_S * SECOND_US)
    try:
        async with await connect(url, application="lamplighter doctor") as connection:
            found = await gateway_survey.without_model(connection, since)
    except errors.StorageError:
        return
    if not found:
        yield ok("gateway", "Every device that was heard in the last seven days has a codec.")
        return
    named = ", ".join(each.device for each in found[:NAMED_MAX]) + (" …" if len(found) > NAMED_MAX else "")
    yield wrong(
        "gateway",
        f"Uplinks of {len(found)} {'device wait' if len(found) == 1 else 'devices wait'} because nobody has named a "
        f"model for them ({named}): name it in LAMPLIGHTER_GATEWAY_MODELS or in the registry's column `model`, then "
        "run `lamplighter quarantine replay`.",
    )

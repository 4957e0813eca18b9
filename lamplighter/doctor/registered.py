"""Checks of what is registered and what was refused: mistakes that no import can see."""

import datetime as dt
from collections.abc import AsyncIterator

from lamplighter.doctor.findings import Finding, note, ok, wrong
from storage import errors, survey
from storage.pool import Connection, connect
from telemetry.clock import to_datetime
from telemetry.kinds import KINDS
from telemetry.refusals import Reason

LOOK_BACK = dt.timedelta(days=1)
NAMED_MAX = 3


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at the registry and the last day's quarantine in the database at `url`."""
    found: list[Finding] = []
    try:
        with errors.translated():
            async with await connect(url, application="lamplighter doctor") as connection:
                found = [*await _registered(connection), *await _refused(connection)]
    except errors.StorageError:
        pass  # another check's finding
    for finding in found:
        yield finding


async def _registered(connection: Connection) -> list[Finding]:
    found = []
    for devices in await survey.alike(connection):
        found.append(
            note("registry", f"The devices {' and '.join(devices)} differ only in capitals: one is a mistake.")
        )
    for attribute, what in (("ground_m", "an overflow"), ("crown_m", "a high level")):
        lacking = await survey.without(connection, "drain_level", attribute)
        if lacking:
            words = f"{_named(lacking, 'has', 'have')} no `{attribute}`, so {what} raises no alarm there"
            found.append(note("registry", f"{words}: register it."))
    for kind in KINDS.values():
        for lower, upper in kind.wire.attributes.ascending:
            crossed = await survey.above(connection, kind.name, lower, upper)
            if crossed:
                words = f"{_named(crossed, 'has', 'have')} a `{lower}` above its `{upper}`"
                found.append(wrong("registry", f"{words}, so no alarm there can be believed: register them anew."))
    bays = await survey.bays_without_zone(connection)
    if bays:
        words = f"{_named(bays, 'is', 'are')} in no zone, so no resident hears of it"
        found.append(note("registry", f"{words}: register its zone."))
    return found


async def _refused(connection: Connection) -> list[Finding]:
    since = to_datetime(await survey.city_now_us(connection)) - LOOK_BACK
    found = [
        note("quarantine", f"{unknown} speaks and is unknown, but {known} is registered: mend its capitals.")
        for unknown, known in await survey.unheard_of(connection, since)
    ]
    for reason, uplinks, devices in await survey.refused(connection, since):
        mend = "`lamplighter quarantine list` shows them"
        if reason == Reason.UNKNOWN_DEVICE:
            mend = "register them, then `lamplighter quarantine replay`"
        spoke = "1 uplink" if uplinks == 1 else f"{uplinks} uplinks"
        spoke += " of 1 device" if devices == 1 else f" of {devices} devices"
        words = f"In the last day {spoke} {'was' if uplinks == 1 else 'were'} refused ({reason})"
        found.append(note("quarantine", f"{words}: {mend}."))
    replayed = await survey.replayed(connection, since)
    words = f"What was refused in the last day has been replayed ({replayed}); nothing waits."
    return found or [ok("quarantine", words if replayed else "In the last day nothing was refused.")]


def _named(assets: list[str], one: str, several: str) -> str:
    """The first few of them, as the subject of a verb."""
    shown = ", ".join(assets[:NAMED_MAX]) + (" …" if len(assets) > NAMED_MAX else "")
    return f"{shown} {one if len(assets) == 1 else several}"

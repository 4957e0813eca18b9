"""Checks of what is registered and what was refused: mistakes that no import can see."""

import datetime as dt
from collections.abc import AsyncIterator

from lamplighter.doctor.findings import Finding, note, ok
from storage import errors, survey
from storage.pool import Connection, connect
from telemetry.clock import to_datetime

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
    for (devices,) in await survey.rows(connection, "alike"):
        found.append(
            note("registry", f"The devices {' and '.join(devices)} differ only in capitals: one is a mistake.")
        )
    for attribute, what in (("ground_m", "an overflow"), ("crown_m", "a high level")):
        lacking = [row[0] for row in await survey.rows(connection, "without", kind="drain_level", attribute=attribute)]
        if lacking:
            found.append(
                note("registry", f"{_drains(lacking)} no `{attribute}`, so {what} raises no alarm there: register it.")
            )
    bays = [row[0] for row in await survey.rows(connection, "without_zone")]
    if bays:
        found.append(note("registry", f"{_named(bays)} in no zone, so no resident hears of it: register its zone."))
    return found


async def _refused(connection: Connection) -> list[Finding]:
    since = to_datetime(await survey.city_now_us(connection)) - LOOK_BACK
    found = [
        note("quarantine", f"{unknown} speaks and is unknown, but {known} is registered: mend its capitals.")
        for unknown, known in await survey.rows(connection, "unheard_of", since=since)
    ]
    for reason, uplinks, devices in await survey.rows(connection, "refused", since=since):
        mend = "register them, then `lamplighter quarantine replay`"
        if reason != "unknown_device":
            mend = "`lamplighter quarantine list` shows them"
        found.append(
            note(
                "quarantine", f"In the last day {uplinks} uplinks of {devices} devices were refused ({reason}): {mend}."
            )
        )
    return found or [ok("quarantine", "In the last day nothing was refused.")]


def _drains(assets: list[str]) -> str:
    return f"{_named(assets).removesuffix(' is').removesuffix(' are')} {'has' if len(assets) == 1 else 'have'}"


def _named(assets: list[str]) -> str:
    shown = ", ".join(assets[:NAMED_MAX]) + (" …" if len(assets) > NAMED_MAX else "")
    return f"{shown} {'is' if len(assets) == 1 else 'are'}"

"""Whether what is sent comes through to an answer, as the platform's own device finds out while the city runs."""

from collections.abc import AsyncIterator

from lamplighter.doctor.findings import Finding, note, ok, wrong
from storage import errors, self_probe
from storage.pool import connect

ALIVE_S = 15.0
"""An ingest process says at least so often that it lives."""
LATE_S = 30.0
"""Readings come every few seconds: the newest one is not older than this where all is well."""


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at the readings in the database at `url`."""
    try:
        with errors.translated():
            async with await connect(url, application="lamplighter doctor") as connection:
                found = await self_probe.standing(connection, ALIVE_S)
    except errors.StorageError:
        return  # another check's finding
    yield judge(found)


def judge(found: self_probe.Standing) -> Finding:
    """What the newest readings say."""
    about = "self-probe"
    if found.stored_s is None or not found.alive:
        return note(
            about, "Nothing sounds the way from the broker to an answer: it is tried while `lamplighter up` runs."
        )
    if found.stored_s > LATE_S:
        return wrong(
            about,
            f"Ingest lives, but has stored no reading of the platform's own device for {found.stored_s:.0f} s: see "
            "that `lamplighter rules` runs, which sends them, and look into ingest's log.",
        )
    if found.shown_s is None or found.shown_s > LATE_S:
        return note(about, "What is sent is stored, but no API shows it: start `lamplighter api`.")
    return ok(about, "A reading goes from the broker through ingest and database to an answer of the API.")

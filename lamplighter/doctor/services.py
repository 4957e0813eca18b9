"""Checks of what runs: processes that book uplinks, who leads the rules, and whether anybody knows the city's place."""

from collections.abc import AsyncIterator

from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings
from storage import errors, survey
from storage.pool import connect

ALIVE_S = 60.0
"""Each process says several times a minute that it lives."""
_WHERE = "set LAMPLIGHTER_CITY_LAT and LAMPLIGHTER_CITY_LON"


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look who has said at the database that he runs; without a database only at the city's place."""
    led, processes = False, None
    if settings.database_url is not None:
        try:
            with errors.translated():
                async with await connect(settings.database_url, application="lamplighter doctor") as connection:
                    led = await survey.led(connection)
                    processes = await survey.processes(connection)
        except errors.StorageError:
            pass  # another check's finding
    if processes is not None:
        yield _processes(processes)
        yield _leader(led)
    if settings.city_lat is None or settings.city_lon is None:
        yield _place(led)


def _processes(found: list[tuple[str, float]]) -> Finding:
    about = "ingest"
    silent = [(name, silent_s) for name, silent_s in found if silent_s > ALIVE_S]
    if len(silent) == len(found):
        return note(
            about, "No process that stores uplinks runs: start `lamplighter up`; meanwhile the broker keeps them."
        )
    if silent:
        name, silent_s = max(silent, key=lambda each: each[1])
        return wrong(
            about,
            f"{name} has been silent for {silent_s / 60:.0f} min without a farewell, and its uplinks wait at the "
            "broker: start it again, or have it taken over by `lamplighter ingest --retire`.",
        )
    return ok(about, f"{len(found)} {'process stores' if len(found) == 1 else 'processes store'} uplinks.")


def _leader(led: bool) -> Finding:
    if led:
        return ok("rules", "A process leads the rules.")
    return note("rules", "Nobody leads the rules, so nothing is dimmed and no alarm raised: start `lamplighter up`.")


def _place(led: bool) -> Finding:
    if led:
        return note("settings", f"Where the city lies is not set here, but the rules that run know it ({_WHERE}).")
    return wrong("settings", f"Where the city lies is not set, so sunset is unknown: {_WHERE}.")

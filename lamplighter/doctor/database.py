"""Checks of the database: reachable, new enough, its clock, its schema, and who may use the API."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from lamplighter.cleartext import is_here
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from storage import errors, ledger, migrate, reader, survey
from storage.pool import Connection, connect
from telemetry.clock import SECOND_US, to_datetime
from telemetry.kinds import KINDS

CLOCK_S_MAX = 2.0
"""The database's clock may differ from ours by this much; tokens and the city clock rely on both."""

CONNECTIONS_MIN = 20
"""What `lamplighter up` needs at most, and a command beside it; services that run apart need as much each."""

_MENDS: Mapping[type[errors.StorageError], str] = {
    errors.Unavailable: "start it, or mend LAMPLIGHTER_DATABASE_URL",
    errors.Forbidden: "grant the right, or name another user in LAMPLIGHTER_DATABASE_URL",
    errors.SchemaMissing: "run `lamplighter migrate`",
    errors.MigrationChanged: "install the version that made it, or restore a backup",
}


async def examine(url: str, timezone: str, ttl_s: int) -> AsyncIterator[Finding]:
    """Look at the database at `url`; services go by this time zone, and call a zone's word stale after `ttl_s`."""
    try:
        with errors.translated():
            async with await connect(url, application="lamplighter doctor") as connection:
                async for finding in _examine(connection, url, timezone, ttl_s):
                    yield finding
    except errors.StorageError as error:
        mend = _MENDS.get(type(error))
        sentence = str(error).rstrip(".")
        yield wrong("database", f"{sentence}: {mend}." if mend and mend not in sentence else f"{sentence}.")


async def _examine(connection: Connection, url: str, timezone: str, ttl_s: int) -> AsyncIterator[Finding]:
    asked_us = real_now()
    server = await survey.server(connection)
    yield _version(server)
    yield _clock(server, (asked_us + real_now()) // 2)
    for finding in _server(server, away=not is_here(url)):
        yield finding
    await migrate.check(connection)
    yield ok("schema", "The schema is that of this version.")
    kept = await survey.city(connection)
    if kept is not None:
        for finding in _settings(*kept, timezone, ttl_s):
            yield finding
    yield await _reader(connection)
    registered = await survey.assets(connection)
    if registered:
        yield ok("registry", f"{registered} assets are registered.")
    else:
        yield note("registry", "No asset is registered: `lamplighter registry import FILE` does that.")
    yield _balance(await ledger.differing(connection))
    if not await survey.tokens(connection, to_datetime(real_now())):
        ended = await survey.last_token(connection)
        since = f" since {ended:%Y-%m-%d %H:%M} UTC" if ended else ""
        yield note("credentials", f"No API token is valid{since}: `lamplighter token issue` makes one for operators.")


def _settings(kept_timezone: str, kept_ttl_s: int, timezone: str, ttl_s: int) -> Iterator[Finding]:
    """Whether what `lamplighter migrate` was last told is what services go by."""
    if kept_timezone != timezone:
        words = f"Its days are cut by the time zone {kept_timezone}, and the rules live in {timezone}"
        yield wrong("database", f"{words}: mend LAMPLIGHTER_TIMEZONE, or run `lamplighter migrate`.")
    if kept_ttl_s != ttl_s:
        words = f"In SQL a zone's word is stale after {kept_ttl_s} s, for residents after {ttl_s} s"
        yield wrong("database", f"{words}: mend LAMPLIGHTER_TTL_S, or run `lamplighter migrate`.")


def _server(server: survey.Server, *, away: bool) -> Iterator[Finding]:
    if not server.durable and server.fleeting:
        yield note("database", "It is a demo's that is thrown away at its end, and would not survive a power cut.")
    elif not server.durable:
        yield wrong("database", "It may lose commits at a power cut: set fsync and full_page_writes to on.")
    if not server.autovacuum:
        yield wrong("database", "Nobody clears up behind changed rows, so it grows and slows: set autovacuum to on.")
    if server.connections < CONNECTIONS_MIN:
        yield wrong(
            "database",
            f"It lets us have {server.connections} connections, and services need {CONNECTIONS_MIN}: raise "
            "max_connections, or the CONNECTION LIMIT of the database or of our role.",
        )
    if server.superuser and away:
        yield note("database", "Lamplighter logs in as a superuser; an owner of the database is enough.")


async def _reader(connection: Connection) -> Finding:
    names = list(reader.relations(KINDS))
    lacking = await survey.unreadable(connection, names, reader.ROLE)
    if not lacking:
        return ok("database", f"Grafana can read as {reader.ROLE}, once that role has a password.")
    if len(lacking) == len(names):
        words = f"There is no role {reader.ROLE} for Grafana, or it may read nothing"
        return note("database", f"{words}: run `lamplighter migrate` as a user who may create roles.")
    return wrong("database", f"{reader.ROLE} may not read {lacking[0]}: run `lamplighter migrate`.")


def _version(server: survey.Server) -> Finding:
    spelled = f"{server.version // 10_000}.{server.version % 10_000}"
    if server.version < survey.VERSION_MIN:
        return wrong("database", f"It is PostgreSQL {spelled}: upgrade to 15 or newer.")
    extension = f"with TimescaleDB {server.timescale}" if server.timescale else "without TimescaleDB"
    return ok("database", f"PostgreSQL {spelled} {extension}, {server.size_bytes / 1024**2:.0f} MiB.")


def _balance(differing: Sequence[ledger.Day]) -> Finding:
    if not differing:
        return ok("ledger", "No day is known to differ from its rows.")
    days = ", ".join(str(each.day) for each in differing[:5]) + (" …" if len(differing) > 5 else "")
    return wrong("ledger", f"It does not balance on {days}: `lamplighter report ledger` shows what is missing.")


def _clock(server: survey.Server, here_us: int) -> Finding:
    apart_s = abs(server.real_us - here_us) / SECOND_US
    if apart_s > CLOCK_S_MAX:
        return wrong("clock", f"The database's clock is {apart_s:.0f} s from ours: synchronise both (NTP).")
    return ok("clock", f"The database's clock agrees with ours within {max(apart_s, 0.1):.1f} s.")

"""Checks of the rule file: whether it can be used, and whether it is what the rules decide by."""

from collections.abc import AsyncIterator

from lamplighter.doctor import sinks
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings
from rules.rulefile.files import BadFile, read_rule_file
from rules.rulefile.reading import digest, versioned
from storage import errors, registry, rule_versions
from storage.pool import connect
from telemetry.registry import Registry
from telemetry.thresholds import Thresholds

_ABOUT = "rule file"


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Read the file and compare it with what is active; a database that is away is another check's finding."""
    known: Registry | None = None
    active = None
    try:
        if settings.database_url is not None:
            with errors.translated():
                async with await connect(settings.database_url, application="lamplighter doctor") as connection:
                    known = await registry.load(connection)
                    active = await rule_versions.active(connection)
    except errors.StorageError:
        pass
    thresholds = versioned(Thresholds())
    words = "The rules decide by the shipped defaults: no rule file is named."
    if settings.rules_file is not None:
        try:
            thresholds = read_rule_file(settings.rules_file, known).thresholds
        except BadFile as error:
            more = f", and {len(error.sentences) - 1} more mistakes" if len(error.sentences) > 1 else ""
            named = "" if error.sentences[0].startswith(str(error.path)) else f"{error.path}, "
            yield wrong(
                _ABOUT,
                f"{named}{error.sentences[0]}{more}: mend it (`lamplighter rules check`); until then the version that "
                "was active before stays so.",
            )
            return
        words = f"{settings.rules_file} comes to version {thresholds.version}."
    if active is not None and active[0].digest != digest(thresholds):
        version, since = active
        yield note(
            _ABOUT,
            f"{words} But {version.version} by {version.author} has been active since {since:%Y-%m-%d %H:%M} UTC: are "
            "the rules running, and do they read this file?",
        )
        return
    yield ok(_ABOUT, words)
    if thresholds.parking.ttl_s > settings.ttl_s:
        words = f"A quiet zone speaks every {thresholds.parking.ttl_s / 2:g} s, and is stale after {settings.ttl_s} s"
        mend = f"set `ttl_s` under `parking` to at most {settings.ttl_s}, or raise LAMPLIGHTER_TTL_S"
        yield wrong(_ABOUT, f"{words}: {mend}.")
    async for finding in sinks.examine(thresholds.notifications.sinks):
        yield finding

"""`docs/tables.md`, written from a database that `migrate` has made."""

from collections.abc import Mapping, Sequence

from lamplighter import logs
from lamplighter.demo.folder import demo_folder
from lamplighter.demo.run import FLEETING
from lamplighter.embedded.postgres import embedded_postgres
from storage import migrate, reader
from storage.pool import Connection, connect
from storage.relations import described
from telemetry.kind import Kind
from telemetry.kinds import KINDS

_HEAD = f"""\
# Tables

What the role `{reader.ROLE}` may read, and so Grafana and every tool that speaks SQL. There are more tables;
they are the platform's own and may change with any version. Times are those of the [city's clock](concepts.md). With
TimescaleDB the observations are hypertables and the hours continuous aggregates, of the same names and columns.

This page is written from the code by `make docs`, and a test compares them.
"""
_WORDS = {
    "zone": "A group of assets: a quarter, a car park, a street.",
    "asset": "A place that is watched: a lamp post, a manhole, a bay. It outlives its hardware.",
    "device": "A piece of hardware.",
    "installation": "Which device served which asset from when to when.",
    "latest": "A row an asset: the newest observation, its age, and whether the asset is heard.",
    "parking_zone_now": "Free places of each zone, as the public API tells them.",
    "zone_daily": "Local days of a zone, a row for each kind in it; NULL in the columns of other kinds.",
    "alarm": "Alarms with their state by ISA-18.2, and why they were raised.",
    "alarm_event": "What happened to an alarm, when, and by whom.",
    "command": "What lamps and other devices were told, by which reason, and what became of it.",
    "quarantine": "Refused uplinks with their reason and bytes.",
    "ledger": "What was received on each UTC day, and its fates.",
    "ledger_check": "The last comparison of a day's account with the rows that are there.",
    "rollup_check": "The last comparison of a night's rollups with their rows.",
    "ingest_instance": "Each process that stores, and how far it has come.",
    "self_probe": "The readings of the platform's own device, by which it sees itself.",
    "rule_version": "Each version of the rules, every figure of it.",
    "rule_activation": "When which version came into force, and by whom.",
    "report_interval": "How often each asset reports, as it was learned.",
}
_SUFFIXES = {
    "hourly": "by UTC hours: mean, least and greatest of a gauge, a counter's increase, how often a truth was true.",
    "daily": "by local days, made of the hours.",
}
Columns = Sequence[tuple[str, str, bool]]


async def page(connection: Connection) -> str:
    """The whole page as Markdown, of the schema that the connection sees."""
    words = _WORDS | dict.fromkeys(set(reader.RELATIONS) - _WORDS.keys(), "")
    sections = [_section(name, words[name], await described(connection, name)) for name in words]
    for kind in KINDS.values():
        sections.append(_section(kind.name, kind.words, await described(connection, kind.name), _fields(kind)))
        for suffix, what in _SUFFIXES.items():
            names = ", ".join(f"`{name}`" for name, _, _ in await described(connection, f"{kind.name}_{suffix}"))
            sections.append(f"\n## `{kind.name}_{suffix}`\n\n`{kind.name}` {what}\n\nColumns: {names}.\n")
    return _HEAD + "".join(sections)


def _section(name: str, words: str, found: Columns, meaning: Mapping[str, str] | None = None) -> str:
    meaning = meaning or {}
    head = "| column | type | |\n|---|---|---|\n"
    rows = "".join(f"| `{name}` | {of} | {_words(name, is_null, meaning)} |\n" for name, of, is_null in found)
    return f"\n## `{name}`\n\n{words}\n\n{head}{rows}"


def _words(name: str, may_be_null: bool, meaning: Mapping[str, str]) -> str:
    return ", ".join(part for part in (meaning.get(name, ""), "may be NULL" if may_be_null else "") if part)


def _fields(kind: Kind) -> dict[str, str]:
    return {each.name: f"{each.measure.words} ({each.unit})" for each in kind.properties}


async def page_of_a_new_database() -> str:
    """The whole page, of the schema that `migrate` makes."""
    logs.configure("warning", "text")
    with demo_folder(None) as folder:
        async with embedded_postgres(folder, settings=FLEETING) as server:
            await migrate.migrate(server.url, timezone="Europe/Berlin")
            async with await connect(server.url, application="lamplighter docs") as connection:
                return await page(connection)

"""Versions of the rules: each is kept with its author and time, and which was active when."""

from dataclasses import dataclass
from datetime import datetime

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime

SQL = queries.load("rule_versions")


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version. `content` is every figure as JSON, `source` the rule file's text, empty for the shipped defaults."""

    version: str
    content: str
    source: str
    digest: str
    author: str


async def activate(conn: Connection, version: RuleVersion, at_us: int) -> None:
    """Keep a version and have it active from a moment of the city clock on; nothing changes if it is already."""
    given = {
        "version": version.version,
        "content": version.content,
        "source": version.source,
        "digest": version.digest,
        "author": version.author,
        "at": to_datetime(at_us),
    }
    async with conn.transaction():
        await conn.execute(SQL["keep"], given)
        await conn.execute(SQL["activate"], given)


async def active(conn: Connection) -> tuple[RuleVersion, datetime] | None:
    """The version that is active and since when, `None` if the rules have never run."""
    row = await (await conn.execute(SQL["active"])).fetchone()
    return None if row is None else (RuleVersion(*row[:5]), row[5])


async def class_min_pct(conn: Connection) -> dict[str, float]:
    """The town's own floors of lighting classes in %, as the active version has them; empty where there are none."""
    row = await (await conn.execute(SQL["class_min_pct"])).fetchone()
    return {} if row is None else dict(row[0] or {})

"""The figures of the rules that are in force, by which reports are reckoned."""

from rules.rulefile.active import of_content
from storage import rule_versions
from storage.pool import Connection
from telemetry.thresholds import Thresholds


async def thresholds(conn: Connection) -> Thresholds:
    """Those of the active version; as shipped where none has been active, or it is another Lamplighter's."""
    known = await rule_versions.active(conn)
    return (known and of_content(known[0].content)) or Thresholds()

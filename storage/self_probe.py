"""Readings of the platform's own device: stored by ingest, shown by the API, looked at by `doctor`.

They stand in a table of their own, so that no count of the town's can meet them.
"""

from dataclasses import dataclass
from datetime import datetime

from storage import queries
from storage.pool import Connection
from telemetry.backlog import Probe
from telemetry.clock import to_datetime

SQL = queries.load("self_probe")

KEPT_S = 2 * 24 * 3600
"""For so long, in real seconds, a reading is kept: Grafana shows the last two days."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest reading of one ingest process; `shown_at` is `None` until an API has shown it. Times are real."""

    instance: str
    run: str
    number: int
    sent_at: datetime
    stored_at: datetime
    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Real seconds since a reading was stored and since one was shown, `None`: never; `alive` ingest processes."""

    stored_s: float | None
    shown_s: float | None
    alive: int


async def store(conn: Connection, probe: Probe, instance: str, now_us: int) -> None:
    """Keep a reading, and forget those that are too old; `now_us` is the city clock."""
    moments = {"observed_at": to_datetime(now_us), "sent_at": to_datetime(probe.sent_us)}
    await conn.execute(SQL["store"], {"run": probe.run, "number": probe.number, "instance": instance, **moments})
    await conn.execute(SQL["forget"], {"instance": instance, "kept_s": KEPT_S})


async def newest(conn: Connection) -> list[Reading]:
    """The newest reading of each ingest process that runs or should."""
    return [Reading(*row) for row in await (await conn.execute(SQL["newest"])).fetchall()]


async def mark_shown(conn: Connection, run: str, number: int) -> None:
    """The API has shown this reading of a run, and with it those before it."""
    await conn.execute(SQL["mark_shown"], {"run": run, "number": number})


async def standing(conn: Connection, alive_s: float) -> Standing:
    """How it stands; an ingest process lives that was seen within `alive_s`."""
    row = await (await conn.execute(SQL["standing"], {"alive_s": alive_s})).fetchone()
    assert row is not None
    return Standing(*row)

"""A city in a few figures, for who watches it run."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage import errors, ledger, queries
from storage.pool import Connection
from telemetry.clock import to_datetime

SQL = queries.load("figures")


@dataclass(frozen=True, slots=True)
class Figures:
    """Alarms and commands are counted since a moment of the city clock, all else is as of now.

    `commands_lost` were rejected, expired or failed. `lamps` are those that have ever reported, `light_pct` the mean of
    what they gave at their last report. `bays_free` of `bays` are neither reserved nor closed.
    """

    ledger: ledger.Ledger
    alarms_raised: int
    alarms_active: int
    commands_queued: int
    commands_verified: int
    commands_lost: int
    lamps: int
    lamps_lit: int
    light_pct: float
    bays_free: int
    bays: int


async def read(conn: Connection, since_us: int, real_now_us: int) -> Figures:
    """The figures of this moment. Raises `errors.StorageError`."""
    since = {"since": to_datetime(since_us)}
    with errors.translated():
        account = await ledger.totals(conn, real_now_us)
        counts = [await _row(conn, name, since) for name in ("alarms", "commands", "lamps", "bays")]
    return Figures(account, *(value for row in counts for value in row))


async def _row(conn: Connection, name: str, parameters: Mapping[str, object]) -> tuple[int, ...]:
    cursor = await conn.execute(SQL[name], parameters if "%(" in SQL[name] else None)
    row = await cursor.fetchone()
    assert row is not None, "an aggregate always gives one row"
    return row

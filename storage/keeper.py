"""What keeping old data asks of a server, answered by `native` and by `timescale`."""

import datetime as dt
from typing import Protocol

from storage.pool import Connection
from telemetry.kind import Kind


class Keeper(Protocol):
    """One way of keeping observations and their hours; `mode` is its name in the table `city`."""

    mode: str

    async def adopt(self, conn: Connection, kind: Kind) -> None:
        """Make a plain observation table ready for this way of keeping, and make or widen its hourly rollup."""

    async def partitions(self, conn: Connection, kind: str) -> set[int]:
        """The months that have a partition."""

    async def make_partitions(self, conn: Connection, kind: str, months: set[int]) -> None:
        """Make partitions that are not there."""

    async def look_ahead(self, conn: Connection, kind: Kind, now_us: int) -> None:
        """Have the partitions of the coming months ready."""

    async def refresh(self, conn: Connection, kind: Kind, since: dt.datetime | None, until: dt.datetime) -> None:
        """Bring all closed hours between two moments up to date at once, where the server can; not in a transaction."""

    async def sum_up(self, conn: Connection, kind: Kind, hours: list[dt.datetime]) -> None:
        """Sum up these hours anew where `refresh` has not."""

    async def hours_to_fill(self, conn: Connection, kind: Kind) -> str:
        """The table that hours of a backup are copied into, in a new database."""

    async def hours_filled(self, conn: Connection, kind: Kind, until: dt.datetime) -> None:
        """Make them the hours of the kind, once its rows are there; `until` is where the open hour begins."""

    async def store_increase(
        self, conn: Connection, kind: Kind, field: str, increase: str, hours: list[dt.datetime]
    ) -> None:
        """Write what the statement `increase` gives for a counter of these hours."""

    async def forget_hours(self, conn: Connection, kind: Kind, assets: list[int], hours: list[dt.datetime]) -> None:
        """Let go of hours that are not what their rows say, to be summed up anew; not within a transaction."""

    async def compress(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Compress rows from before; returns how many pieces."""

    async def end_of_rows(self, conn: Connection, kind: Kind, before_us: int) -> dt.datetime | None:
        """Where the rows end that `drop_rows` would drop; `None` if there are none."""

    async def drop_rows(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Drop rows from before, in whole pieces; returns how many."""

    async def drop_hours(self, conn: Connection, kind: Kind, before: dt.datetime) -> None:
        """Drop hourly rollups from before."""

    async def weight(self, conn: Connection, relation: str) -> tuple[float, float]:
        """Bytes of a table of rows, hours or days with its indexes, and about how many rows it has."""

    async def set_policies(self, conn: Connection, kind: Kind, wanted: bool, raw_days: int, compress_days: int) -> None:
        """Have the server do the same by itself on its own clock, or not."""

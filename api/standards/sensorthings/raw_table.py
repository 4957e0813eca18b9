"""Histories from the database, for the thread in which an answer is put together while the event loop goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from api.database import Database
from api.standards.sensorthings.entities import Entity, PastOf
from api.standards.sensorthings.history import History, Value
from api.standards.sensorthings.sources import Observed
from storage import series
from storage.errors import Busy
from storage.series import Wanted
from telemetry.kind import Kind
from telemetry.kinds import KINDS

READERS_MAX = 2
"""Histories read at a time; the other connections are for operators."""
WAIT_S = 60.0
"""For a turn and the answer together, in real seconds; beyond it the database counts as too busy."""

T = TypeVar("T")


class RawTables:
    """Makes the past of any property of any asset."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(READERS_MAX)

    def past_of(self) -> PastOf:
        """To be called in the event loop; what it gives is used in another thread."""
        loop = asyncio.get_running_loop()

        def past(
            asset_id: int, observed: Observed, newest: Entity, make: Callable[[str, float | bool], Entity]
        ) -> History:
            reader = _Reader(self._database, self._turns, loop, KINDS[observed.kind], asset_id, observed.name)
            return History(reader, newest, make)

        return past


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one property of one asset."""

    database: Database
    turns: asyncio.Semaphore
    loop: asyncio.AbstractEventLoop
    kind: Kind
    asset_id: int
    field: str

    def read(self, wanted: Wanted) -> list[Value]:
        """Moments and values."""

        async def work() -> list[Value]:
            async with self.turns, self.database.connection() as conn:
                return await series.read(conn, self.kind, self.asset_id, self.field, wanted)

        return self._wait_for(work())

    def count(self, wanted: Wanted, most: int) -> int:
        """How many there are, up to one more than `most`."""

        async def work() -> int:
            async with self.turns, self.database.connection() as conn:
                return await series.count(conn, self.kind, self.asset_id, self.field, wanted, most)

        return self._wait_for(work())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """What the event loop has done.

        Raises:
            Busy: it has not in time.
        """
        under_way = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return under_way.result(WAIT_S)
        except TimeoutError as error:
            under_way.cancel()
            raise Busy(f"histories of others were read for {WAIT_S:g} s") from error

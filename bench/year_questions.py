"""What is asked of a year: the very queries of the API and of Grafana's panels, each with the target it has."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.year_city import DAY, NOW
from dashboards import expand, statements
from storage import readings
from storage.pool import Connection
from telemetry.clock import to_us
from telemetry.kinds import KINDS

TIMEZONE = "Europe/Berlin"
LAMP = "streetlight-17"
TARGET_MS = 50.0


@dataclass(frozen=True, slots=True)
class Question:
    """Something asked, and the milliseconds that its answer may take; `None` where none were promised."""

    words: str
    ask: Callable[[Connection], Awaitable[Any]]
    target_ms: float | None = None


async def _latest(conn: Connection) -> Any:
    """The answer as it comes from the server, not yet made into Python's objects."""
    return (await conn.execute("SELECT * FROM latest")).pgresult


async def _page(conn: Connection) -> Any:
    return await readings.assets(conn, now_us=to_us(NOW), limit=1_000, after="parking_bay-3")


async def _one(conn: Connection) -> Any:
    return await readings.asset(conn, LAMP, to_us(NOW))


async def _energy(conn: Connection) -> Any:
    return await readings.energy_by_day(conn, NOW - 365 * DAY, NOW)


def _buckets(begin: dt.datetime, days: int, width: readings.Width) -> Callable[[Connection], Awaitable[Any]]:
    async def ask(conn: Connection) -> Any:
        found = await readings.asset(conn, LAMP, to_us(NOW))
        assert found is not None
        span = readings.Span(begin, begin + days * DAY)
        return await readings.buckets(conn, KINDS[found.kind], found.asset_id, span, 1_000, width, TIMEZONE)

    return ask


def _panel(name: str) -> Callable[[Connection], Awaitable[Any]]:
    """A panel of the Overview, for all zones and kinds."""
    chosen = {"zone": ["-", *(f"zone-{n}" for n in range(1, 51))], "kind": list(KINDS)}
    view = expand.View(to_us(NOW - DAY), to_us(NOW), 60_000, chosen, timescaledb=False)
    statement = expand.expand(statements.statement("overview", name), view)

    async def ask(conn: Connection) -> Any:
        return (await conn.execute(statement.encode())).pgresult

    return ask


HOUR, ONE_DAY = readings.Width(seconds=3600), readings.Width(days=1)
QUESTIONS = (
    Question("latest state of all assets (view `latest`)", _latest, TARGET_MS),
    Question("one asset's last month by hour (API)", _buckets(NOW - 30 * DAY, 30, HOUR), TARGET_MS),
    Question("city energy by day for a year (`zone_daily`)", _energy, TARGET_MS),
    Question("one asset's month by hour, half a year ago (API)", _buckets(NOW - 200 * DAY, 30, HOUR)),
    Question("one asset's year by day (API)", _buckets(NOW - 365 * DAY, 365, ONE_DAY)),
    Question("one asset with its latest state (API)", _one),
    Question("a page of 1,000 assets with their latest state (API)", _page),
    Question("Overview: share online", _panel("online")),
    Question("Overview: assets by kind and state", _panel("devices")),
    Question("Overview: map of all assets", _panel("map")),
)


class Noting(psycopg.AsyncClientCursor[Any]):
    """Notes each statement with its values put in, so that it can be explained."""

    noted: list[str] = []  # noqa: RUF012 - shared on purpose: one connection explains at a time

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """As always, noted."""
        self.noted.append(self.mogrify(query, params))
        return await super().execute(query, params, **options)


async def plan(url: str, question: Question) -> str:
    """How the server answers the question's last statement, with rows and buffers as they were."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, cursor_factory=Noting) as conn:
        Noting.noted.clear()
        await question.ask(conn)
        explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) {Noting.noted[-1]}"
        rows = await (await psycopg.AsyncClientCursor(conn).execute(explain.encode())).fetchall()
    return "\n".join(row[0] for row in rows)

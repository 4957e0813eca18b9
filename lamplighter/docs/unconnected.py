"""The API's application without database and broker: it answers nothing of a town, but tells what it is."""

from prometheus_client import CollectorRegistry
from psycopg_pool import AsyncConnectionPool

from api.app import create_app
from api.backlog import Waiting
from api.board import Board
from api.door import Door
from lamplighter.clock import real_now
from storage.pool import Pool


def application(registry: CollectorRegistry | None = None, waiting: Waiting | None = None) -> Door:
    """One with these figures; `None` as in `create_app`."""
    pool: Pool = AsyncConnectionPool("", open=False)
    return create_app(
        pool=pool,
        board=Board(real_now),
        now=real_now,
        real_now=real_now,
        dark=lambda begin, end: False,
        registry=registry,
        waiting=waiting,
    )

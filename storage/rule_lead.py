"""Who leads the rules: an advisory lock that lasts as long as its session, and terms that number the leaders.

A term is what one leader decides from the moment it has taken over; its records are numbered. So a record is written
down once, however often that is tried, and by nobody whose term is over.
"""

from dataclasses import dataclass

from storage import errors, queries
from storage.pool import Connection
from telemetry.clock import to_datetime, to_us

SQL = queries.load("rule_lead")


@dataclass(frozen=True, slots=True)
class Term:
    """A term, begun at `since_us`. `leader` names who leads or led in it, empty after a farewell.

    Its records up to number `records` are in the database.
    """

    number: int
    leader: str
    records: int
    since_us: int


class Overtaken(errors.StorageError):
    """Another process leads the rules by now."""


async def lead(conn: Connection) -> bool:
    """Whether this connection leads the rules from now on: as long as it lasts, or until it steps down.

    What leads writes what the rules decide, so that nobody writes who does not lead.

    Raises:
        StorageError: the database does not answer.
    """
    with errors.translated():
        row = await (await conn.execute(SQL["lead"])).fetchone()
    return bool(row and row[0])


async def step_down(conn: Connection) -> None:
    """Lead no more, on a connection that leads.

    Raises:
        StorageError: the database does not answer.
    """
    with errors.translated():
        await conn.execute(SQL["step_down"])


async def term(conn: Connection) -> Term:
    """The present term.

    Raises:
        StorageError: the database does not answer.
    """
    with errors.translated():
        row = await (await conn.execute(SQL["term"])).fetchone()
    assert row is not None, "the migration has written it"
    number, leader, records, since = row
    return Term(number, leader, records, to_us(since))


async def begin(conn: Connection, leader: str, at_us: int) -> int:
    """Begin a new term, as who holds the lock; returns its number. `leader` is never empty.

    Raises:
        StorageError: it has not begun, or nobody knows.
    """
    with errors.translated():
        row = await (await conn.execute(SQL["begin"], {"leader": leader, "at": to_datetime(at_us)})).fetchone()
    assert row is not None
    return int(row[0])


async def end(conn: Connection, term: int) -> None:
    """Say farewell: the next leader need not wait for this one to come back."""
    with errors.translated():
        await conn.execute(SQL["end"], {"term": term})


async def count(conn: Connection, term_number: int, number: int) -> bool:
    """Count a record, in the transaction that writes it; returns whether it is to be written, `False` for a repeat.

    Raises:
        Overtaken: the term is over.
    """
    counted = await conn.execute(SQL["count"], {"term": term_number, "number": number})
    if counted.rowcount:
        return True
    if (await term(conn)).number != term_number:
        raise Overtaken
    return False


async def hold_alarms(conn: Connection) -> None:
    """Let nobody else turn alarms until the end of the transaction, which has to be open."""
    await conn.execute(SQL["hold"])

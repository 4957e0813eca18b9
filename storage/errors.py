"""The one place where the driver's errors become ours; an error's docstring is its message.

StorageError
├── Unavailable       nobody answers: keep what you have and try again
├── Busy              the database answers, but not to this now: try again
├── Refused           the database will not have this row: trying again is of no use
├── Conflict          the row is there already
├── SchemaMissing     a table or column that the code needs is not there
├── EncodingUnfit     the database does not keep text as UTF-8
├── SchemaTooNew      another, newer Lamplighter has been here
├── MigrationChanged  a migration that was applied no longer reads as it did
├── NotEmpty          a backup is to be restored into a database that holds something
├── RestoreUnfinished a restore was broken off, or is under way
├── KindUndrafted     a kind of the code has no table or lacks columns
└── Forbidden         the database user may not do this
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests


class StorageError(Exception):
    """The database did not do what was asked."""

    def __init__(self, detail: str = "") -> None:
        words = (self.__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{words.rstrip('.')}: {detail}" if detail else words)
        self.detail = detail


class Unavailable(StorageError):
    """The database does not answer."""


class Busy(StorageError):
    """The database is too busy with something else to do this now."""


class Refused(StorageError):
    """The database refuses the row."""


class Conflict(StorageError):
    """The row is there already."""


class SchemaMissing(StorageError):
    """The database lacks a table or column; run `lamplighter migrate`."""


class EncodingUnfit(StorageError):
    """The database does not keep text as UTF-8; create it with `createdb --encoding=UTF8 --template=template0`."""


class SchemaTooNew(StorageError):
    """The database was made by a newer Lamplighter; install that version or restore an older backup."""


class MigrationChanged(StorageError):
    """A migration that was applied to this database has been changed since."""


class NotEmpty(StorageError):
    """The database is not empty."""


class RestoreUnfinished(StorageError):
    """A restore into the database has not come to its end; wait for it, or begin again with an empty database."""


class KindUndrafted(StorageError):
    """A kind of sensor differs from its table; run `lamplighter migrate --draft` and review the migration it writes."""


class Forbidden(StorageError):
    """The database user may not do this."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors of the block as ours; used as `with errors.translated():` round awaits too."""
    try:
        yield
    except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise translate(error) from error


_BUSY = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, pg.QueryCanceled)
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, pg.ReadOnlySqlTransaction)


def translate(error: Exception) -> StorageError:
    """Our word for a driver's error; the driver's own first line becomes the detail."""
    lines = str(error).strip().splitlines()
    detail = lines[0] if lines else type(error).__name__
    if isinstance(error, _BUSY):
        return Busy(detail)
    if isinstance(error, pg.InsufficientPrivilege):
        return Forbidden(detail)
    if isinstance(error, pg.UndefinedTable | pg.UndefinedColumn | pg.UndefinedFunction):
        return SchemaMissing(detail)
    if isinstance(error, pg.UniqueViolation):
        return Conflict(detail)
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError):
        return Refused(detail)
    if isinstance(error, (*_AWAY, PoolTimeout, PoolClosed, TooManyRequests)):
        return Unavailable(detail)
    return StorageError(detail)

"""The driver's errors in our words."""

from typing import Any

import psycopg
import pytest
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from storage import errors
from storage.lifecycle import Ages, Round


@pytest.mark.parametrize(
    ("driver", "ours"),
    [
        (psycopg.OperationalError("connection refused"), errors.Unavailable),
        (psycopg.InterfaceError("the connection is closed"), errors.Unavailable),
        (PoolTimeout("no connection after 5 s"), errors.Unavailable),
        (pg.AdminShutdown("terminating connection"), errors.Unavailable),
        (pg.ReadOnlySqlTransaction("a standby"), errors.Unavailable),
        (pg.DiskFull("no space left"), errors.Unavailable),
        (pg.DeadlockDetected("deadlock"), errors.Busy),
        (pg.QueryCanceled("statement timeout"), errors.Busy),
        (pg.UniqueViolation("duplicate key"), errors.Conflict),
        (pg.CheckViolation("level_pct"), errors.Refused),
        (pg.UndefinedTable("no asset"), errors.SchemaMissing),
        (pg.InsufficientPrivilege("permission denied"), errors.Forbidden),
        (pg.SyntaxError("near FROM"), errors.StorageError),
    ],
)
def test_every_driver_error_is_one_of_ours(driver: Exception, ours: type[errors.StorageError]) -> None:
    with pytest.raises(errors.StorageError) as raised, errors.translated():
        raise driver
    assert type(raised.value) is ours
    assert raised.value.__cause__ is driver


def test_the_docstring_is_the_message() -> None:
    assert str(errors.Unavailable()) == "The database does not answer."
    assert str(errors.Unavailable("refused")) == "The database does not answer: refused"


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), errors.translated():
        raise KeyError("mine")


@pytest.mark.parametrize(
    "ages",
    [{"raw_days": 3_000}, {"compress_days": 731}, {"compress_days": 0}, {"raw_days_by_kind": {"parking_bay": 3_000}}],
)
def test_data_ages_in_order(ages: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="compressed before it is dropped"):
        Ages(**ages)


def test_maintenance_rests_nine_times_as_long_as_it_worked() -> None:
    assert Round(took_s=0.1).rest_s == 10
    assert Round(took_s=20).rest_s == 180
    assert Round(took_s=20, days_left=3).rest_s == 0

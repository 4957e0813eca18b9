"""Changing one place's hardware by hand: a swap at a moment, or the end of service; the asset keeps its history."""

from dataclasses import dataclass
from typing import Any

from storage import audit, errors, queries
from storage.pool import Connection
from storage.rollups import counters
from telemetry import topics
from telemetry.clock import SECOND_US, to_datetime, to_rfc3339
from telemetry.kinds import KINDS
from telemetry.limits import FUTURE_S_MAX

SQL = queries.load("registry")


class ChangeRefused(errors.StorageError):
    """The registry stays as it is."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """An asset as it stands. `device` is the one serving it now, `None` where there is none.

    `settled_us` is where what is certain ends: when that device came, or the last one went; `None` where that is ever.
    """

    asset_id: int
    asset: str
    kind: str
    retired: bool
    device: str | None
    settled_us: int | None


async def swap(
    conn: Connection, asset: str, device: str, at_us: int, now_us: int, model: str | None = None
) -> str | None:
    """From `at_us` on, `device` serves the asset; returns the device that did before, `None` where none did.

    Readings go to the asset that their device served at their time, however late they come. What is stored already
    stays where it is. `model` is what the device is; `None` says nothing of it.

    Raises `ChangeRefused`, else `errors.StorageError`.
    """
    if not topics.valid_device(device):
        raise ChangeRefused(f"{device!r} is no name for a device: 1 to 64 letters, digits, _ . : -.")
    with errors.translated():
        async with conn.transaction():
            standing = await _standing(conn, asset, at_us, now_us)
            if standing.device == device:
                raise ChangeRefused(f"{asset!r} is served by {device!r} already.")
            await _refuse_double_service(conn, standing, device, at_us)
            at = {"at": to_datetime(at_us)}
            await _end(conn, standing, at_us)
            await conn.execute(SQL["put_device"], {"device": device, "model": model})
            await conn.execute(SQL["begin_installation"], at | {"asset_id": standing.asset_id, "device": device})
            await _recount(conn, standing, at_us)
            detail = {"from": standing.device, "to": device, "effective": to_rfc3339(at_us)}
            detail |= {"model": model} if model else {}
            await _note(conn, "swap_device", asset, detail, now_us)
    return standing.device


async def retire(conn: Connection, asset: str, at_us: int, now_us: int) -> str | None:
    """From `at_us` on, the asset is out of service; returns the device that served it, `None` where none did.

    Raises `ChangeRefused`, else `errors.StorageError`.
    """
    with errors.translated():
        async with conn.transaction():
            standing = await _standing(conn, asset, at_us, now_us)
            await _end(conn, standing, at_us)
            moments = {"at": to_datetime(at_us), "now": to_datetime(now_us)}
            await conn.execute(SQL["retire"], {"asset": asset, **moments})
            await _recount(conn, standing, at_us)
            detail = {"device": standing.device, "effective": to_rfc3339(at_us)}
            await _note(conn, "retire_asset", asset, detail, now_us)
    return standing.device


async def _standing(conn: Connection, asset: str, at_us: int, now_us: int) -> _Standing:
    """The asset, once nobody else changes the registry; refused where nothing can change at that moment."""
    await conn.execute(SQL["lock"])
    row = await (await conn.execute(SQL["standing"], {"asset": asset})).fetchone()
    if row is None:
        raise ChangeRefused(f"There is no asset {asset!r}.")
    standing = _Standing(*row)
    at = to_rfc3339(at_us)
    if standing.retired:
        raise ChangeRefused(f"{asset!r} is retired already: importing its row brings it back into service.")
    if standing.settled_us is not None and at_us < standing.settled_us:
        did = f"{standing.device!r} has served" if standing.device else "the last device served"
        since = "since" if standing.device else "until"
        raise ChangeRefused(f"{at} is too early: {did} {asset!r} {since} {to_rfc3339(standing.settled_us)}.")
    if at_us > now_us + FUTURE_S_MAX * SECOND_US:
        raise ChangeRefused(f"{at} is still to come: the city's time is {to_rfc3339(now_us)}.")
    return standing


async def _refuse_double_service(conn: Connection, standing: _Standing, device: str, at_us: int) -> None:
    """A device serves at most one asset of a kind at any time."""
    wanted = {"device": device, "kind": standing.kind, "asset_id": standing.asset_id, "at": to_datetime(at_us)}
    row = await (await conn.execute(SQL["busy"], wanted)).fetchone()
    if row is None:
        return
    other, until_us = row
    if until_us is None:
        raise ChangeRefused(f"{device!r} serves {other!r}: swap or retire that one first.")
    raise ChangeRefused(f"{device!r} served {other!r} until {to_rfc3339(until_us)}: say a later moment.")


async def _end(conn: Connection, standing: _Standing, at_us: int) -> None:
    """The asset's device serves it no more; one that came at this very moment never did."""
    ending = {"assets": [standing.asset], "at": to_datetime(at_us)}
    if standing.device is not None:
        await conn.execute(SQL["forget_installations"], ending)
        await conn.execute(SQL["end_installations"], ending)


async def _recount(conn: Connection, standing: _Standing, at_us: int) -> None:
    """The step between two meters is no increase: sum up anew the hours of the readings where it may have counted."""
    kind = KINDS.get(standing.kind)
    for field in counters(kind) if kind else ():
        statement = SQL["mark_next_reading"].format(kind=standing.kind, field=field)
        bound = {"kind": standing.kind, "asset_id": standing.asset_id, "at": to_datetime(at_us)}
        await conn.execute(statement, bound)


async def _note(conn: Connection, action: str, asset: str, detail: dict[str, Any], now_us: int) -> None:
    await audit.record(
        conn, at_us=now_us, by=audit.COMMAND_LINE, action=action, subject=f"asset:{asset}", detail=detail
    )

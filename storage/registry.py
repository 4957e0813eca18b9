"""The registry in the database: read as plain data, imported from and exported to CSV and GeoJSON (contract §2)."""

from contextlib import suppress
from typing import Any

import msgspec
import structlog

from storage import errors, queries
from storage.pool import Connection
from storage.registry_csv import written
from storage.registry_geojson import written_geojson
from storage.registry_import import Counts as Counts
from storage.registry_import import RegistryRefused as RegistryRefused
from storage.registry_import import Wanted as Wanted
from storage.registry_import import import_csv as import_csv
from storage.registry_import import import_geojson as import_geojson
from telemetry.kind import Attributes
from telemetry.kinds import KINDS
from telemetry.registry import ALWAYS_US, EVER_US, Asset, Installation, Registry, Zone

SQL = queries.load("registry")

_log = structlog.get_logger(__name__)


async def version(conn: Connection) -> int:
    """The registry's version; services load it again when it has moved. Raises `errors.StorageError`."""
    with errors.translated():
        row = await (await conn.execute(SQL["version"])).fetchone()
    return int(row[0]) if row else 0


async def load(conn: Connection) -> Registry:
    """The whole registry in one consistent state. Raises `errors.StorageError`.

    Assets of kinds that this code does not know are left out.
    """
    with errors.translated():
        async with conn.transaction():
            await conn.execute(SQL["snapshot"])
            rows = {
                name: await _rows(conn, name) for name in ("version", "zones", "assets", "installations", "devices")
            }
    return Registry.build(
        rows["version"][0][0],
        [Zone(*row) for row in rows["zones"]],
        [_asset(*row) for row in rows["assets"] if row[2] in KINDS],
        [_installation(*row) for row in rows["installations"] if row[1] in KINDS],
        [device for device, _ in rows["devices"]],
        {device: model for device, model in rows["devices"] if model},
    )


async def export_csv(conn: Connection) -> str:
    """All zones and all assets in service as a file that `import_csv` takes. Raises `errors.StorageError`."""
    return written(await load(conn))


async def export_geojson(conn: Connection) -> str:
    """The same as a file that `import_geojson` takes. Raises `errors.StorageError`."""
    return written_geojson(await load(conn))


async def _rows(conn: Connection, name: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(SQL[name])).fetchall()


def _asset(
    asset_id: int,
    asset: str,
    kind: str,
    name: str,
    zone: str | None,
    lat: float | None,
    lon: float | None,
    attributes: dict[str, Any],
    device: str | None,
    retired: bool,
) -> Asset:
    known = _attributes(asset, kind, attributes)
    return Asset(asset_id, asset, kind, name, zone, lat, lon, known, device, retired)


def _attributes(asset: str, kind: str, stored: dict[str, Any]) -> Attributes:
    """What is registered of an asset, without what an earlier version let in and this one would refuse."""
    wanted = KINDS[kind].wire.attributes
    try:
        return msgspec.convert(stored, wanted)
    except msgspec.ValidationError as error:
        _log.warning("a registered value is not lawful and left out", asset=asset, reason=str(error))
    lawful: dict[str, Any] = {}
    for name, value in stored.items():
        with suppress(msgspec.ValidationError):
            msgspec.convert({name: value}, wanted)
            lawful[name] = value
    return msgspec.convert(lawful, wanted)


def _installation(device: str, kind: str, asset_id: int, from_us: int | None, to_us: int | None) -> Installation:
    served_from_us = EVER_US if from_us is None else from_us
    return Installation(device, kind, asset_id, served_from_us, ALWAYS_US if to_us is None else to_us)

"""Importing a registry file: what would change, and the change itself, all or nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from storage import errors, queries
from storage.pool import Connection
from storage.registry_csv import ZONE, Mistake, Parsed, Row, parse
from storage.registry_geojson import parse_geojson
from telemetry.clock import to_datetime

SQL = queries.load("registry")


class RegistryRefused(errors.StorageError):
    """The registry file is refused and nothing has been changed."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes
        """Everything that is wrong, by line."""


@dataclass(slots=True)
class Diff:
    """What an import changes, by name.

    `changed`: asset (or `zone NAME`) → field → (before, after). `swapped`: asset → (old, new device). `installed`:
    asset → device that comes where there was none.
    """

    zones_added: list[str] = field(default_factory=list)
    assets_added: list[str] = field(default_factory=list)
    changed: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    swapped: dict[str, tuple[str, str]] = field(default_factory=dict)
    revived: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        """One line for people a change."""
        yield from (f"+ zone {zone}" for zone in self.zones_added)
        for asset in self.assets_added:
            device = self.installed.get(asset)
            yield f"+ {asset}" + (f" with device {device}" if device else "")
        for name, fields in self.changed.items():
            words = ", ".join(f"{key} {_word(old)} → {_word(new)}" for key, (old, new) in fields.items())
            yield f"~ {name}: {words}"
        for asset, device in self.installed.items():
            if asset not in self.assets_added:
                yield f"~ {asset}: device {device} installed"
        yield from (f"~ {asset}: device {old} swapped for {new}" for asset, (old, new) in self.swapped.items())
        yield from (f"+ {asset} in service again" for asset in self.revived)
        yield from (f"- {asset} retired" for asset in self.retired)


@dataclass(slots=True)
class _Known:
    """The registry as it stands: zones and assets by name as plain dicts of their columns."""

    zones: dict[str, dict[str, Any]]
    assets: dict[str, dict[str, Any]]


@dataclass(slots=True)
class _Plan:
    """The rows to write beside the diff that says so."""

    diff: Diff = field(default_factory=Diff)
    zones: list[dict[str, Any]] = field(default_factory=list)
    assets: list[dict[str, Any]] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)
    """asset → device that begins to serve it."""


async def import_csv(
    conn: Connection, text: str, now_us: int, *, dry_run: bool = False, retire_missing: bool = False
) -> Diff:
    """Bring the registry to the rows of a CSV file; `dry_run` only says what would change.

    An asset's other device is a swap at the city's `now_us`. `retire_missing` takes every asset out of service that the
    file does not name; its history stays. A zone that is only named by its assets is added under its own name.

    Raises `RegistryRefused` with every mistake, else `errors.StorageError`.
    """
    return await _import(conn, parse(text), now_us, dry_run, retire_missing)


async def import_geojson(
    conn: Connection, text: str, now_us: int, *, dry_run: bool = False, retire_missing: bool = False
) -> Diff:
    """Like `import_csv`, with the features of a GeoJSON file as rows."""
    return await _import(conn, parse_geojson(text), now_us, dry_run, retire_missing)


async def _import(conn: Connection, parsed: Parsed, now_us: int, dry_run: bool, retire_missing: bool) -> Diff:
    with errors.translated():
        async with conn.transaction():
            await conn.execute(SQL["lock"])
            known = await _known(conn)
            plan = _plan(parsed, known, retire_missing)
            if parsed.mistakes:
                raise RegistryRefused(parsed.mistakes)
            if not dry_run:
                await _apply(conn, plan, now_us)
    return plan.diff


async def _known(conn: Connection) -> _Known:
    zones = await (await conn.execute(SQL["zones"])).fetchall()
    assets = await (await conn.execute(SQL["assets"])).fetchall()
    names = ("asset_id", "asset", "kind", "name", "zone", "lat", "lon", "attributes", "device", "retired")
    return _Known(
        {row[0]: dict(zip(("zone", "name", "lat", "lon"), row, strict=True)) for row in zones},
        {row[1]: dict(zip(names, row, strict=True)) for row in assets},
    )


def _plan(parsed: Parsed, known: _Known, retire_missing: bool) -> _Plan:
    plan = _Plan()
    assets = [row for row in parsed.rows if row.kind != ZONE]
    _plan_zones(plan, [row for row in parsed.rows if row.kind == ZONE], assets, known)
    for row in assets:
        old = known.assets.get(row.asset)
        if old is not None and old["kind"] != row.kind:
            words = f"{row.asset!r} is a {old['kind']} and stays one: give the {row.kind} another name"
            parsed.complain(row.line, words)
        else:
            _plan_asset(plan, row, old)
    if retire_missing:
        named = {row.asset for row in assets}
        plan.diff.retired = [name for name, old in known.assets.items() if name not in named and not old["retired"]]
    for line, words in _double_service(plan, assets, known):
        parsed.complain(line, words)
    return plan


def _plan_zones(plan: _Plan, zones: list[Row], assets: list[Row], known: _Known) -> None:
    for row in zones:
        old = known.zones.get(row.asset)
        new = (old or {"zone": row.asset, "name": row.asset, "lat": None, "lon": None}) | row.given
        new["name"] = new["name"] or row.asset
        if old is None:
            plan.diff.zones_added.append(row.asset)
        elif new != old:
            plan.diff.changed[f"zone {row.asset}"] = _difference(old, new)
        if new != old:
            plan.zones.append(new)
    named = {row.given["zone"] for row in assets if row.given.get("zone")}
    for zone in sorted(named - known.zones.keys() - {row.asset for row in zones}):
        plan.diff.zones_added.append(zone)
        plan.zones.append({"zone": zone, "name": zone, "lat": None, "lon": None})


def _plan_asset(plan: _Plan, row: Row, old: dict[str, Any] | None) -> None:
    place = {key: row.given[key] for key in ("name", "zone", "lat", "lon") if key in row.given}
    own = {key: value for key, value in row.given.items() if key not in place}
    blank: dict[str, Any] = {"asset": row.asset, "kind": row.kind, "name": "", "zone": None, "lat": None, "lon": None}
    before = old or blank | {"attributes": {}, "device": None, "retired": False}
    attributes = {key: value for key, value in (before["attributes"] | own).items() if value is not None}
    after = before | place | {"attributes": attributes}
    if old is None:
        plan.diff.assets_added.append(row.asset)
    elif after != before:
        flat_before, flat_after = before | before["attributes"], after | attributes
        plan.diff.changed[row.asset] = _difference(flat_before, flat_after)
    if before["retired"]:
        plan.diff.revived.append(row.asset)
    if old is None or after != before or before["retired"]:
        plan.assets.append({key: after[key] for key in (*blank, "attributes")})
    if row.device and row.device != before["device"]:
        plan.devices[row.asset] = row.device
        if before["device"]:
            plan.diff.swapped[row.asset] = (before["device"], row.device)
        else:
            plan.diff.installed[row.asset] = row.device


def _double_service(plan: _Plan, assets: Iterable[Row], known: _Known) -> Iterator[tuple[int, str]]:
    """A device serves at most one asset of each kind, counting the assets that the file does not name."""
    leaving = plan.devices.keys() | set(plan.diff.retired)
    serving = {
        (old["kind"], old["device"]): name
        for name, old in known.assets.items()
        if old["device"] and name not in leaving
    }
    for row in assets:
        other = serving.get((row.kind, row.device or ""))
        if row.asset in plan.devices and other is not None:
            words = f"the device {row.device!r} serves {other!r}: give that asset another device or retire it"
            yield row.line, words


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = [key for key in before | after if key != "attributes"]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


async def _apply(conn: Connection, plan: _Plan, now_us: int) -> None:
    """Write the plan; statements that would change nothing are left out, so that the version stays."""
    at = to_datetime(now_us)
    if plan.zones:
        await conn.execute(SQL["put_zones"], {"rows": Jsonb(plan.zones)})
    if plan.assets:
        await conn.execute(SQL["put_assets"], {"rows": Jsonb(plan.assets)})
    ending = [*plan.diff.swapped, *plan.diff.retired]
    if ending:
        await conn.execute(SQL["forget_installations"], {"assets": ending, "at": at})
        await conn.execute(SQL["end_installations"], {"assets": ending, "at": at})
    if plan.diff.retired:
        await conn.execute(SQL["retire"], {"assets": plan.diff.retired, "at": at})
    if plan.devices:
        await conn.execute(SQL["put_devices"], {"devices": list(plan.devices.values())})
        rows = [{"asset": asset, "device": device} for asset, device in plan.devices.items()]
        await conn.execute(SQL["begin_installations"], {"rows": Jsonb(rows), "at": at})


def _word(value: Any) -> str:
    return "(none)" if value is None or value == "" else str(value)

"""Importing a registry file: what would change, and the change itself, all or nothing.

The rows go through temporary tables of the database, which compares them with what is there: a town of any size takes
the same memory here.
"""

import difflib
import io
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, TextIO

import msgspec
from psycopg.rows import class_row

from storage import audit, errors, queries
from storage.pool import Connection
from storage.registry_csv import Mistake, Place, Row, read_csv, spelled
from storage.registry_geojson import read_geojson
from telemetry.clock import to_datetime
from telemetry.kinds import KINDS

REGISTRY = queries.load("registry")
SQL = queries.load("registry_import")

MISTAKES_MAX = 1_000
"""So many mistakes are told; of a file that is nothing but mistakes, nobody reads more."""
TOLD_ROWS = 2_000
"""Changes are fetched by so many at a time."""
ZONES_NAMED = 5
"""So many of the new zones that have no row are named."""
PLACE = ("name", "zone", "lat", "lon")
"""What stands first in the line of a change."""

_encode = msgspec.json.Encoder().encode

Tell = Callable[[str], object]
"""Takes a line for people."""


class RegistryRefused(errors.StorageError):
    """The registry file is refused and nothing has been changed."""

    def __init__(self, mistakes: list[Mistake], more: int = 0) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes
        """What is wrong, by line; all of it unless there is `more`."""
        self.more = more
        """How many mistakes there are beside these."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many zones and assets an import adds, changes, takes out of service, and finds as they are."""

    added: int = 0
    changed: int = 0
    retired: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be imported.

    `dry_run` only says what would change. `retire_missing` takes every asset out of service that the file does not
    name; its history stays. `models` are the models that may stand in the file; `None`: any. `tell` is told each change
    once it holds, `warn` what is lawful and yet likely to be a slip. `by` is who the audit says it was; `None`: nobody.
    """

    dry_run: bool = False
    retire_missing: bool = False
    models: Collection[str] | None = None
    tell: Tell = lambda line: None
    warn: Tell = lambda line: None
    by: str | None = None


@dataclass(slots=True)
class _Mistakes:
    """What is wrong, up to `MISTAKES_MAX`, and how much more there is."""

    kept: list[Mistake]
    more: int = 0

    def add(self, mistake: Mistake) -> None:
        if len(self.kept) < MISTAKES_MAX:
            self.kept.append(mistake)
        else:
            self.more += 1


async def import_csv(conn: Connection, source: TextIO | str, now_us: int, wanted: Wanted | None = None) -> Counts:
    """Bring the registry to the rows of a CSV file.

    An asset's other device is a swap at the city's `now_us`. A zone that is only named by its assets is added under its
    own name. `source` is the text, or read as it comes.

    Raises `RegistryRefused` with every mistake, else `errors.StorageError`.
    """
    return await _import(conn, read_csv(_open(source)), "line", now_us, wanted or Wanted())


async def import_geojson(conn: Connection, source: TextIO | str, now_us: int, wanted: Wanted | None = None) -> Counts:
    """Like `import_csv`, with the features of a GeoJSON file as rows."""
    return await _import(conn, read_geojson(_open(source)), "feature", now_us, wanted or Wanted())


def _open(source: TextIO | str) -> TextIO:
    return io.StringIO(source, newline="") if isinstance(source, str) else source


async def _import(conn: Connection, read: Iterable[Row | Mistake], unit: str, now_us: int, wanted: Wanted) -> Counts:
    with errors.translated():
        async with conn.transaction():
            await conn.execute("SET LOCAL statement_timeout = 0")
            mistakes = _Mistakes([])
            await _stage(conn, read, wanted.models, mistakes)
            await conn.execute(REGISTRY["lock"])
            await _plan(conn, wanted.retire_missing)
            await _look_across(conn, unit, mistakes)
            row = await (await conn.execute(SQL["count"])).fetchone()
            counts = Counts(*row) if row else Counts()
            if counts.retired and not counts.added + counts.changed + counts.unchanged:
                mistakes.add(Mistake(None, "the file names no asset, so all of them would be retired"))
            if mistakes.kept:
                mistakes.kept.sort(key=lambda mistake: mistake.place.number if mistake.place else 0)
                raise RegistryRefused(mistakes.kept, mistakes.more)
            if not wanted.dry_run:
                await _apply(conn, now_us)
                await _note(conn, counts, now_us, wanted.by)
        await _tell(conn, unit, wanted)
        await conn.execute(SQL["clear"])
    return counts


async def _stage(
    conn: Connection, read: Iterable[Row | Mistake], models: Collection[str] | None, mistakes: _Mistakes
) -> None:
    """Bring the rows of the file into the database."""
    await conn.execute(SQL["clear"])
    await conn.execute(SQL["stage"])
    async with conn.cursor().copy(SQL["copy"]) as copy:
        for each in read:
            if isinstance(each, Mistake):
                mistakes.add(each)
                continue
            if models is not None and each.model is not None and each.model not in models:
                mistakes.add(Mistake(each.place, _no_model(each.model, tuple(models))))
            given = _encode(each.given).decode()
            await copy.write_row(
                (each.place.number, each.place.line, each.asset, each.kind, each.device, each.model, given)
            )


@lru_cache(MISTAKES_MAX)
def _no_model(model: str, models: tuple[str, ...]) -> str:
    likest = difflib.get_close_matches(model, models, n=1)
    hint = f"did you mean {likest[0]!r}?" if likest else "docs/devices.md lists ours, `lamplighter codec list` yours"
    return f"{model!r} is no model that there is a codec for: {hint}"


async def _plan(conn: Connection, retire_missing: bool) -> None:
    await conn.execute(SQL["analyze_file"])
    await conn.execute(SQL["plan_zones"])
    await conn.execute(SQL["plan_assets"])
    await conn.execute(SQL["plan_retiring"], {"retire_missing": retire_missing})
    await conn.execute(SQL["analyze_plan"])


async def _look_across(conn: Connection, unit: str, mistakes: _Mistakes) -> None:
    """Look for what no row shows alone."""
    pairs = [(kind.name, *pair) for kind in KINDS.values() for pair in kind.wire.attributes.ascending]
    kinds, lower, upper = ([*column] for column in zip(*pairs, strict=True))
    given = {"unit": unit, "limit": MISTAKES_MAX + 1, "kinds": kinds, "lower": lower, "upper": upper}
    cursor = await conn.execute(SQL["mistakes"], given)
    for number, line, words in await cursor.fetchall():
        mistakes.add(Mistake(Place(number, line, unit), words))


async def _apply(conn: Connection, now_us: int) -> None:
    """Write the plan; statements that would change nothing are left out, so that the version stays."""
    pending = await (await conn.execute(SQL["pending"])).fetchone()
    assert pending is not None, "a query without FROM gives one row"
    zones, assets, ending, retiring, devices, models = pending
    at = {"at": to_datetime(now_us)}
    if zones:
        await conn.execute(SQL["put_zones"], at)
    if assets:
        await conn.execute(SQL["put_assets"], at)
    if assets or retiring:
        await conn.execute(SQL["touch_zones"], at)
    if ending:
        await conn.execute(SQL["forget_installations"], at)
        await conn.execute(SQL["end_installations"], at)
    if retiring:
        await conn.execute(SQL["retire"], at)
    if devices:
        await conn.execute(SQL["put_devices"])
    if models:
        await conn.execute(SQL["put_models"])
    if devices:
        await conn.execute(SQL["begin_installations"], at)


async def _note(conn: Connection, counts: Counts, now_us: int, by: str | None) -> None:
    """Say in the audit who has changed how much."""
    if by and counts.added + counts.changed + counts.retired:
        what = asdict(counts)
        await audit.record(conn, at_us=now_us, by=by, action="import_registry", subject="platform", detail=what)


async def _tell(conn: Connection, unit: str, wanted: Wanted) -> None:
    """Tell what has changed, or would."""
    async with conn.transaction(), conn.cursor("registry_changes", row_factory=class_row(_Change)) as cursor:
        cursor.itersize = TOLD_ROWS
        await cursor.execute(SQL["changes"])
        async for change in cursor:
            wanted.tell(str(change))
    attributes = sorted({name for kind in KINDS.values() for name in kind.wire.attributes.references})
    found = await conn.execute(SQL["doubtful"], {"attributes": attributes, "limit": MISTAKES_MAX})
    for number, line, asset, attribute, named in await found.fetchall():
        what = "the asset itself" if named == asset else "no asset of its kind"
        wanted.warn(f"{Place(number, line, unit)}: {attribute} of {asset!r} is {named!r}, which is {what}")
    bare = [zone for (zone,) in await (await conn.execute(SQL["bare_zones"])).fetchall()]
    if bare:
        others = [zone for (zone,) in await (await conn.execute(SQL["other_zones"])).fetchall()]
        named = ", ".join(zone + _likest(zone, others) for zone in bare[:ZONES_NAMED])
        more = f" and {len(bare) - ZONES_NAMED:,} more" if len(bare) > ZONES_NAMED else ""
        wanted.warn(f"{len(bare):,} new zone{'s' * (len(bare) > 1)} without a name or place: {named}{more}")


def _likest(zone: str, others: Collection[str]) -> str:
    likest = difflib.get_close_matches(zone, others, n=1)
    return f" (did you mean {likest[0]}?)" if likest else ""


@dataclass(frozen=True, slots=True)
class _Change:
    """A row of the plan that changes something. `device` and `model` are `None` where they stay."""

    what: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    retired: bool
    device_before: str | None
    device: str | None
    model_before: str | None
    model: str | None
    place: int
    number: int | None

    def __str__(self) -> str:
        """One line for people."""
        name = f"zone {self.name}" if self.what == "zone" else self.name
        if self.after is None:
            return f"- {name} retired"
        if self.before is None:
            device = f" with device {self.device}" if self.device else ""
            return f"+ {name}{device}" + (f", a {self.model}" if self.model else "")
        return f"~ {name}: {', '.join(self._changes(self.before, self.after))}"

    def _changes(self, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
        if self.retired:
            yield "in service again"
        for key in (*PLACE, *sorted((before | after).keys() - PLACE)):
            if before.get(key) != after.get(key):
                yield f"{key} {_word(before.get(key))} → {_word(after.get(key))}"
        if self.device and self.device_before:
            yield f"device {self.device_before} swapped for {self.device}"
        elif self.device:
            yield f"device {self.device} installed"
        if self.model:
            yield f"model {_word(self.model_before)} → {self.model}"


def _word(value: Any) -> str:
    return spelled(value) or "(none)"

"""The registry as CSV (contract §2): rows of text to typed rows, every mistake with its line, and back.

Columns that the file does not have say nothing. An empty cell says that there is no such value, except in `device` and
`model`: hardware ends by a swap or by retiring its asset, not by an empty cell.
"""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TextIO

import msgspec
from msgspec import inspect

from storage.spreadsheet import Spreadsheet
from telemetry import topics
from telemetry.kinds import KINDS
from telemetry.registry import Registry

PLACE_COLUMNS = ("asset", "kind", "name", "zone", "lat", "lon", "device")
MODEL = "model"
"""The column of the device's model, `vendor/device`."""
ZONE = "zone"
"""The kind of a row that is a zone."""
MODEL_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: its row or feature by `number`, and the line where that ends or begins, all from 1."""

    number: int
    line: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"line {self.line}" if self.unit == "line" else f"line {self.line}, {self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong; `place` is `None` for the file as a whole."""

    place: Place | None
    words: str

    def __str__(self) -> str:
        return self.words if self.place is None else f"{self.place}: {self.words}"


@dataclass(frozen=True, slots=True)
class Row:
    """An asset or zone (kind `zone`) of the file. `given` holds only what the file has columns for, `None` where empty.

    Keys of `given`: `name`, `zone`, `lat`, `lon`, and the attributes of the kind with their typed values. `device` and
    `model` are `None` where nothing is said of them.
    """

    place: Place
    asset: str
    kind: str
    device: str | None
    model: str | None
    given: dict[str, Any]


def columns() -> tuple[str, ...]:
    """All columns that a file may have, in the order of an export."""
    attributes = (name for kind in KINDS.values() for name in kind.attribute_names)
    return (*PLACE_COLUMNS, MODEL, *dict.fromkeys(attributes))


def read_csv(source: TextIO) -> Iterator[Row | Mistake]:
    """Read a registry file, row by row; of a row with mistakes, all of them."""
    sheet = Spreadsheet(source)
    known = columns()
    unknown = [name for name in dict.fromkeys(sheet.header) if name not in known]
    wrong = [f"unknown column {name!r}: the columns are {', '.join(known)}" for name in unknown]
    unreadable = list(_unreadable(sheet.header))
    yield from (Mistake(Place(1, 1), words) for words in ([sheet.fault] if sheet.fault else wrong + unreadable))
    if sheet.fault or unreadable:
        return
    for line, cells in sheet:
        place = Place(line, line)
        if isinstance(cells, str):
            yield Mistake(place, cells)
        else:
            texts = {name: text for name, text in cells.items() if name not in unknown}
            yield from read_texts(place, _with_points(texts) if sheet.decimal_comma else texts)


def _unreadable(header: list[str]) -> Iterator[str]:
    """Why no row can be read."""
    for name in columns():
        if header.count(name) > 1:
            yield f"the column {name!r} is there twice"
    for name in ("asset", "kind"):
        if name not in header:
            yield f"the column {name!r} is missing"


def _with_points(texts: dict[str, str]) -> dict[str, str]:
    """The cells with a decimal point in each number."""
    return {name: text.replace(",", ".") if name in _numbers() else text for name, text in texts.items()}


@cache
def _numbers() -> frozenset[str]:
    """The columns that hold numbers with a fraction."""
    found = {n for kind in KINDS for n, (_, known) in _attributes(kind).items() if isinstance(known, inspect.FloatType)}
    return frozenset({"lat", "lon", *found})


def read_texts(place: Place, texts: dict[str, str]) -> Iterator[Row | Mistake]:
    """Read what a row of a file says by column, with `asset` and `kind` among them: the row, or its mistakes."""
    wrong = ["a cell holds the character NUL"] if any("\0" in text for text in texts.values()) else []
    wrong = wrong or list(_name_mistakes(texts))
    kind = texts["kind"]
    given: dict[str, Any] = {}
    if kind == ZONE or kind in KINDS:
        for name, text in texts.items():
            try:
                given |= _cell(kind, name, text)
            except ValueError as error:
                wrong.append(str(error))
        if bool(texts.get("lat")) != bool(texts.get("lon")):
            wrong.append("lat and lon go together")
    if wrong:
        yield from (Mistake(place, words) for words in wrong)
        return
    device, model = texts.get("device") or None, texts.get(MODEL, "").lower() or None
    yield Row(place, texts["asset"], kind, device, model, given)


def _name_mistakes(texts: dict[str, str]) -> Iterator[str]:
    """What is wrong with the names of a row, by which everything else is understood."""
    asset, kind, zone, device, model = (texts.get(name, "") for name in ("asset", "kind", "zone", "device", MODEL))
    if kind != ZONE and kind not in KINDS:
        yield f"{kind!r} is no kind: the kinds are {', '.join([*KINDS, ZONE])}"
    if kind == ZONE:
        if not topics.valid_zone(asset):
            yield _bad_zone(asset)
        if device or zone or model:
            yield "a zone has neither a device nor a zone"
        return
    if not topics.valid_asset(asset):
        yield f"{asset!r} is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first"
    if zone and not topics.valid_zone(zone):
        yield _bad_zone(zone)
    if device and not topics.valid_device(device):
        yield f"{device!r} is no name for a device: 1 to 64 letters, digits, _ . : -"
    if len(model) > MODEL_CHARACTERS_MAX:
        yield f"the model has more than {MODEL_CHARACTERS_MAX} characters"


def _bad_zone(name: str) -> str:
    if name in topics.ZONES_RESERVED:
        return f"{name!r} is no name for a zone: it is a word of the public API"
    return f"{name!r} is no name for a zone: 1 to 64 letters, digits, _ . - and no _ . - first"


def _cell(kind: str, name: str, text: str) -> dict[str, Any]:
    """What one cell says of an asset of the kind; `ValueError` if it says nonsense."""
    if name in ("asset", "kind", "device", MODEL) or (name == "zone" and kind == ZONE):
        return {}
    if name in ("name", "zone"):
        return {name: text or None}
    if name in ("lat", "lon"):
        return {name: _degrees(name, text)}
    if kind == ZONE or name not in KINDS[kind].attribute_names:
        if text:
            raise ValueError(f"{name} is no attribute of a {kind}")
        return {}
    return {name: _attribute(kind, name, text)}


def _degrees(name: str, text: str) -> float | None:
    if not text:
        return None
    most = 90 if name == "lat" else 180
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        raise ValueError(f"{name} {text!r} is no number of degrees from -{most} to {most}")
    return value


def _attribute(kind: str, name: str, text: str) -> Any:
    """A typed attribute; `None` for an empty cell."""
    if not text:
        return None
    wanted, known = _attributes(kind)[name]
    try:
        value = msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name} {text!r} is {_objection(known)}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} {text!r} is {_objection(known)}")
    return value


def _objection(wanted: inspect.Type) -> str:
    """What a text is that is not of this type."""
    match wanted:
        case inspect.FloatType() | inspect.IntType():
            whole = "whole " if isinstance(wanted, inspect.IntType) else ""
            low = "" if wanted.ge is None else f" from {wanted.ge:g}"
            return f"no {whole}number{low}" + ("" if wanted.le is None else f" to {wanted.le:g}")
        case inspect.BoolType():
            return "neither true nor false"
        case inspect.LiteralType(values):
            return f"none of {', '.join(map(str, values))}"
        case inspect.EnumType(cls):
            return f"none of {', '.join(str(each.value) for each in cls)}"
    return f"no {type(wanted).__name__.removesuffix('Type').lower()}"


@cache
def _attributes(kind: str) -> dict[str, tuple[Any, inspect.Type]]:
    """The attributes of a kind: the type to read a cell as, and what that demands of one that is not empty."""
    wire = KINDS[kind].wire.attributes
    known = inspect.type_info(wire)
    assert isinstance(known, inspect.StructType)
    types = {each.name: each.type for each in msgspec.structs.fields(wire)}
    return {each.name: (types[each.name], _present(each.type)) for each in known.fields}


def _present(known: inspect.Type) -> inspect.Type:
    """A type without the alternative of being absent."""
    if isinstance(known, inspect.UnionType):
        return next(each for each in known.types if not isinstance(each, inspect.NoneType))
    return known


def written(registry: Registry) -> str:
    """All zones and all assets in service as a file that `import` takes and that then changes nothing."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns(), lineterminator="\n")
    writer.writeheader()
    for zone in registry.zones.values():
        writer.writerow(
            {"asset": zone.zone, "kind": ZONE, "name": zone.name, "lat": spelled(zone.lat), "lon": spelled(zone.lon)}
        )
    for asset in registry.assets.values():
        if asset.retired:
            continue
        place = {name: spelled(getattr(asset, name)) for name in PLACE_COLUMNS}
        own = {name: spelled(getattr(asset.attributes, name)) for name in KINDS[asset.kind].attribute_names}
        writer.writerow(place | {MODEL: spelled(registry.model(asset.device))} | own)
    return out.getvalue()


def spelled(value: Any) -> str:
    """A value as its cell: empty for `None`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

"""The registry as CSV (contract §2): rows of text to typed rows, every mistake with its line, and back.

Columns that the file does not have say nothing. An empty cell says that there is no such value, except in `device`:
hardware ends by a swap or by retiring its asset, not by an empty cell.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from telemetry import topics
from telemetry.kinds import KINDS
from telemetry.registry import Registry

PLACE_COLUMNS = ("asset", "kind", "name", "zone", "lat", "lon", "device")
ZONE = "zone"
"""The kind of a row that is a zone."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong; `line` counts from 1, and is `None` for the file as a whole. `unit` is what it counts."""

    line: int | None
    words: str
    unit: str = "line"

    def __str__(self) -> str:
        return self.words if self.line is None else f"{self.unit} {self.line}: {self.words}"


@dataclass(frozen=True, slots=True)
class Row:
    """An asset or zone (kind `zone`) of the file. `given` holds only what the file has columns for, `None` where empty.

    Keys of `given`: `name`, `zone`, `lat`, `lon`, and the attributes of the kind with their typed values.
    """

    line: int
    asset: str
    kind: str
    device: str | None
    given: dict[str, Any]


@dataclass(slots=True)
class Parsed:
    """What a file says, and what is wrong with it; its rows are counted in `unit`s."""

    rows: list[Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    unit: str = "line"

    def complain(self, line: int, words: str) -> None:
        """Note a mistake in a row."""
        self.mistakes.append(Mistake(line, words, self.unit))

    def finish(self) -> None:
        """Look for what no row shows alone, and put the mistakes in the order of the file."""
        for line, words in _repetitions(self.rows, self.unit):
            self.complain(line, words)
        self.mistakes.sort(key=lambda mistake: mistake.line or 0)


def attribute_columns() -> tuple[str, ...]:
    """The attribute columns of all kinds, each once."""
    names = (name for kind in KINDS.values() for name in kind.attribute_names)
    return tuple(dict.fromkeys(names))


def parse(text: str) -> Parsed:
    """Read a registry file: CSV with a header, separated by commas (or semicolons, as German spreadsheets write it)."""
    parsed = Parsed()
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first and "," not in first else ",", strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        parsed.mistakes += _header_mistakes(header)
        if not parsed.mistakes:
            for cells in reader:
                _read_line(reader.line_num, header, cells, parsed)
    except csv.Error as error:
        parsed.mistakes.append(Mistake(reader.line_num, f"the CSV is broken: {error}"))
    parsed.finish()
    return parsed


def _header_mistakes(header: list[str]) -> Iterator[Mistake]:
    known = PLACE_COLUMNS + attribute_columns()
    for name in dict.fromkeys(header):
        if name not in known:
            yield Mistake(1, f"unknown column {name!r}: the columns are {', '.join(known)}")
        elif header.count(name) > 1:
            yield Mistake(1, f"the column {name!r} is there twice")
    for name in ("asset", "kind"):
        if name not in header:
            yield Mistake(1, f"the column {name!r} is missing")


def _read_line(line: int, header: list[str], cells: list[str], parsed: Parsed) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if len(cells) != len(header):
        parsed.complain(line, f"{len(cells)} cells, but the header has {len(header)}")
        return
    read_texts(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)), parsed)


def read_texts(line: int, texts: dict[str, str], parsed: Parsed) -> None:
    """Read what a row of a file says by column, with `asset` and `kind` among them, into a row or its mistakes."""
    if any("\0" in text for text in texts.values()):
        parsed.complain(line, "a cell holds the character NUL")
        return
    before = len(parsed.mistakes)
    for words in _name_mistakes(texts):
        parsed.complain(line, words)
    given: dict[str, Any] = {}
    if len(parsed.mistakes) == before:
        for name, text in texts.items():
            try:
                given |= _cell(texts["kind"], name, text)
            except ValueError as error:
                parsed.complain(line, str(error))
        if bool(texts.get("lat")) != bool(texts.get("lon")):
            parsed.complain(line, "lat and lon go together")
    if len(parsed.mistakes) == before:
        parsed.rows.append(Row(line, texts["asset"], texts["kind"], texts.get("device") or None, given))


def _name_mistakes(texts: dict[str, str]) -> Iterator[str]:
    """What is wrong with the names of a row, by which everything else is understood."""
    asset, kind, zone, device = (texts.get(name, "") for name in ("asset", "kind", "zone", "device"))
    if kind != ZONE and kind not in KINDS:
        yield f"{kind!r} is no kind: the kinds are {', '.join([*KINDS, ZONE])}"
    if kind == ZONE:
        if not topics.valid_zone(asset):
            yield _bad_zone(asset)
        if device or zone:
            yield "a zone has neither a device nor a zone"
        return
    if not topics.valid_asset(asset):
        yield f"{asset!r} is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first"
    if zone and not topics.valid_zone(zone):
        yield _bad_zone(zone)
    if device and not topics.valid_device(device):
        yield f"{device!r} is no name for a device: 1 to 64 letters, digits, _ . : -"


def _bad_zone(name: str) -> str:
    if name in topics.ZONES_RESERVED:
        return f"{name!r} is no name for a zone: it is a word of the public API"
    return f"{name!r} is no name for a zone: 1 to 64 letters, digits, _ . - and no _ . - first"


def _cell(kind: str, name: str, text: str) -> dict[str, Any]:
    """What one cell says of an asset of the kind; `ValueError` if it says nonsense."""
    if name in ("asset", "kind", "device") or (name == "zone" and kind == ZONE):
        return {}
    if name == "name":
        return {name: text}
    if name == "zone":
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
    fields = {each.name: each.type for each in msgspec.structs.fields(KINDS[kind].wire.attributes)}
    try:
        value = msgspec.convert(text, fields[name], strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name} {text!r}: {str(error)[0].lower()}{str(error)[1:]}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} {text!r}: expected a finite number")
    return value


def _repetitions(rows: Iterable[Row], unit: str) -> Iterator[tuple[int, str]]:
    """An asset or zone stands in one row only, and a device serves one asset of a kind."""
    assets: dict[tuple[bool, str], int] = {}
    devices: dict[tuple[str, str], str] = {}
    for row in rows:
        first = assets.setdefault((row.kind == ZONE, row.asset), row.line)
        if first != row.line:
            yield row.line, f"{row.asset!r} stands in {unit} {first} already"
        if row.device:
            asset = devices.setdefault((row.kind, row.device), row.asset)
            if asset != row.asset:
                yield row.line, f"the device {row.device!r} serves {asset!r} already"


def written(registry: Registry) -> str:
    """All zones and all assets in service as a file that `import` takes and that then changes nothing."""
    columns = PLACE_COLUMNS + attribute_columns()
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
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
        writer.writerow(place | own)
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

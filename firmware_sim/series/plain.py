"""Plain series: `time,asset,field…`, one observation a line, of any kind; the fields are those of the contract.

Columns beside `time` and `asset`: fields of the kinds, `kind` and `device` where they are not to be deduced, and
columns of the registry, whose first value for an asset holds.
"""

from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.behaviours import Fields
from firmware_sim.city import COLUMNS, Row
from firmware_sim.series.lines import Line, header_of, lines_of, unknown_column
from firmware_sim.series.recording import BadRecording, Reading, Recording, Span, ordered
from telemetry import topics
from telemetry.kinds import KINDS

_TIME, _ASSET, _KIND, _DEVICE = "time", "asset", "kind", "device"
_TYPES = {kind.name: {each.name: each.type for each in kind.properties} for kind in KINDS.values()}
_FIELDS = frozenset(name for types in _TYPES.values() for name in types)
_REGISTRY = tuple(name for name in COLUMNS if name not in (_ASSET, _KIND, _DEVICE))
_ATTRIBUTES = {kind.name: frozenset(kind.attribute_names) for kind in KINDS.values()}
_ANY_ATTRIBUTE = frozenset(name for names in _ATTRIBUTES.values() for name in names)


@dataclass(slots=True)
class _Found:
    """What the file says of its assets: one row each, and the devices that serve them."""

    rows: dict[str, Row] = field(default_factory=dict)
    assets: dict[tuple[str, str], str] = field(default_factory=dict)
    """(device, kind) → asset."""


def is_mine(header: tuple[str, ...]) -> bool:
    """Whether the header is of this format."""
    return _TIME in header and _ASSET in header


def open_recording(path: Path) -> Recording:
    """Check the file.

    Raises:
        BadRecording: a column is unknown, or a line is no observation.
    """
    header = header_of(path)
    for name in header:
        if name not in (_TIME, _ASSET, _KIND, _DEVICE, *_REGISTRY) and name not in _FIELDS:
            raise unknown_column(path, name, "it is neither a field of a kind nor a column of the registry")
    span, found = Span(), _Found()
    for line in lines_of(path):
        moment_us, kind, device, _ = _reading(line, header)
        span.note(moment_us)
        _learn(found, line, kind, device)
    if not span.count:
        raise BadRecording(f"{path.name} holds no observations.")
    zones = dict.fromkeys(row["zone"] for row in found.rows.values() if row["zone"])
    empty = dict.fromkeys(COLUMNS, "")
    registry = (
        *(empty | {"asset": zone, "kind": "zone", "name": zone} for zone in zones),
        *found.rows.values(),
    )
    readings = ordered(lambda: (_reading(line, header) for line in lines_of(path)), span)
    return Recording(registry, span.start_us, span.end_us, span.count, readings)


def _reading(line: Line, header: tuple[str, ...]) -> Reading:
    asset = line.cells[_ASSET]
    if not topics.valid_asset(asset):
        line.wrong(f"{asset[:70]!r} is no name of an asset")
    device = line.cells.get(_DEVICE) or asset
    if not topics.valid_device(device):
        line.wrong(f"{device[:70]!r} is no name of a device")
    given = [name for name in header if name in _FIELDS and line.cells[name]]
    kind = _kind(line, given)
    fields: Fields = {}
    for name in given:
        value = _value(line, name, _TYPES[kind].get(name), kind)
        fields[name] = value
    return line.moment_us(_TIME), kind, device, fields


def _kind(line: Line, given: list[str]) -> str:
    """The kind that the line names, else the only one of which a marked field is given."""
    named = line.cells.get(_KIND)
    if named:
        if named not in KINDS:
            line.wrong(f"kind {named[:40]!r} is none of {', '.join(KINDS)}")
        return named
    fitting = [kind.name for kind in KINDS.values() if any(name in given for name in kind.marked)]
    if len(fitting) != 1:
        marked = ", ".join(name for kind in KINDS.values() for name in kind.marked)
        line.wrong(f"the kind is not clear: give a column kind, or exactly one of {marked}")
    return fitting[0]


def _value(line: Line, name: str, wanted: type | None, kind: str) -> float | int | bool:
    if wanted is None:
        line.wrong(f"{name} is no field of {kind}")
    if wanted is bool:
        return line.truth_in(name)
    if wanted is int:
        return line.whole_in(name)
    value = line.number_in(name)
    assert value is not None, "only given fields are read"
    return value


def _learn(found: _Found, line: Line, kind: str, device: str) -> None:
    """Take from a line what it says of its asset; the first word on each column holds."""
    asset = line.cells[_ASSET]
    row = found.rows.get(asset)
    if row is None:
        row = dict.fromkeys(COLUMNS, "") | {"asset": asset, "kind": kind, "device": device}
        found.rows[asset] = row
    if row["kind"] != kind:
        line.wrong(f"{asset} is a {row['kind']} elsewhere and a {kind} here")
    if row["device"] != device:
        line.wrong(f"{asset} is served by {row['device']} elsewhere and by {device} here")
    if found.assets.setdefault((device, kind), asset) != asset:
        line.wrong(f"device {device} serves {found.assets[device, kind]} already")
    for name in _REGISTRY:
        value = line.cells.get(name, "")
        if value and name in _ANY_ATTRIBUTE and name not in _ATTRIBUTES[kind]:
            line.wrong(f"{name} is no attribute of {kind}")
        if name == "zone" and value and not topics.valid_zone(value):
            line.wrong(f"{value[:70]!r} is no name of a zone")
        row[name] = row[name] or value

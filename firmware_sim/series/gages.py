"""Stage series of the United States Geological Survey: gage heights in feet become drains with levels in metres.

Header: `time_utc`, then for each gage `gage_height_ft`, perhaps `discharge_ft3_s`, and qualifiers; with several gages
each name begins with the gage's own, as in `usgs_01589330_gage_height_ft`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.behaviours import Fields
from firmware_sim.city import COLUMNS, DRAIN, Row
from firmware_sim.series.lines import header_of, lines_of, unknown_column
from firmware_sim.series.recording import BadRecording, Reading, Recording, Span, ordered

FIRST_COLUMN = "time_utc"
METRES_A_FOOT = 0.3048
LITRES_A_CUBIC_FOOT = 28.316846592
CROWN_M = 1.00
GROUND_M = 1.50
REPORT_EVERY_S = 300
NO_DATA = -999_999.0
"""What the Survey writes where there is no value."""

_ZONE = "usgs"
_FLOW_L_S_MAX = 100_000.0
_HEIGHT, _DISCHARGE = "gage_height_ft", "discharge_ft3_s"
_COLUMN = re.compile(rf"(?:([A-Za-z0-9][A-Za-z0-9_.-]*?)_)?(?:({_HEIGHT})|({_DISCHARGE})|(?:\w+_)?qualifiers?)")


@dataclass(frozen=True, slots=True)
class _Gage:
    device: str
    height: str
    discharge: str | None


def is_mine(header: tuple[str, ...]) -> bool:
    """Whether the header is of this format."""
    return FIRST_COLUMN in header


def open_recording(path: Path) -> Recording:
    """Check the file.

    Raises:
        BadRecording: something in it is no gage series.
    """
    gages = _gages(path, header_of(path))
    span = Span()
    for line in lines_of(path):
        span.note(line.moment_us(FIRST_COLUMN))
        for gage in gages:
            line.number_in(gage.height)
            if gage.discharge:
                line.number_in(gage.discharge)
    if not span.count:
        raise BadRecording(f"{path.name} holds no observations.")
    zone = dict.fromkeys(COLUMNS, "") | {"asset": _ZONE, "kind": "zone", "name": "USGS gages"}
    registry = (zone, *(_row(gage) for gage in gages))
    return Recording(registry, span.start_us, span.end_us, span.count, ordered(lambda: _readings(path, gages), span))


def _gages(path: Path, header: tuple[str, ...]) -> list[_Gage]:
    found: dict[str, dict[str, str]] = {}
    for name in header:
        if name == FIRST_COLUMN:
            continue
        match = _COLUMN.fullmatch(name)
        if match is None:
            raise unknown_column(path, name, f"a gage series has {_HEIGHT}, {_DISCHARGE} and qualifiers")
        gage, is_height, is_discharge = match.groups()
        if is_height or is_discharge:
            found.setdefault(gage or "", {})[is_height or is_discharge] = name
    for columns in found.values():
        if _HEIGHT not in columns:
            raise BadRecording(f"{path.name} line 1: {columns[_DISCHARGE]} stands there without a {_HEIGHT}.")
    if not found:
        raise BadRecording(f"{path.name} line 1: there is no column {_HEIGHT}.")
    return [_Gage(gage or _name_in(path), each[_HEIGHT], each.get(_DISCHARGE)) for gage, each in found.items()]


def _name_in(path: Path) -> str:
    """The gage's name from a file that holds just one: its station number, if the file's name has one."""
    number = re.search(r"\d{8,15}", path.stem)
    return f"usgs_{number[0]}" if number else "usgs_gage"


def _row(gage: _Gage) -> Row:
    return dict.fromkeys(COLUMNS, "") | {
        "asset": gage.device,
        "kind": DRAIN,
        "name": f"Gage {gage.device}",
        "zone": _ZONE,
        "device": gage.device,
        "crown_m": f"{CROWN_M:.2f}",
        "ground_m": f"{GROUND_M:.2f}",
        "report_every_s": str(REPORT_EVERY_S),
    }


def _readings(path: Path, gages: list[_Gage]) -> Iterator[Reading]:
    for line in lines_of(path):
        moment_us = line.moment_us(FIRST_COLUMN)
        for gage in gages:
            height_ft = line.number_in(gage.height)
            if height_ft is None or height_ft == NO_DATA:
                continue
            fields: Fields = {"level_m": round(height_ft * METRES_A_FOOT, 6)}
            flow = line.number_in(gage.discharge) if gage.discharge else None
            if flow is not None and 0.0 <= flow * LITRES_A_CUBIC_FOOT <= _FLOW_L_S_MAX:
                fields["flow_l_s"] = round(flow * LITRES_A_CUBIC_FOOT, 3)
            yield moment_us, DRAIN, gage.device, fields

"""History as CSV: each line becomes an observation as a device would have sent it, or a mistake with its line.

Columns: `asset` or `device` (neither where the file is of one asset), `ts` or `observed_at`, the fields of the kinds,
and where wanted `kind` and `seq`. An empty cell is absent. What an export of our own has besides is passed over.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

import msgspec

from storage.spreadsheet import Spreadsheet
from telemetry import topics
from telemetry.kind import Kind, Property
from telemetry.kinds import KINDS
from telemetry.refusals import Reason
from telemetry.registry import Installation, Registry

TIMES = ("ts", "observed_at")
"""The column of the time may have either name."""
PASSED_OVER = ("received_at", "time_from_receipt")
"""Columns of an export that say nothing of what was observed: this is received now, and has the time that it has."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
"""JSON's."""
_LOOSE_NUMBER = re.compile(r"[+-]?(?:\d{1,300}\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TOO_GREAT = "1e999"
_TRUTH = {"true": "true", "1": "true", "wahr": "true", "false": "false", "0": "false", "falsch": "false"}
_NAMES = ("asset", "device")

_quoted = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Observed:
    """A line that is an observation, as its device would have sent it."""

    line: int
    topic: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none; `reason` is as of an uplink, `None` where it is no line of a table."""

    line: int
    words: str
    reason: Reason | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" + (f" ({self.reason})" if self.reason else "")


def by_asset(registry: Registry) -> Registry:
    """A registry in which each asset is served by a device of its own name, ever since."""
    served = [Installation(each.asset, each.kind, each.asset_id) for each in registry.assets.values()]
    return Registry.build(registry.version, [], registry.assets.values(), served)


class HistoryFile:
    """Reads `source` against the registry; `asset` is whose the file is, where it does not say.

    `faults` are what is wrong with the header: nothing can be read then. `registry` is the one to decode against:
    topics are of devices where the file names devices, of assets (`by_asset`) where it names these.
    """

    def __init__(self, source: TextIO, registry: Registry, asset: str | None = None) -> None:
        self._sheet = Spreadsheet(source)
        self._asset = asset
        header = self._sheet.header
        self.faults = [self._sheet.fault] if self._sheet.fault else list(_header_faults(header, asset))
        self._named = next((name for name in _NAMES if name in header), "asset")
        self._time = next((name for name in TIMES if name in header), TIMES[0])
        self.registry = registry if self._named == "device" else by_asset(registry)
        if asset is not None and not self.registry.knows(asset):
            self.faults.append(f"there is no asset {asset!r} in the registry")
        self._kinds = {name: _Layout(kind, header, self._sheet.decimal_comma) for name, kind in KINDS.items()}

    def __iter__(self) -> Iterator[Observed | BadLine]:
        for line, cells in self._sheet:
            if isinstance(cells, str):
                yield BadLine(line, cells)
                continue
            try:
                yield self._observed(line, cells)
            except _Bad as bad:
                yield BadLine(line, bad.words, bad.reason)

    def _observed(self, line: int, cells: Mapping[str, str]) -> Observed:
        name = cells.get(self._named) or self._asset or ""
        kind = self._kind(name, cells)
        moment = cells[self._time]
        if not moment:
            raise _Bad(Reason.BAD_TIMESTAMP, f"{self._time} is empty")
        when = moment.encode() if moment.isascii() and moment.isdigit() else _quoted(moment)
        payload = b'{"ts":' + when + self._kinds[kind].fields(cells) + b"}"
        return Observed(line, topics.telemetry(kind, name).encode(), payload)

    def _kind(self, name: str, cells: Mapping[str, str]) -> str:
        """The kind of a line: what it says, else what its asset is or its device serves."""
        said = cells.get("kind", "")
        if said and said not in KINDS:
            raise _Bad(Reason.UNKNOWN_KIND, f"{said!r} is no kind: the kinds are {', '.join(KINDS)}")
        if not name:
            raise _Bad(Reason.UNKNOWN_DEVICE, f"{self._named} is empty")
        if not self.registry.knows(name):
            raise _Bad(Reason.UNKNOWN_DEVICE, f"there is no {self._named} {name!r} in the registry")
        served = list(self.registry.installations[name])
        if not served or (said and said not in served):
            kinds = " and ".join(served) or "nothing"
            is_ = "is a" if self._named == "asset" else "serves"
            raise _Bad(Reason.KIND_MISMATCH, f"{self._named} {name!r} {is_} {kinds}" + f", no {said}" * bool(said))
        if said or len(served) == 1:
            return said or served[0]
        fitting = [kind for kind in served if any(cells.get(field) for field in KINDS[kind].marked)]
        if len(fitting) != 1:
            words = f"device {name!r} serves {' and '.join(served)}: a column kind says which is meant"
            raise _Bad(Reason.KIND_MISMATCH, words)
        return fitting[0]


class _Bad(Exception):
    """A line is none."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


class _Layout:
    """Where the fields of a kind stand, and how each is spelled in JSON."""

    def __init__(self, kind: Kind, header: list[str], decimal_comma: bool) -> None:
        self._kind = kind.name
        known = {each.name: each for each in kind.properties}
        self._own = [(name, f',"{name}":', _spelling(known[name], decimal_comma)) for name in header if name in known]
        if "seq" in header:
            self._own.append(("seq", ',"seq":', _number))
        self._foreign = [name for name in _fields() if name in header and name not in known]

    def fields(self, cells: Mapping[str, str]) -> bytes:
        """The fields that are there, as members of a JSON object."""
        for name in self._foreign:
            if cells[name]:
                raise _Bad(Reason.WRONG_TYPE, f"{name} is no field of a {self._kind}")
        return "".join(
            member + spell(name, text) for name, member, spell in self._own if (text := cells[name])
        ).encode()


def _header_faults(header: list[str], asset: str | None) -> Iterator[str]:
    known = (*_NAMES, "kind", *TIMES, "seq", *_fields())
    for name in dict.fromkeys(header):
        if name not in known and name not in PASSED_OVER:
            yield f"unknown column {name!r}: the columns are {', '.join(known)}"
        elif header.count(name) > 1:
            yield f"the column {name!r} is there twice"
    named = [name for name in _NAMES if name in header]
    if len(named) > 1:
        yield "there are both asset and device: one of them says whose a line is"
    if asset is not None and named:
        yield f"the column {named[0]!r} says whose a line is: leave the option --asset out"
    if asset is None and not named:
        yield "the column 'asset' or 'device' is missing; of a file that is of one asset, the option --asset says which"
    times = [name for name in TIMES if name in header]
    if len(times) != 1:
        yield (
            "the column 'ts' is missing" if not times else "there are both ts and observed_at: one of them is the time"
        )


def _fields() -> tuple[str, ...]:
    """The fields of all kinds, each once."""
    return tuple(dict.fromkeys(each.name for kind in KINDS.values() for each in kind.properties))


def _spelling(field: Property, decimal_comma: bool) -> Callable[[str, str], str]:
    if field.type is bool:
        return _truth
    return _number_with_comma if decimal_comma else _number


def _number(name: str, text: str) -> str:
    if _NUMBER.fullmatch(text):
        return text
    if _LOOSE_NUMBER.fullmatch(text):
        value = float(text)
        return repr(value) if math.isfinite(value) else _TOO_GREAT
    raise _Bad(Reason.WRONG_TYPE, f"{name} {text[:40]!r} is no number")


def _number_with_comma(name: str, text: str) -> str:
    return _number(name, text.replace(",", "."))


def _truth(name: str, text: str) -> str:
    found = _TRUTH.get(text.lower())
    if found is None:
        raise _Bad(Reason.WRONG_TYPE, f"{name} {text[:40]!r} is neither true nor false")
    return found

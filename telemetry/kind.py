"""What a kind of sensor is: an annotated struct from which its table, wire decoder and documents derive.

A kind is one class in `telemetry/kinds/`. Each annotated field is a `Property`: unit, range, words. `Kind` is the view
of the class that the other rooms derive from, `compiled` its decoder.
"""

import datetime as dt
import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.limits import SEQ_MAX

Rollup = Literal["gauge", "counter", "sum", "truth"]
Column = NDArray[np.float64]
Timestamp = Annotated[dt.datetime, msgspec.Meta(tz=True)]
MILLISECONDS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999, since 1970 UTC."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=MILLISECONDS_MAX)]
Counter = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]


@dataclass(frozen=True, slots=True)
class Measure:
    """The annotation of one field of a kind.

    `rollup` says how readings of an hour combine: a `gauge` by mean, least and greatest, a cumulative `counter` by its
    increase, a `sum` by adding up. Booleans are always counted when true.
    """

    unit: str
    low: float = -math.inf
    high: float = math.inf
    words: str = ""
    rollup: Rollup = "gauge"


class Attributes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the registry knows of an asset beyond its place; `None` means not registered.

    `references` are the attributes that name another asset of the kind. Of each pair in `ascending` the first is never
    above the second.
    """

    references: ClassVar[tuple[str, ...]] = ()
    ascending: ClassVar[tuple[tuple[str, str], ...]] = ()

    report_every_s: Annotated[int, msgspec.Meta(ge=1, le=604_800)] | None = None


class Observation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One observation as it stands on the wire (contract §1). Kinds subclass it and add their fields.

    `ts` is an RFC 3339 time with offset or integer milliseconds since 1970 UTC; `None` means the time of receipt.
    `seq` is the device's own counter; `None` means it has none.
    """

    name: ClassVar[str]
    marked: ClassVar[tuple[str, ...]]
    report_every_s: ClassVar[int]
    attributes: ClassVar[type[Attributes]] = Attributes

    ts: Timestamp | Milliseconds | None = None
    seq: Counter | None = None

    @classmethod
    def complete(cls, fields: dict[str, Column], attribute: Callable[[str], Column]) -> None:
        """Derive fields of a batch from others and from registered attributes; most kinds have none.

        `fields` maps each property to a `(n,) float64` column, NaN where absent, and is written into in place;
        `attribute(name)` is the registered value of each row's asset in the same shape.
        """


@dataclass(frozen=True, slots=True)
class Property:
    """One field of a kind, resolved from its annotation."""

    name: str
    type: type[float] | type[int] | type[bool]
    measure: Measure

    @property
    def unit(self) -> str:
        """The unit's symbol."""
        return self.measure.unit

    @property
    def rollup(self) -> Rollup:
        """How readings of an hour combine."""
        return "truth" if self.type is bool else self.measure.rollup

    @property
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the value on the wire; `null` stands for absent."""
        kind = {float: "number", int: "integer", bool: "boolean"}[self.type]
        schema: dict[str, Any] = {
            "type": [kind, "null"],
            "description": f"{self.measure.words} ({self.unit})",
        }
        if math.isfinite(self.measure.low):
            schema["minimum"] = self.measure.low
        if math.isfinite(self.measure.high):
            schema["maximum"] = self.measure.high
        return schema


@dataclass(frozen=True)
class Kind:
    """A kind of sensor as the rooms see it."""

    wire: type[Observation]

    @property
    def name(self) -> str:
        """The kind's name in topics and tables."""
        return self.wire.name

    @property
    def marked(self) -> tuple[str, ...]:
        """The fields of which an observation has at least one; the first is stored in every row."""
        return self.wire.marked

    @property
    def words(self) -> str:
        """The kind's docstring, first line."""
        return (self.wire.__doc__ or self.name).strip().splitlines()[0]

    @cached_property
    def properties(self) -> tuple[Property, ...]:
        """The fields in the order of their declaration, without `ts` and `seq`."""
        hints = get_type_hints(self.wire, include_extras=True)
        own = [field for field in self.wire.__struct_fields__ if field not in ("ts", "seq")]
        return tuple(_property(field, hints[field]) for field in own)

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """The registry columns of this kind, `report_every_s` first."""
        return self.wire.attributes.__struct_fields__

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of one observation on the wire."""
        when = {"description": "RFC 3339 with offset, or milliseconds since 1970 UTC; absent: time of receipt"}
        properties = {
            "ts": {"type": ["string", "integer", "null"], **when},
            "seq": {"type": ["integer", "null"], "minimum": 0},
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.words,
            "type": "object",
            "properties": properties | {p.name: p.json_schema for p in self.properties},
            "anyOf": [{"required": [field]} for field in self.marked],
        }


def _property(name: str, hint: Any) -> Property:
    """Resolve `Annotated[T | None, Measure(...)]`."""
    if get_origin(hint) is not Annotated:
        raise TypeError(f"field {name} needs Annotated[type, Measure(...)]")
    inner, measure = get_args(hint)[:2]
    if get_origin(inner) in (Union, types.UnionType):
        inner = next(t for t in get_args(inner) if t is not type(None))
    if inner not in (float, int, bool) or not isinstance(measure, Measure):
        raise TypeError(f"field {name} needs a float, int or bool with a Measure")
    return Property(name, inner, measure)

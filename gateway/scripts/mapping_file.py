"""Reads a mapping file: which values of a codec's output are which of our fields, and of its input our settings.

    kind = "drain_level"

    [observation]
    distance_m = { from = "data.distance", unit = "mm" }
    battery_pct = { from = "data.battery", none = [255] }

    [extra]                                     # kept beside it, under names of your own
    battery_v = { from = "data.batt", unit = "mV" }
    message = { from = ["data", "msg.type"] }   # a name with a dot in it

    [downlink]                                  # our settings in the codec's input
    report_every_s = { to = "data.interval", unit = "min", whole = true, with = { "data.command" = "set" } }

    [variables]                                 # handed to the codec as it is
    tank = "B"

`from` is a path from the top of the codec's output; numbers in it count the items of a list from 0. `unit` is the unit
there; without it the value is in our unit already. `none` lists values that stand for no value. A truth that is not
true or false there needs `true`, the list of what means true; with `false` listed too, any other value refuses the
message. A value that is absent or null leaves its field out.

Under `[downlink]` stand `setpoint_pct` (street lights), `report_every_s`, and where a lamp can end a dimming by itself,
`lease_s`, which is told beside the setpoint. `to` is a path into the codec's input, `unit` the unit there, `whole` says
that it takes whole numbers only, `with` has further values by their path.
"""

import re
import tomllib
from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.scripts.mapping import FieldMapping, Plain, Rule, Telling, short
from gateway.scripts.units import UNITS, Conversion, unit_of
from telemetry.kinds import KINDS
from telemetry.kinds.streetlight import StreetLight

_MEMBERS = {"from", "unit", "none", "true", "false"}
_TELLING_MEMBERS = {"to", "unit", "whole", "with"}
_SECTIONS = {"kind", "observation", "extra", "downlink", "variables"}
_SETTINGS = {"setpoint_pct": "%", "report_every_s": "s", "lease_s": "s"}
"""Our settings and their units."""
_OF_LAMPS = {"setpoint_pct", "lease_s"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
MAPPING_BYTES_MAX = 64 * 1024


class MappingMistakes(ValueError):
    """The file cannot be used; `mistakes` has one sentence for each, with its line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(" ".join(mistakes))
        self.mistakes = mistakes


def understand(text: str) -> FieldMapping:
    """A mapping file's text, understood.

    Raises:
        MappingMistakes: it has mistakes; all are reported.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        match = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", str(error))
        what, line = (match[1], int(match[2])) if match else (str(error), text.count("\n") + 1)
        raise MappingMistakes([f"Line {line}: this is no TOML: {what[:1].lower()}{what[1:]}."]) from error
    reader = _Reader(text)
    return reader.mapping(document)


def _path(given: Any) -> tuple[str, ...] | None:
    """A path as names; `None` if it is none."""
    names = tuple(given.split(".")) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not names or not all(isinstance(each, str) and each for each in names):
        return None
    return tuple(names)


class _Reader:
    """Reads a document and remembers every mistake with its line."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._mistakes: list[tuple[int, str]] = []

    def mapping(self, document: dict[str, Any]) -> FieldMapping:
        """The whole document.

        Raises:
            MappingMistakes: it has mistakes.
        """
        for name in document.keys() - _SECTIONS:
            self._wrong("", name, f"{name!r} is none of {', '.join(sorted(_SECTIONS))}")
        kind = document.get("kind")
        if isinstance(kind, str) and kind in KINDS:
            observation = self._section(document, "observation", partial(self._field, kind))
        else:
            self._wrong("", "kind", f"kind is {short(kind)}, where one of {', '.join(KINDS)} is expected")
            observation = ()
        extra = self._section(document, "extra", self._beside)
        downlink = self._downlink(document.get("downlink", {}), kind)
        variables = self._variables(document.get("variables", {}))
        if not observation and not self._mistakes:
            self._wrong("", "observation", "no field is mapped: [observation] is empty")
        if self._mistakes:
            raise MappingMistakes([f"Line {line}: {words}." for line, words in sorted(self._mistakes)])
        return FieldMapping(str(kind), observation, extra, variables, downlink)

    def _field(self, kind: str, name: str, entry: dict[str, Any]) -> Rule | None:
        fields = {each.name: each for each in KINDS[kind].properties}
        if name not in fields:
            self._wrong("observation", name, f"{kind} has no field {name!r}: it has {', '.join(fields)}")
            return None
        return self._rule("observation", name, entry, fields[name].type, fields[name].unit)

    def _beside(self, name: str, entry: dict[str, Any]) -> Rule | None:
        if not _NAME.fullmatch(name):
            self._wrong("extra", name, f"{name!r} is no name in lower case with underscores")
            return None
        return self._rule("extra", name, entry, None, unit_of(name))

    def _variables(self, variables: Any) -> dict[str, Plain]:
        if isinstance(variables, dict) and all(
            isinstance(each, str | int | float | bool) for each in variables.values()
        ):
            return variables
        self._wrong("", "variables", "variables is no table of texts, numbers and truths")
        return {}

    def _downlink(self, entries: Any, kind: Any) -> tuple[Telling, ...]:
        if not isinstance(entries, dict):
            self._wrong("", "downlink", "downlink is no table")
            return ()
        found = []
        for name, entry in entries.items():
            whole = {"to": entry} if isinstance(entry, str) else entry
            known = name in _SETTINGS and (kind == StreetLight.name or name not in _OF_LAMPS)
            if not known:
                takes = [each for each in _SETTINGS if kind == StreetLight.name or each not in _OF_LAMPS]
                self._wrong("downlink", name, f"{kind} takes no {name!r}: it takes {', '.join(takes)}")
            elif not isinstance(whole, dict) or "to" not in whole:
                self._wrong("downlink", name, f'{name} needs {{ to = "path" }}')
            elif telling := self._telling(name, whole):
                found.append(telling)
        return tuple(found)

    def _telling(self, name: str, entry: dict[str, Any]) -> Telling | None:
        before = len(self._mistakes)
        for member in sorted(entry.keys() - _TELLING_MEMBERS):
            among = ", ".join(sorted(_TELLING_MEMBERS))
            self._wrong("downlink", name, f"{name} has a member {member!r}, which is none of {among}")
        path, beside = _path(entry["to"]), entry.get("with", {})
        if not isinstance(entry.get("whole", False), bool):
            self._wrong("downlink", name, f"{name}: whole is neither true nor false")
        if not isinstance(beside, dict) or not all(isinstance(each, Plain) for each in beside.values()):
            self._wrong("downlink", name, f"{name} has a member 'with' that is no table of texts, numbers and truths")
            beside = {}
        paths = [_path(each) for each in beside]
        if path is None or None in paths:
            self._wrong("downlink", name, f"{name} has a path that is none: {short(entry['to'])}")
        unit = entry.get("unit", _SETTINGS[name])
        if not isinstance(unit, str) or unit not in UNITS or UNITS[unit][0] != UNITS[_SETTINGS[name]][0]:
            self._wrong("downlink", name, f"{name}: {_SETTINGS[name]} cannot be converted to {short(unit)}")
        if len(self._mistakes) > before or path is None:
            return None
        also = tuple((each, beside[key]) for each, key in zip(paths, beside, strict=True) if each is not None)
        return Telling(name, path, Conversion(_SETTINGS[name], unit), entry.get("whole", False), also)

    def _section(
        self, document: dict[str, Any], section: str, read: Callable[[str, dict[str, Any]], Rule | None]
    ) -> tuple[Rule, ...]:
        entries = document.get(section, {})
        if not isinstance(entries, dict):
            self._wrong("", section, f"{section} is no table")
            return ()
        rules = []
        for name, entry in entries.items():
            whole = {"from": entry} if isinstance(entry, str) else entry
            if not isinstance(whole, dict) or "from" not in whole:
                self._wrong(section, name, f'{name} needs {{ from = "path" }}')
            elif rule := read(name, whole):
                rules.append(rule)
        return tuple(rules)

    def _rule(self, section: str, name: str, entry: dict[str, Any], kind: type | None, ours: str | None) -> Rule | None:
        before = len(self._mistakes)
        for member in sorted(entry.keys() - _MEMBERS):
            self._wrong(
                section, name, f"{name} has a member {member!r}, which is none of {', '.join(sorted(_MEMBERS))}"
            )
        path, unit = _path(entry["from"]), entry.get("unit")
        if path is None:
            self._wrong(section, name, f"{name} has a path that is none: {short(entry['from'])}")
        lists = {member: self._list(section, name, entry, member) for member in ("none", "true", "false")}
        if kind is not bool and (lists["true"] or lists["false"]):
            self._wrong(section, name, f"{name} is no truth: true and false are of no use")
        if lists["false"] is not None and lists["true"] is None:
            self._wrong(section, name, f"{name} says what means false, but not what means true")
        conversion = self._conversion(section, name, unit, ours, kind)
        if len(self._mistakes) > before or path is None:
            return None
        return Rule(name, path, kind, conversion, unit or ours, lists["none"] or (), lists["true"], lists["false"])

    def _conversion(self, section: str, name: str, unit: Any, ours: str | None, kind: type | None) -> Conversion | None:
        if unit is None:
            return None
        if kind is bool or ours in (None, "bool"):
            self._wrong(section, name, f"{name} has no unit of ours to convert to")
            return None
        try:
            return Conversion(unit if isinstance(unit, str) else repr(unit), str(ours))
        except ValueError as error:
            self._wrong(section, name, f"{name}: {error}")
            return None

    def _list(self, section: str, name: str, entry: dict[str, Any], member: str) -> tuple[Plain, ...] | None:
        values = entry.get(member)
        if values is None:
            return None
        if not isinstance(values, list) or not all(isinstance(value, Plain) for value in values):
            self._wrong(section, name, f"{name} has a member {member!r} that is no list of texts, numbers and truths")
            return None
        return tuple(values)

    def _wrong(self, section: str, name: str, words: str) -> None:
        self._mistakes.append((self._line(section, name), words))

    def _line(self, section: str, name: str) -> int:
        """The line of a name in a section, or of the section, or 1."""
        wanted = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.]""")
        here, found = "", 1
        for number, line in enumerate(self._lines, 1):
            head = re.match(r"\s*\[+\s*([\w.]+)", line)
            if head:
                here = head[1]
                if here in (section, name, f"{section}.{name}"):
                    found = number
                if here in (name, f"{section}.{name}"):
                    return number
            elif here == section and wanted.match(line):
                return number
        return found

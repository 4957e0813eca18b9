"""Which values of a codec's output are which of our fields, and which of its input are our settings.

`mapping_file` reads it from a file.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.codecs.codec import Reading, Undecodable, Unencodable, Value
from gateway.scripts.units import Conversion

Plain = str | int | float | bool
_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(\S*)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field of ours comes out of a codec's output."""

    name: str
    path: tuple[str, ...]
    type: type | None
    conversion: Conversion | None
    unit: str | None
    none: tuple[Plain, ...]
    true: tuple[Plain, ...] | None
    false: tuple[Plain, ...] | None

    def value(self, output: object) -> Value:
        """The field's value, `None` where there is none.

        Raises:
            Undecodable: there is one, but not of the field's type.
        """
        found = _at(output, self.path)
        if found is None or _is_among(found, self.none):
            return None
        if self.type is bool:
            return self._truth(found)
        if self.type is None and self.conversion is None:
            return found  # type: ignore[return-value]  # it came as JSON
        number = self._number(found)
        return round(number) if self.type is int else float(number) if self.type is float else number

    def _truth(self, found: object) -> bool:
        if self.true is None and type(found) is bool:
            return found
        if self.true is not None and _is_among(found, self.true):
            return True
        if self.true is not None and (self.false is None or _is_among(found, self.false)):
            return False
        raise Undecodable(f"{'.'.join(self.path)} is {short(found)}, which is neither true nor false by the mapping")

    def _number(self, found: object) -> float:
        if isinstance(found, str) and (match := _NUMBER.fullmatch(found)) and match[2] in ("", self.unit):
            found = float(match[1])
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise Undecodable(f"{'.'.join(self.path)} is {short(found)}, where a number is expected")
        try:
            return found if self.conversion is None else self.conversion(found)
        except OverflowError:
            raise Undecodable(f"{'.'.join(self.path)} is {short(found)}, which no sensor measures") from None


@dataclass(frozen=True, slots=True)
class Telling:
    """How one setting of ours goes into a codec's input.

    `conversion` is from our unit to the codec's; `whole`: only whole numbers are taken there, the nearest one is told.
    `beside` are further values that go with it, each with its path.
    """

    name: str
    path: tuple[str, ...]
    conversion: Conversion | None
    whole: bool
    beside: tuple[tuple[tuple[str, ...], Plain], ...]

    def put(self, wanted: dict[str, Any], value: object) -> None:
        """Put the setting into the input. Raises `Unencodable`: it is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Unencodable(f"{self.name}: {short(value)} is no number")
        number = value if self.conversion is None else self.conversion(value)
        _put(wanted, self.path, math.floor(number + 0.5) if self.whole or number == int(number) else number)
        for path, each in self.beside:
            _put(wanted, path, each)


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A mapping file that was understood."""

    kind: str
    observation: tuple[Rule, ...]
    extra: tuple[Rule, ...]
    variables: Mapping[str, Any]
    downlink: tuple[Telling, ...] = ()

    def reading(self, output: object) -> Reading:
        """A codec's output as our fields.

        Raises:
            Undecodable: a value is not what the mapping says it is, or the codec itself reports errors.
        """
        complain(output)
        observation = {rule.name: rule.value(output) for rule in self.observation}
        extra = {rule.name: rule.value(output) for rule in self.extra}
        return Reading(
            {name: value for name, value in observation.items() if isinstance(value, int | float)},
            {name: value for name, value in extra.items() if value is not None},
        )

    def wanted(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The input of the codec for settings of ours.

        Raises:
            Unencodable: a setting is not mapped, or no number.
        """
        tellings = {each.name: each for each in self.downlink}
        wanted: dict[str, Any] = {}
        for name, value in settings.items():
            if name not in tellings:
                raise Unencodable(f"the mapping says nothing of {name}")
            tellings[name].put(wanted, value)
        return wanted


def complain(output: object) -> None:
    """Refuse an output that is an error by its own word.

    Raises:
        Undecodable: its member `errors` holds words.
    """
    errors = output.get("errors") if isinstance(output, dict) else None
    if errors and isinstance(errors, list | str):
        words = errors if isinstance(errors, str) else ", ".join(map(str, errors))
        raise Undecodable(f"the codec says: {words[:200]}")


def _at(output: object, path: tuple[str, ...]) -> object:
    """The value at a path; `None` where the path leads nowhere."""
    for name in path:
        if isinstance(output, dict):
            output = output.get(name)
        elif isinstance(output, list) and name.isdecimal() and int(name) < len(output):
            output = output[int(name)]
        else:
            return None
    return output


def _put(wanted: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Put a value at a path, and tables on the way."""
    *tables, name = path
    for each in tables:
        inner = wanted.setdefault(each, {})
        if not isinstance(inner, dict):
            raise Unencodable(f"{'.'.join(path)} leads through a value")
        wanted = inner
    wanted[name] = value


def _is_among(value: object, several: tuple[Plain, ...]) -> bool:
    """Whether it is one of them; true is not 1."""
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in several)


def short(value: object) -> str:
    """A value in a sentence."""
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:60]}…"

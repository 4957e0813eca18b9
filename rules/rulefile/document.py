"""A TOML document as dataclasses of figures: types, ranges, names; every mistake a sentence with its line."""

import difflib
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime, time
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from rules.calendars import read_dates
from rules.daytimes import read_daytime, read_duration_s
from rules.rulefile.lines import Place, lines_of
from rules.trial.series import FOLLOWS, values
from telemetry.alarms import AlarmType, Severity
from telemetry.figures import UNITS, Figure, Form, is_required, known, spelled, stem_and_unit
from telemetry.guards import LIGHTING_CLASS_MIN_PCT

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SYNTAX = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_CLOSED: dict[Form, tuple[str, ...]] = {
    Form.ALARM: tuple(AlarmType),
    Form.SEVERITY: tuple(Severity),
    Form.LIGHTING_CLASS: tuple(LIGHTING_CLASS_MIN_PCT),
}
_WRITTEN: dict[Form, Callable[[str], object]] = {
    Form.TIME: read_daytime,
    Form.DATE: read_dates,
    Form.DURATION: read_duration_s,
    Form.MOMENT: datetime.fromisoformat,
    Form.SERIES: lambda text: text == FOLLOWS or values(text),
}
_MENTIONS = {Form.DAY, Form.ZONE, Form.ASSET, Form.PROGRAM, Form.SINK}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong on a line of a document, one sentence."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


class BadDocument(Exception):
    """A document says what it must not; `mistakes` in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that must be one of something which only the whole tells: a zone, a program, a sink."""

    form: Form
    name: str
    place: Place


class _Wrong:
    """Stands for a value that was refused; the mistake is noted."""


_WRONG = _Wrong()


@dataclass(slots=True)
class Document:
    """A parsed document; what is wrong with it gathers in `mistakes`, where in `wrong_places`.

    Names that only the whole can tell gather in `mentions`.

    `made` holds every dataclass that was made of a table, by its place.
    """

    data: dict[str, Any]
    lines: Mapping[Place, int]
    mistakes: list[Mistake] = field(default_factory=list)
    wrong_places: set[Place] = field(default_factory=set)
    mentions: list[Mention] = field(default_factory=list)
    made: dict[Place, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Document":
        """Raises `BadDocument` if the text is no TOML."""
        try:
            return cls(tomllib.loads(text), lines_of(text))
        except tomllib.TOMLDecodeError as error:
            found = _SYNTAX.match(str(error))
            line = int(found["line"]) if found and found["line"] else max(len(text.splitlines()), 1)
            raise BadDocument([Mistake(line, f"This is not TOML: {found['what'] if found else error}.")]) from error
        except RecursionError as error:
            raise BadDocument([Mistake(1, "Lists or tables lie too deep within each other.")]) from error

    def wrong(self, place: Place, sentence: str) -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(self.line(place), sentence))
        self.wrong_places.add(place)

    def is_wrong(self, place: Place) -> bool:
        """Whether a mistake at a place, or within it, is noted."""
        return any(each[: len(place)] == place for each in self.wrong_places)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest that holds it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def of(self, kind: type[T]) -> Iterator[tuple[Place, T]]:
        """What was made of a kind, with its place."""
        return ((place, each) for place, each in self.made.items() if isinstance(each, kind))

    def table(
        self, kind: type[T], table: Any, place: Place, base: T | None = None, besides: tuple[str, ...] = ()
    ) -> T | None:
        """A dataclass of a table; what the table leaves out is that of `base`, else the default.

        `besides` are keys that are somebody else's. Returns `None` if something required is missing or wrong; what
        else is wrong stays as in `base`.
        """
        if not isinstance(table, dict):
            self.wrong(place, f"{_label(place)} is {_shown(table)}, but it must be a table.")
            return None
        by_key = {_key(each): each for each in fields(kind) if _is_open(each)}  # type: ignore[arg-type]
        for key in table.keys() - {*by_key, *besides}:
            self.unknown(key, [*by_key, *besides], place)
        hints = get_type_hints(kind)
        values: dict[str, Any] = {}
        for key, each in by_key.items():
            if key in table:
                now = getattr(base, each.name) if base is not None else None
                value = self.value(hints[each.name], table[key], (*place, key), known(each), now)
                if value is not _WRONG:
                    values[each.name] = value
            elif base is None and is_required(each):
                self.wrong(place, f"{_label(place) or 'The document'} has no {key}: {_begun(known(each).words)}.")
        if base is None and any(is_required(each) and each.name not in values for each in by_key.values()):
            return None
        made = kind(**values) if base is None else replace(base, **values)  # type: ignore[type-var]
        self._contradictions(made, place)
        self.made[place] = made
        return made

    def value(self, hint: Any, value: Any, place: Place, about: Figure, base: Any = None) -> Any:
        """A value as its type and its figure want it, `_WRONG` if it is not; the mistake is noted."""
        if get_origin(hint) in (UnionType, Union):
            hint = next(each for each in get_args(hint) if each is not NoneType)
        if is_dataclass(hint):
            made = self.table(hint, value, place, base)  # type: ignore[arg-type]
            return _WRONG if made is None else made
        if get_origin(hint) is tuple:
            return self._list(get_args(hint)[0], value, place, about, base)
        if get_origin(hint) is not None and issubclass(get_origin(hint) or object, Mapping):
            return self._named(get_args(hint)[1], value, place, about, base)
        return self._text(value, place, about) if hint is str else self._plain(hint, value, place, about)

    def _list(self, hint: Any, value: Any, place: Place, about: Figure, base: Any) -> Any:
        """A list; things that have names join those of the base, and replace those of the same name."""
        if not isinstance(value, list):
            self.wrong(place, f"{_label(place)} is {_shown(value)}, but it must be a list.")
            return _WRONG
        found = [self.value(hint, each, (*place, number), about) for number, each in enumerate(value)]
        kept = [each for each in base or () if (own := _own_name(each)) and own not in map(_own_name, found)]
        return (*(each for each in found if each is not _WRONG), *kept)

    def _named(self, hint: Any, value: Any, place: Place, about: Figure, base: Any) -> Any:
        """Values by name; they join those of the base."""
        if not isinstance(value, dict):
            self.wrong(place, f"{_label(place)} is {_shown(value)}, but it must be a table.")
            return _WRONG
        key = about if about.form in _CLOSED else replace(about, form=Form.NAME)
        found: dict[str, Any] = dict(base or {})
        for name, each in value.items():
            named = self._text(name, (*place, name), key)
            made = self.value(hint, each, (*place, name), about)
            if named is not _WRONG and made is not _WRONG:
                found[name] = made
        return found

    def _plain(self, hint: type, value: Any, place: Place, about: Figure) -> Any:
        """A number or a truth."""
        fits = isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
        if hint is bool:
            fits = isinstance(value, bool)
        elif fits:
            low, high = about.low, about.high
            fits = math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
        if not fits:
            must = _must(hint, _last_key(place), about)
            self.wrong(place, f"{_label(place)} is {_shown(value)}, but it must be {must}.")
            return _WRONG
        return hint(value)

    def _text(self, value: Any, place: Place, about: Figure) -> Any:
        if isinstance(value, datetime | date) and about.form in (Form.DATE, Form.MOMENT):
            value = value.isoformat()
        elif isinstance(value, time) and about.form is Form.TIME:
            value = value.isoformat("minutes")
        if not isinstance(value, str):
            self.wrong(place, f"{_label(place)} is {_shown(value)}, but it must be a text in quotes ({about.form}).")
            return _WRONG
        try:
            _WRITTEN.get(about.form, str)(value)
        except ValueError as error:
            self.wrong(place, f"{_label(place)}: {error}.")
            return _WRONG
        if about.form is Form.NAME and not _NAME.fullmatch(value):
            self.wrong(place, f"{_label(place)}: {_shown(value)} is no name of letters, digits, dots and dashes.")
            return _WRONG
        if about.form in _CLOSED and value not in _CLOSED[about.form]:
            self.wrong(place, f"There is no {about.form} {_shown(value)}{did_you_mean(value, _CLOSED[about.form])}.")
            return _WRONG
        if about.form in _MENTIONS:
            self.mentions.append(Mention(about.form, value, place))
        return value

    def unknown(self, key: str, right: list[str], place: Place) -> None:
        """Note a key that a table must not have; `right` are those that it may have."""
        self.wrong((*place, key), f"{_label(place) or 'This file'} has no {key}{_or_in(key, right)}.")

    def _contradictions(self, made: Any, place: Place) -> None:
        keys = {each.name: _key(each) for each in fields(made)}
        for each in fields(made):
            about = known(each)
            for other, word in ((about.below, "below"), (about.at_most, "at most")):
                if other and not fitting(word, getattr(made, each.name), getattr(made, other)):
                    given = [name for name in (each.name, other) if (*place, keys[name]) in self.lines]
                    at = (*place, keys[given[0]]) if given else place
                    self.wrong(at, contradiction(place, made, each.name, other, word))


def fitting(word: str, less: float, more: float) -> bool:
    """Whether two figures stand to each other as they must."""
    return less < more if word == "below" else less <= more


def contradiction(place: Place, held: Any, name: str, other: str, word: str) -> str:
    """The sentence on two figures of which one must be less."""
    less, more = getattr(held, name), getattr(held, other)
    return f"{_label((*place, name))} is {less:g}, but it must be {word} {other}, which is {more:g}."


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """` (did you mean …?)` where something comes near."""
    near = difflib.get_close_matches(wrong, list(right), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _or_in(key: str, names: list[str]) -> str:
    """What was probably meant by an unknown key: the same in another unit, or something that looks like it."""
    stem, unit = stem_and_unit(key)
    for right in names:
        right_stem, right_unit = stem_and_unit(right)
        if right_unit and right_stem == stem and right_unit != unit:
            return f": it is given in {UNITS[right_unit]}, as {right}"
    return did_you_mean(key, names) or (f"; it knows {', '.join(names)}" if len(names) <= 8 else "")


def _must(hint: type, name: str, about: Figure) -> str:
    if hint is bool:
        return "true or false"
    words = "a whole number" if hint is int else "a number"
    if unit := stem_and_unit(name)[1]:
        words += f" of {UNITS[unit]}"
    if about.low is not None and about.high is not None:
        return f"{words} from {spelled(about.low)} to {spelled(about.high)}"
    if about.low is not None:
        return f"{words} of at least {spelled(about.low)}"
    return words if about.high is None else f"{words} of at most {spelled(about.high)}"


def _key(each: "Field[Any]") -> str:
    return known(each).key or each.name


def _is_open(each: "Field[Any]") -> bool:
    """Whether a field may stand in a document: it is described, or a section of its own."""
    return bool(known(each).words) or is_dataclass(each.default_factory)


def _own_name(value: Any) -> str:
    """The name by which others mention a value, empty if it has none."""
    if not is_dataclass(value) or not any(
        each.name == "name" and known(each).form is Form.NAME for each in fields(value)
    ):
        return ""
    return str(getattr(value, "name", ""))


def _label(place: Place) -> str:
    return ".".join(each for each in place if isinstance(each, str))


def _last_key(place: Place) -> str:
    return next((each for each in reversed(place) if isinstance(each, str)), "")


def _begun(words: str) -> str:
    return words[:1].lower() + words[1:]


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"

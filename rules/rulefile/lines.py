"""On which line of a TOML document each key and each element stands; the standard library's parser does not say.

The document is one that the standard library accepts, so only what is needed to find the way is read here.
"""

import tomllib
from dataclasses import dataclass, field

Place = tuple[str | int, ...]
"""The way to a value: keys of tables and numbers of elements, from the outermost."""

_BARE_ENDS = ",]}#\n"
_QUOTES = ('"""', "'''", '"', "'")


def lines_of(text: str) -> dict[Place, int]:
    """The line, from 1, of every table, key and element of a valid document; of a repeated table the first."""
    return _Scan(text).document()


@dataclass(slots=True)
class _Scan:
    """A walk through the text; `at` is where it stands."""

    text: str
    at: int = 0
    lines: dict[Place, int] = field(default_factory=dict)
    elements: dict[Place, int] = field(default_factory=dict)
    line: int = 1
    counted: int = 0

    def document(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip(" \t\r\n"):
            if self._next("[["):
                table = self._header(self._keys(), repeated=True)
                self.at += len("]]")
            elif self._next("["):
                table = self._header(self._keys(), repeated=False)
                self.at += len("]")
            else:
                self._pair(table)
        return self.lines

    def _header(self, keys: list[str], repeated: bool) -> Place:
        """The place of a table that begins, within the newest element of each repeated table it lies in."""
        place: Place = ()
        for number, key in enumerate(keys):
            place = (*place, key)
            self._note(place)
            if repeated and number == len(keys) - 1:
                self.elements[place] = self.elements.get(place, -1) + 1
            if place in self.elements:
                place = (*place, self.elements[place])
                self._note(place)
        return place

    def _pair(self, table: Place) -> None:
        place = table
        for key in self._keys():
            place = (*place, key)
            self._note(place)
        self.at += len("=")
        self._value(place)

    def _keys(self) -> list[str]:
        """The keys of a dotted name."""
        keys: list[str] = []
        while True:
            self._skip(" \t")
            if self.text[self.at] in "\"'":
                begun = self.at
                self._quoted()
                keys.append(tomllib.loads(f"key = {self.text[begun : self.at]}")["key"])
            else:
                begun = self.at
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                keys.append(self.text[begun : self.at])
            self._skip(" \t")
            if not self._next("."):
                return keys

    def _value(self, place: Place) -> None:
        self._skip(" \t")
        if self._next("["):
            self._array(place)
        elif self._next("{"):
            self._inline(place)
        elif self.text[self.at] in "\"'":
            self._quoted()
        else:
            while self.at < len(self.text) and self.text[self.at] not in _BARE_ENDS:
                self.at += 1

    def _array(self, place: Place) -> None:
        number = 0
        while self._skip(" \t\r\n") and not self._next("]"):
            element = (*place, number)
            self._note(element)
            self._value(element)
            self._skip(" \t\r\n")
            self._next(",")
            number += 1

    def _inline(self, place: Place) -> None:
        while self._skip(" \t\r\n") and not self._next("}"):
            self._pair(place)
            self._skip(" \t\r\n")
            self._next(",")

    def _quoted(self) -> None:
        """Go behind a string of any of the four sorts."""
        quote = next(each for each in _QUOTES if self.text.startswith(each, self.at))
        self.at += len(quote)
        while not self.text.startswith(quote, self.at):
            self.at += 2 if self.text[self.at] == "\\" and quote[0] == '"' else 1
        self.at += len(quote)
        while len(quote) > 1 and self.text.startswith(quote[0], self.at):  # quotes right before the closing ones
            self.at += 1

    def _skip(self, blanks: str) -> bool:
        """Go over blanks and, where lines may end, comments; whether there is more."""
        while self.at < len(self.text):
            if self.text[self.at] == "#" and "\n" in blanks:
                ended = self.text.find("\n", self.at)
                self.at = len(self.text) if ended < 0 else ended
            elif self.text[self.at] in blanks:
                self.at += 1
            else:
                return True
        return False

    def _next(self, mark: str) -> bool:
        """Go over a mark if it stands here; whether it did."""
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) if found else 0
        return found

    def _note(self, place: Place) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        self.lines.setdefault(place, self.line)

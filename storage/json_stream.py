"""A JSON text that is read a value at a time, in memory that does not grow with it."""

import json
from typing import Any, TextIO

CHUNK_CHARACTERS = 64 * 1024
VALUE_CHARACTERS_MAX = 1024 * 1024
"""A longer value is refused; what holds it is not read any further."""

_SPACE = " \t\r\n"
_WORD_CHARACTERS_MAX = 16
"""No word or escape of JSON's is longer."""
_decode = json.JSONDecoder().raw_decode


class BadJson(ValueError):
    """The text cannot be read any further; the message says why."""


class JsonStream:
    """A window on a text; `line` is where reading stands, from 1."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._window, self._place, self._ended = "", 0, False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no space, without taking it; empty at the end of the text."""
        while True:
            start = self._place
            while start < len(self._window) and self._window[start] in _SPACE:
                start += 1
            self._advance(start)
            if start < len(self._window) or not self._more():
                return self._window[self._place : self._place + 1]

    def take(self, *wanted: str) -> str:
        """Take the next character, which is one of these; raises `BadJson`."""
        found = self.peek()
        if found not in wanted or not found:
            expected = " or ".join(map(repr, wanted))
            raise BadJson(f"the JSON is broken: {expected} is missing" + (f" before {found!r}" if found else ""))
        self._advance(self._place + 1)
        return found

    def value(self) -> Any:
        """Take a whole value; raises `BadJson`."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._window, self._place)
            except json.JSONDecodeError as error:
                if self._may_be_cut(error) and self._more():
                    continue
                self._advance(error.pos)
                raise BadJson(f"the JSON is broken: {error.msg}") from None
            except (ValueError, RecursionError):
                raise BadJson("the JSON nests too deep or holds too long a number") from None
            if end < len(self._window) or not self._more():
                self._advance(end)
                return value

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether what is wrong may be that the window ends within the value."""
        return error.pos > len(self._window) - _WORD_CHARACTERS_MAX or error.msg.startswith("Unterminated string")

    def _advance(self, place: int) -> None:
        self.line += self._window.count("\n", self._place, place)
        self._place = place

    def _more(self) -> bool:
        """Whether there is more text, which has then been read."""
        kept = len(self._window) - self._place
        if self._ended or kept > VALUE_CHARACTERS_MAX:
            if not self._ended:
                raise BadJson(f"a value has more than {VALUE_CHARACTERS_MAX:,} characters")
            return False
        text = self._source.read(max(CHUNK_CHARACTERS, kept))
        self._window, self._place = self._window[self._place :] + text, 0
        self._ended = not text
        return not self._ended

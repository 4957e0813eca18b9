"""What others wrote, as a terminal may show it: a control character could move the cursor or rename the window."""

from typing import Any

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_ESCAPED = {number: f"\\u{number:04x}" for number in _CONTROLS}
_BUT_LINE_ENDS = {number: escaped for number, escaped in _ESCAPED.items() if number != ord("\n")}


def line(text: str) -> str:
    r"""The text with every control character spelled, as in JSON: `\u001b` for escape."""
    return text.translate(_ESCAPED)


def lines(text: str) -> str:
    """The same for a text of several lines, which stay several."""
    return text.translate(_BUT_LINE_ENDS)


def event(logger: Any, method: str, told: Any) -> Any:
    """The same for all that a log's event says, as a processor of structlog."""
    return {
        name: (lines if name == "exception" else line)(said) if isinstance(said, str) else said
        for name, said in told.items()
    }

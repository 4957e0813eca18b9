"""Logging: structured, on standard error, readable by people on a terminal and by machines elsewhere."""

import logging
import sys
from typing import Literal, TextIO, cast

import structlog

from lamplighter import plain_text

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "text", "json"]

_FOREIGN_LEVELS = {"debug": logging.INFO, "info": logging.WARNING}
"""From where on libraries speak up, by our own level; at the others only with errors."""


class _StandardError:
    """Standard error as it is at the moment of writing, not as it was when logging was set up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: Level = "info", style: Format = "auto", file: TextIO | None = None) -> None:
    """Send our log and that of libraries to standard error, or to a file.

    Args:
        level: the least important message of ours that is shown.
        style: `text` for people, `json` for machines, `auto` by what standard error is.
        file: where to; None means standard error.
    """
    target = file or cast(TextIO, _StandardError())
    is_terminal = file is None and sys.stderr.isatty()
    text = style == "text" or (style == "auto" and is_terminal)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if text:
        shared.append(plain_text.event)
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=is_terminal) if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    handler.setLevel(_FOREIGN_LEVELS.get(level, logging.ERROR))
    logging.basicConfig(handlers=[handler], level=handler.level, force=True)

"""The log of all parts of a long run, in a file."""

from typing import TextIO

import structlog


def log_to(file: TextIO) -> None:
    """Send everybody's words there, a line each."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file),
    )

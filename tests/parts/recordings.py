"""Where the shared recordings, vectors and schemas lie: read there, never copied."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("LAMPLIGHTER_SHARED", Path(__file__).parents[3] / "shared"))


def shared(path: str) -> Path:
    """A file below the shared data/, or a skip that says what is missing."""
    file = SHARED / "data" / path
    if not file.exists():
        pytest.skip(f"{file.name} is not at hand: set LAMPLIGHTER_SHARED to the folder with data/")
    return file


def series(name: str) -> Path:
    """The file of a recorded series, or a skip that says what is missing."""
    return shared(f"series/{name}")

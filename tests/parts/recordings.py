"""Where the shared recordings lie: read there, never copied."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("LAMPLIGHTER_SHARED", Path(__file__).parents[3] / "shared"))


def series(name: str) -> Path:
    """The file of a recorded series, or a skip that says what is missing."""
    file = SHARED / "data" / "series" / name
    if not file.exists():
        pytest.skip(f"the recording {name} is not at hand: set LAMPLIGHTER_SHARED to the folder with data/")
    return file

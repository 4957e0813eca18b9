"""Where backups lie: written whole or not at all, told apart by their names, and the oldest let go."""

import datetime as dt
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r"lamplighter-(\d{8}T\d{6}Z)\.tar")
_TIME = "%Y%m%dT%H%M%SZ"
_PART = ".part"
LEFT_BEHIND_S = 24 * 3_600
"""What a killed backup has left may go after so long."""


def name_of(made_at: dt.datetime) -> str:
    """`lamplighter-20261123T124200Z.tar`, by UTC."""
    return f"lamplighter-{made_at.astimezone(dt.UTC):{_TIME}}.tar"


def all_in(folder: Path) -> list[tuple[dt.datetime, Path]]:
    """The backups in a folder, newest first, by what their names say."""
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(
        ((dt.datetime.strptime(match[1], _TIME).replace(tzinfo=dt.UTC), path) for match, path in found if match),
        reverse=True,
    )


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that only its owner may read, and that bears its name once the block has ended well and it is on disk."""
    part = path.with_name(path.name + _PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def let_go(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups of a folder; returns those deleted. What killed ones have left goes, too."""
    gone = [path for _, path in all_in(folder)[keep:]]
    for path in gone:
        path.unlink(missing_ok=True)
    for part in folder.glob(f"lamplighter-*.tar{_PART}"):
        if time.time() - part.stat().st_mtime > LEFT_BEHIND_S:
            part.unlink(missing_ok=True)
    return gone

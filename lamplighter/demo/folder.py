"""The demo's data folder: claimed by one process at a time, and thrown away at the end where nobody named it."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.embedded.accounts import data_folder
from lamplighter.errors import Failure

_PREFIX = "lamplighter-demo-"
_LOCK = "lock"
_NEW_S = 60.0


@contextmanager
def demo_folder(named: Path | None) -> Iterator[Path]:
    """The folder `named`, which is kept; without one a temporary folder, which is removed at the end.

    Temporary folders that a killed demo left behind are removed first.

    Raises:
        Failure: it cannot be written, or another Lamplighter is using it.
    """
    if named is not None:
        folder = data_folder(named)
        with _claimed(folder):
            yield folder
        return
    _sweep()
    folder = data_folder(Path(tempfile.mkdtemp(prefix=_PREFIX)))
    try:
        with _claimed(folder):
            yield folder
    finally:
        _remove(folder)


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when we die."""
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failure(
                f"The data folder {folder} is in use by another Lamplighter: end that one, or name another with --data."
            ) from error
        yield


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            is_new = folder.stat().st_mtime > time.time() - _NEW_S  # and perhaps not yet claimed
            if not is_new:
                with _claimed(folder):
                    _remove(folder)
        except (Failure, OSError):
            continue  # it is in use, or somebody else's


def _remove(folder: Path) -> None:
    for part in folder.iterdir():
        if part.is_symlink():  # a server's files may lie elsewhere
            shutil.rmtree(part.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)

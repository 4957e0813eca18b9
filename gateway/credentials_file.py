"""Mosquitto's password file on disk: one writer at a time, replaced as a whole, readable by the broker alone."""

import fcntl
import grp
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BROKER_GROUP = "mosquitto"
"""Mosquitto reads its files as this account when it reloads."""


def read(path: Path) -> str:
    """The file's text; empty where there is none. Raises `OSError`."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return ""


def change(path: Path, edit: Callable[[str], str]) -> None:
    """Replace the file by what `edit` makes of its text; if it raises, or anything fails, nothing has changed.

    Raises:
        OSError: it cannot be read or written.
    """
    path = path.resolve()  # a link stays one
    with _alone_in(path.parent):
        replace(path, edit(read(path)))


def replace(path: Path, text: str) -> None:
    """Write the file in one step, so that a broker which reads it meanwhile sees the old one or the new one whole.

    Owner and permissions of a file that is there stay. A new one is readable by us (0600), and where we are root and
    the machine has the broker's group, by that as well (0640). Raises `OSError`.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _permit(descriptor, path)
            file.write(text.encode(errors="surrogateescape"))
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _permit(descriptor: int, path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        if os.geteuid() == 0:
            with suppress(KeyError):
                os.fchown(descriptor, 0, grp.getgrnam(BROKER_GROUP).gr_gid)
                os.fchmod(descriptor, 0o640)
        return
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o777)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two commands at once would each undo what the other wrote."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

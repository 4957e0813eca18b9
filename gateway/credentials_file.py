"""Mosquitto's password file on disk: one writer at a time, replaced as a whole, readable by the broker alone."""

import fcntl
import grp
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.whole_file import written_whole

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
    with written_whole(path) as file:
        _permit(file.fileno(), path)
        file.write(text.encode(errors="surrogateescape"))


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

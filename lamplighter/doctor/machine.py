"""Checks of this machine: the settings, what a process may do here, and the disk."""

import os
import resource
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings, unknown_variables

FREE_BYTES_WRONG = 200 * 1024**2
FREE_BYTES_NOTE = 2 * 1024**3
FILES_MIN = 4_096
_GIB = 1024**3


def examine(settings: Settings, file: Path) -> Iterator[Finding]:
    """Look at the settings, their file if it is there, the data folder, its disk, and what a process may open."""
    yield from _settings(settings)
    yield from _file(file)
    yield from _data_folder(settings)
    yield from _open_files()
    yield _disk(settings)


def _file(file: Path) -> Iterator[Finding]:
    if not file.exists() or not file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return
    if any(secret in file.read_text(encoding="utf-8", errors="replace") for secret in ("://", "token")):
        yield wrong(
            "settings", f"Everybody on this machine may read {file}, where passwords stand: `chmod 640 {file}`."
        )


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = _folder(settings)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield wrong(
            "disk", f"Nothing can be written below {folder}: give it to our user, or mend LAMPLIGHTER_DATA_DIR."
        )


def _open_files() -> Iterator[Finding]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < FILES_MIN:
        words = f"A process may open {files} files here, and each resident who listens needs one"
        yield note("machine", f"{words}: raise it (systemd: LimitNOFILE={FILES_MIN}, shells: ulimit -n).")


def _settings(settings: Settings) -> Iterator[Finding]:
    for name in unknown_variables():
        yield wrong("settings", f"{name} is no setting: mend its spelling (docs/settings.md lists all) or unset it.")
    if settings.clock_start is not None or settings.clock_speed != 1:
        yield note("clock", "The city clock is not the real one: that is for demos and replays only.")


def free_bytes(settings: Settings) -> int:
    """What is free on the disk of the data folder."""
    return shutil.disk_usage(_folder(settings)).free


def _folder(settings: Settings) -> Path:
    folder = settings.data_dir.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder


def _disk(settings: Settings) -> Finding:
    folder, free = _folder(settings), free_bytes(settings)
    sentence = f"{free / _GIB:.1f} GiB are free below {folder}"
    if free < FREE_BYTES_WRONG:
        return wrong("disk", f"Only {sentence}: make room.")
    return note("disk", f"Only {sentence}.") if free < FREE_BYTES_NOTE else ok("disk", f"{sentence}.")

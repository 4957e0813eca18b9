"""Checks of this machine: the settings and the disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings, unknown_variables

FREE_BYTES_WRONG = 200 * 1024**2
FREE_BYTES_NOTE = 2 * 1024**3
_GIB = 1024**3


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the settings and at the disk of the data folder."""
    yield from _settings(settings)
    yield _disk(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    for name in unknown_variables():
        yield wrong("settings", f"{name} is no setting: mend its spelling (docs/settings.md lists all) or unset it.")
    if settings.city_lat is None or settings.city_lon is None:
        yield wrong(
            "settings",
            "Where the city lies is not set, so sunset is unknown: set LAMPLIGHTER_CITY_LAT and LAMPLIGHTER_CITY_LON.",
        )
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

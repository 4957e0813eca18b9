"""Where backups lie: told apart by their names, and the oldest let go."""

import datetime as dt
import re
import time
from pathlib import Path

_NAME = re.compile(r"lamplighter-(\d{8}T\d{6}Z)\.tar")
_TIME = "%Y%m%dT%H%M%SZ"
_DRAFTS = ".lamplighter-*.tar-*"
"""What is being written, as `storage.whole_file` names it."""
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


def let_go(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups of a folder; returns those deleted. What killed ones have left goes, too."""
    gone = [path for _, path in all_in(folder)[keep:]]
    for path in gone:
        path.unlink(missing_ok=True)
    for draft in folder.glob(_DRAFTS):
        if time.time() - draft.stat().st_mtime > LEFT_BEHIND_S:
            draft.unlink(missing_ok=True)
    return gone

"""Check of the backups: whether the newest is of today."""

import datetime as dt

from lamplighter import backup_files
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings
from telemetry.clock import to_datetime

AGE_MAX = dt.timedelta(hours=36)
"""They are taken every night; one that failed is worth a word the next morning."""

HOURS_SAID_MAX = 72


def examine(settings: Settings) -> Finding:
    """Look into the folder that backups are written to."""
    folder = settings.backup_dir
    if folder is None:
        return note(
            "backup", "Nobody knows where backups lie: set LAMPLIGHTER_BACKUP_DIR and run `lamplighter backup`."
        )
    try:
        found = backup_files.all_in(folder)
    except OSError as error:
        return wrong(
            "backup", f"The folder of backups {folder} cannot be read ({error.strerror}): mend LAMPLIGHTER_BACKUP_DIR."
        )
    if not found:
        return wrong("backup", f"There is no backup in {folder}: run `lamplighter backup`.")
    made_at, path = found[0]
    age = to_datetime(real_now()) - made_at
    if age > AGE_MAX:
        hours = age / dt.timedelta(hours=1)
        old = f"{hours:.0f} hours" if hours < HOURS_SAID_MAX else f"{age.days} days"
        return wrong("backup", f"The newest backup, {path.name}, is {old} old: see why none was taken since.")
    return ok("backup", f"The newest backup is of {made_at:%Y-%m-%d %H:%M} UTC.")

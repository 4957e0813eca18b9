"""The unprivileged account that servers run as when Lamplighter runs as root, and what it may enter.

PostgreSQL refuses to run as root, and Mosquitto changes its user by itself, which would clear the signal
that ends it with us. So both are started as an account that the machine already has; none is created.
"""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lamplighter.errors import Failure

SYSTEM_HOME = Path("/var/lib/lamplighter")
"""Where root puts a server's files when the data folder lies where no other account may enter."""


@dataclass(frozen=True)
class Account:
    """An operating system account by its numbers."""

    name: str
    uid: int
    gid: int


def unprivileged_account(*preferred: str) -> Account | None:
    """The first of `preferred` (then `nobody`) that exists, if we are root.

    None means that we are no root: children simply run as ourselves.
    """
    if os.geteuid() != 0:
        return None
    for name in (*preferred, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Failure(
        "Lamplighter runs as root and finds no unprivileged account to run its servers as: "
        "start it as an ordinary user."
    )


def may_enter(account: Account, folder: Path) -> bool:
    """True if `account` may pass through `folder` and every folder above it."""
    folder = folder.resolve()
    return all(_may_pass(account, step.stat()) for step in (folder, *folder.parents))


def _may_pass(account: Account, status: os.stat_result) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def data_folder(folder: Path) -> Path:
    """Make `folder` ready to hold our data and return it resolved.

    A folder that we create, or find empty, becomes ours: as root it is opened for passing through (0711), so
    that a server's account reaches its own part. A folder with something in it keeps its permissions.

    Raises:
        Failure: the folder cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and not any(folder.iterdir()):
            folder.chmod(0o711)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Failure(
            f"The data folder {folder} cannot be written ({error.strerror}): name another one with --data, "
            "or change its permissions."
        ) from error
    return folder.resolve()


def server_folder(home: Path, name: str, account: Account | None) -> Path:
    """The private folder (0700) `home/name` of one server, owned by `account`.

    If `account` may not enter `home` (as below a closed `/root`), no permission is opened: the folder is made
    below `/var/lib/lamplighter`, and `home/name` is a link to it.
    """
    folder = home / name
    if account is None:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    if folder.is_symlink():
        folder.resolve().mkdir(mode=0o700, parents=True, exist_ok=True)
    elif may_enter(account, home):
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        SYSTEM_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.symlink_to(tempfile.mkdtemp(prefix=f"{name}-", dir=SYSTEM_HOME))
    folder = folder.resolve()
    os.chown(folder, account.uid, account.gid)
    return folder


def write_private(path: Path, text: str, account: Account | None) -> None:
    """Write `text` to `path` so that only its owner (`account`, or ourselves) may read it."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(text)

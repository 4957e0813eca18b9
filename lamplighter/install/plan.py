"""A plan of files and commands, shown as text or carried out; carrying it out twice changes nothing more."""

import grp
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway import credentials_file
from lamplighter.errors import Failure

Say = Callable[[str], None]
_PASSWORD = re.compile(r"(?<= PASSWORD )'[^']*'")
_DRAWN = "'(drawn when it is run)'"


@dataclass(frozen=True)
class File:
    """A file by its path on the machine that it is for.

    A `secret` is never shown. What is to be `kept` is not replaced where it is there. `group` may read what `mode` lets
    it read; the owner is root.
    """

    path: Path
    text: str
    mode: int = 0o644
    group: str = "root"
    is_secret: bool = False
    is_kept: bool = False


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and what it is for. `{root}` in an argument stands for the other root, if any.

    What `made` names is given its mode and group afterwards. It is left out where `is_done` says so, and where
    `goes_elsewhere` is false and the plan is carried out below another root.
    """

    arguments: tuple[str, ...]
    meaning: str
    stdin: str = ""
    made: tuple[tuple[Path, int, str], ...] = ()
    is_done: Callable[[Path], bool] = field(default=lambda root: False)
    goes_elsewhere: bool = False

    def spelled(self, root: Path) -> list[str]:
        """The command line for a machine whose root is `root`."""
        return [argument.replace("{root}", "" if root == Path("/") else str(root)) for argument in self.arguments]


Step = File | Command


def show(steps: list[Step]) -> Iterator[str]:
    """All that would be written and run, as text for people; secrets are named, not shown."""
    for step in steps:
        if isinstance(step, File):
            kept = ", kept if it is there" if step.is_kept else ""
            yield f"--- write {step.path} ({step.mode:04o} root:{step.group}{kept})"
            yield "(a secret, drawn when it is written)" if step.is_secret else step.text.rstrip("\n")
        else:
            yield f"--- run, {step.meaning}"
            said = f" <<'END'\n{_PASSWORD.sub(_DRAWN, step.stdin)}END" if step.stdin else ""
            yield shlex.join(step.spelled(Path("/"))) + said
        yield ""


def carry_out(steps: list[Step], root: Path, say: Say) -> None:
    """Write and run, below `root`; says of each step what became of it.

    Raises:
        Failure: a file cannot be written, or a command failed; what was done before stays, and may be done again.
    """
    for step in steps:
        try:
            if isinstance(step, File):
                say(f"{_write(step, root)} {step.path}")
            else:
                say(f"{_run(step, root)}: {step.meaning}")
        except OSError as error:
            raise Failure(f"{error.filename or 'A file'} cannot be written ({error.strerror}).") from error


def below(root: Path, path: Path) -> Path:
    """Where `path` lies when `root` is the machine's root."""
    return root / path.relative_to("/")


def _write(file: File, root: Path) -> str:
    path = below(root, file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.exists()
    if there and (file.is_kept or path.read_text(encoding="utf-8") == file.text):
        return "kept"
    credentials_file.replace(path, file.text)
    _permit(path, file.mode, file.group, root)
    return "replaced" if there else "wrote"


def _run(command: Command, root: Path) -> str:
    elsewhere = root != Path("/")
    if command.is_done(root):
        return "done before"
    if elsewhere and not command.goes_elsewhere:
        return "left to the machine itself"
    for path, _, _ in command.made:
        below(root, path).parent.mkdir(parents=True, exist_ok=True)
    arguments = command.spelled(root)
    old = os.umask(0o077)
    try:
        done = subprocess.run(arguments, input=command.stdin, capture_output=True, text=True, check=False)
    finally:
        os.umask(old)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Failure(
            f"{command.meaning[0].upper()}{command.meaning[1:]} failed: `{shlex.join(arguments)}` says "
            f"{words[-1] if words else 'nothing'!r}. Mend that and run it again: what is done is not done twice."
        )
    for path, mode, group in command.made:
        _permit(below(root, path), mode, group, root)
    return "ran"


def _permit(path: Path, mode: int, group: str, root: Path) -> None:
    """Owner root, if we are root, and the group by its number below `root`."""
    if os.geteuid() == 0:
        os.chown(path, 0, _group_number(group, root))
    path.chmod(mode)


def _group_number(group: str, root: Path) -> int:
    """Raises `Failure`: there is no such group."""
    with suppress(OSError):
        for line in below(root, Path("/etc/group")).read_text(encoding="utf-8").splitlines():
            name, _, number = line.split(":")[:3]
            if name == group:
                return int(number)
    if root == Path("/"):
        with suppress(KeyError):
            return grp.getgrnam(group).gr_gid
    if group == "root":
        return 0
    raise Failure(f"There is no group {group}: install the package that makes it, and run this again.")

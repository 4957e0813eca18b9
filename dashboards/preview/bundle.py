"""The browser side, made at first use: Grafana's UI library from npm, bundled with ours by esbuild, kept in a cache.

Nothing of it is installed beside the code.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

WEB = Path(__file__).parent / "web"
LOCKED = ("package.json", "package-lock.json")
FILES = ("preview.js", "preview.css")
_INSTALL_S_MAX = 900
_BUNDLE_S_MAX = 300


class CannotBundle(Exception):
    """The browser side cannot be made; the sentence says why, and the mend."""


def bundle() -> Path:
    """The folder with `FILES`, made where the cache does not have it yet.

    Raises:
        CannotBundle: node or npm is missing, or one of them fails.
    """
    made = place()
    if is_made():
        return made
    node, npm = _program("node"), _program("npm")
    workshop = made.parent
    workshop.mkdir(parents=True, exist_ok=True)
    if not (workshop / "node_modules" / ".package-lock.json").exists():
        for name in LOCKED:
            shutil.copy(WEB / name, workshop)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], workshop, _INSTALL_S_MAX)
    shutil.copytree(WEB, workshop, dirs_exist_ok=True)
    _run([node, "build.mjs", str(made)], workshop, _BUNDLE_S_MAX)
    return made


def is_made() -> bool:
    """Whether the cache has it, so that no network is needed."""
    return all((place() / name).exists() for name in FILES)


def shrink(pictures: Iterable[Path]) -> None:
    """Give pictures a palette of 256 colours, in their place.

    Raises:
        CannotBundle: node fails.
    """
    _run([_program("node"), "shrink.mjs", *(str(each.resolve()) for each in pictures)], place().parent, _BUNDLE_S_MAX)


def place() -> Path:
    """Where the bundle of just these sources lies in the cache, in the folder with the modules that it is made of."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    modules = _digest(*(WEB / name for name in LOCKED))
    sources = _digest(*sorted(WEB.glob("*.mjs")), *sorted((WEB / "src").iterdir()))
    return Path(base) / "lamplighter" / "preview" / modules / f"bundle-{sources}"


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotBundle(
            f"The program {name} is missing: the preview needs Node.js with npm, version 20 or later (https://nodejs.org)."
        )
    return found


def _run(command: Sequence[str], folder: Path, seconds_max: float) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds_max, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBundle(f"{Path(command[0]).name} does not finish its work: {error}.") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = [line for line in said if "error" in line.lower()] or said
        detail = "; ".join(told[:2]) or f"exit code {done.returncode}"
        raise CannotBundle(f"{Path(command[0]).name} {command[1]} failed in {folder}: {detail}")

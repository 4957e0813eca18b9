"""The browser side, made at first use: Grafana's UI library from npm, bundled with ours by esbuild, kept in a cache."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
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
    place = _cache() / f"modules-{_digest(*(WEB / name for name in LOCKED))}"
    made = place / f"bundle-{_digest(WEB / 'build.mjs', *sorted((WEB / 'src').iterdir()))}"
    if all((made / name).exists() for name in FILES):
        return made
    node, npm = _program("node"), _program("npm")
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "node_modules" / ".package-lock.json").exists():
        for name in LOCKED:
            shutil.copy(WEB / name, place)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], place, _INSTALL_S_MAX)
    shutil.rmtree(place / "src", ignore_errors=True)
    shutil.copytree(WEB / "src", place / "src")
    shutil.copy(WEB / "build.mjs", place)
    _run([node, "build.mjs", str(made)], place, _BUNDLE_S_MAX)
    return made


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lamplighter" / "preview"


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
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        detail = "; ".join(said[:3]) or f"exit code {done.returncode}"
        raise CannotBundle(f"{Path(command[0]).name} {command[1]} failed in {folder}: {detail}")

"""What contenders need that is not ours: compiled or installed into `build/bench`, once, in pinned versions.

What cannot be had is named in one line each, and the comparisons that need it are left out.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import ROOT

PEERS = Path(__file__).parent / "peers"
HOME = ROOT / "build" / "bench"
INSTALL_S = 600


@dataclass
class Parts:
    """Where parts are, `None` for those that are not; `left_out` says why."""

    subscriber: Path | None = None
    node_modules: Path | None = None
    bridge: Path | None = None
    left_out: list[str] = field(default_factory=list)


def gather() -> Parts:
    """Make or install everything that can be had."""
    HOME.mkdir(parents=True, exist_ok=True)
    parts = Parts()
    for name, make, loss in (
        ("subscriber", _subscriber, "the bare C subscriber (figure 1)"),
        ("node_modules", _node_modules, "Node-RED and mqtt.js (figures 2 and 3)"),
        ("bridge", _bridge, "mq-bridge (figure 2)"),
    ):
        try:
            setattr(parts, name, make())
        except _Missing as missing:
            parts.left_out.append(f"Left out: {loss}, because {missing}.")
    return parts


class _Missing(Exception):
    """A part cannot be had; the message completes "because …"."""


def _subscriber() -> Path:
    """The C subscriber, compiled."""
    if shutil.which("gcc") is None:
        raise _Missing("gcc is not installed (apt install gcc libmosquitto-dev)")
    source, program = PEERS / "subscriber.c", HOME / "subscriber"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source), "-lmosquitto"]
        _run(command, HOME, "it does not compile (apt install libmosquitto-dev)")
    return program


def _node_modules() -> Path:
    """Node-RED, mqtt.js and pg, as the lock file has them."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise _Missing(f"{program} is not installed (apt install nodejs npm)")
    folder = HOME / "node"

    def install() -> None:
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _run(command, folder, "npm cannot install them")

    _once(folder / "installed", PEERS / "package-lock.json", install)
    return folder / "node_modules"


def _bridge() -> Path:
    """A folder with mq-bridge beside our own packages, so that they stay as they are."""
    folder, wanted = HOME / "bridge", PEERS / "requirements.txt"

    def install() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary", ":all:", "--target", str(folder), "--requirement", str(wanted)]
        _run(command, HOME, "pip cannot install it")

    _once(folder / "installed", wanted, install)
    return folder


def _once(mark: Path, wanted: Path, install: Callable[[], None]) -> None:
    """Install unless the mark bears the digest of what is wanted."""
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        print(f"Installing what {wanted.name} names into {mark.parent.relative_to(ROOT)} …", file=sys.stderr)
        install()
        mark.write_text(digest)


def _run(command: list[str], folder: Path, otherwise: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise _Missing(otherwise) from error

"""A process that a benchmark starts: waits for what it says, weighs it, and ends it with all its children.

Its output goes to a file, so that reading it costs the race nothing. It dies with us, whatever becomes of us.
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
LOOK_S = 0.02
"""So often a process is asked whether it has said what is waited for."""
STOP_GRACE_S = 8.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A benchmark cannot go on; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What processes have used since they began: seconds of CPU, and the most memory they ever held together."""

    cpu_s: float
    peak_bytes: int

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(self.cpu_s + other.cpu_s, self.peak_bytes + other.peak_bytes)


class Running:
    """A process that `running` has started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, output: Path) -> None:
        self.name, self._process, self._output = name, process, output

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def says(self, words: str, timeout_s: float) -> str:
        """The first line with these words, as soon as it is whole.

        Raises:
            Failed: it does not say so in time, or ends before.
        """
        until_s = time.monotonic() + timeout_s
        while True:
            over = self._process.returncode is not None
            text = self._output.read_text(encoding="utf-8", errors="replace")
            for line in text.splitlines(keepends=True):
                if words in line and line.endswith("\n"):
                    return line.strip()
            if over or time.monotonic() > until_s:
                last = (text.strip().splitlines() or ["it said nothing"])[-1][:300]
                what = "ended" if over else f"did not say {words!r} within {timeout_s:.0f} s"
                raise Failed(f"{self.name} {what}; its last words: {last}")
            await asyncio.sleep(LOOK_S)

    async def ends(self, timeout_s: float) -> str:
        """All that it has said, once it has ended by itself.

        Raises:
            Failed: it does not end in time.
        """
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            raise Failed(f"{self.name} did not end within {timeout_s:.0f} s") from None
        return self._output.read_text(encoding="utf-8", errors="replace")

    def weigh(self) -> Weight:
        """It and its children, as of now."""
        return weigh(self.pid)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def stop(self, first: signal.Signals = signal.SIGTERM) -> None:
        """End it, and whatever it has started."""
        for number, patience_s in ((first, STOP_GRACE_S), (signal.SIGKILL, None)):
            if self._process.returncode is not None:
                break
            self.send(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


@asynccontextmanager
async def running(
    name: str, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run a command until the block ends; `folder` takes its output, `environment` is added to ours.

    Raises:
        Failed: it cannot be started.
    """
    parent = os.getpid()

    def die_with_us() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(1)

    output = folder / f"{name.replace(' ', '-')}-{time.monotonic_ns()}.log"
    with output.open("wb") as file:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env={**_clean_environment(), **(environment or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_us,
            )
        except OSError as error:
            raise Failed(f"{name} cannot be started ({error}).") from error
    one = Running(name, process, output)
    try:
        yield one
    finally:
        await asyncio.shield(one.stop())


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]


def weigh(pid: int) -> Weight:
    """A process and its living children, with what its children that have ended used."""
    total = Weight(0.0, 0)
    with suppress(psutil.NoSuchProcess):
        head = psutil.Process(pid)
        total += Weight(_cpu_s(pid) + _ended_children_s(head), _peak_bytes(pid))
        for child in head.children(recursive=True):
            total += Weight(_cpu_s(child.pid), _peak_bytes(child.pid))
    return total


def _cpu_s(pid: int) -> float:
    """By the kernel's own clock of the process, to the nanosecond; `/proc` counts in hundredths of a second."""
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def _ended_children_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.children_user + used.children_system)


def _peak_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _clean_environment() -> dict[str, str]:
    """Ours without settings of Lamplighter's, which would change what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAMPLIGHTER_")}

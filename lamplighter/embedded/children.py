"""A server as our child process: in a session of its own, and never outliving us.

Its own session keeps Ctrl-C from reaching it before us, so that we stop it in order. The parent-death signal
(Linux) ends it even when we are killed outright. Its output goes line by line into our log.
"""

import asyncio
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from lamplighter.embedded.accounts import Account
from lamplighter.errors import Failure

_log = structlog.get_logger(__name__)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork it is too late
_PR_SET_PDEATHSIG = 1

LAST_LINES = 20
"""How many lines of a child's output are kept to explain its death."""
LINE_LENGTH_MAX = 8_192
"""Bytes of one line of output that reach the log; the rest of such a line is cut off."""
_GRAVE = re.compile(r"\b(PANIC|FATAL|Error):")
"""What PostgreSQL and Mosquitto begin the line with that says why they end, while the last one may say only that."""


class ChildDied(Failure):
    """A child process ended though nobody asked it to. The message names it and its last words."""


class Child:
    """A running child process, made by `start`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._pump = asyncio.create_task(self._pump_output(), name=f"output of {name}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """True until the process has ended and been collected."""
        return self.process.returncode is None

    async def must_live(self) -> None:
        """Wait for the process to end, which is always an error here.

        Raises:
            ChildDied: always, once the process has ended.
        """
        code = await self.process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._pump), timeout=1)
        raise ChildDied(self._obituary(code))

    async def stop(self, stop_signal: signal.Signals, grace_s: float, harder: signal.Signals) -> None:
        """End the process: `stop_signal`, after `grace_s` seconds `harder`, after 5 s more a kill."""
        for step, patience_s in ((stop_signal, grace_s), (harder, 5.0), (signal.SIGKILL, None)):
            if not self.running:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, step)  # the process's own way looks first, and may take its code from who waits
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience_s)
        await self._pump
        _log.info("child ended", child=self.name, code=self.process.returncode)

    def _obituary(self, code: int) -> str:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        words = [line for line in self.last_lines if _GRAVE.search(line)] or self.last_lines
        return f"The {self.name} {how}" + (f"; its last words: {words[-1]}" if words else "")

    async def _pump_output(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        while chunk := await self.process.stdout.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[:LINE_LENGTH_MAX]
            for line in lines:
                self._hear(line)
        if rest:
            self._hear(rest)

    def _hear(self, line: bytes) -> None:
        text = line[:LINE_LENGTH_MAX].decode(errors="replace").rstrip()
        if text:
            self.last_lines.append(text)
            _log.debug(text, child=self.name)


async def start(
    name: str,
    command: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start `command` as a supervised child.

    Args:
        name: what it is called in the log and in an error's sentence, such as "broker".
        command: program and arguments.
        cwd: the folder it runs in.
        account: whom it runs as; None means as ourselves.
        environment: all of its environment; None means a minimal one.
        death_signal: what the kernel sends it when we die without stopping it (Linux).

    Raises:
        Failure: the program cannot be executed.
    """
    parent = os.getpid()

    def become_child() -> None:
        if account is not None:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        if _libc is not None:  # after the change of user, which would clear it
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # we died before the signal was armed
                os._exit(1)

    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=minimal_environment() if environment is None else environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=become_child,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"The {name} cannot be started ({command[0]}: {error}).") from error
    _log.debug("child started", child=name, pid=process.pid)
    return Child(name, process)


def minimal_environment() -> dict[str, str]:
    """What a server needs of our environment: where programs are, and a clock in UTC."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC"}

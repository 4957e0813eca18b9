"""A `lamplighter` process as an operator runs it: with settings, a log, and an end by signal."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import psutil

from lamplighter.embedded.accounts import may_enter, unprivileged_account

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


class Runner:
    """Which Python runs a service, and as whom: this one as ourselves."""

    def __init__(self) -> None:
        self.python = sys.executable
        self.environment: dict[str, str] = {}
        self.who: dict[str, Any] = {}

    @classmethod
    def ordinary(cls) -> "Runner | None":
        """An ordinary user, also where the tests are root's; `None` where no Python is open to one."""
        runner = cls()
        account = unprivileged_account()
        if account is None:
            return runner
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for python in (os.path.realpath(sys.executable), shutil.which(version, path="/usr/bin:/usr/local/bin")):
            if python and may_enter(account, Path(python).parent) and may_enter(account, ROOT):
                runner.python = python
                runner.environment = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
                runner.who = {"user": account.uid, "group": account.gid, "extra_groups": []}
                return runner
        return None


class Service:
    """One `lamplighter` process; what it keeps of its own lies beside its log, apart from other tests' processes."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str, runner: "Runner | None" = None) -> None:
        self._log = log
        runner = runner or Runner()
        own = {"LAMPLIGHTER_DATA_DIR": str(log.parent / "data"), "LAMPLIGHTER_LOG_FORMAT": "json"}
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [runner.python, "-m", "lamplighter", *arguments],
                cwd=ROOT,
                env={**os.environ, **runner.environment, **own, **environment},
                stdout=out,
                stderr=out,
                **runner.who,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def tree(self) -> list[psutil.Process]:
        """The process and all that it has started."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    @property
    def addresses_heard(self) -> set[str]:
        """The addresses on which it listens: TCP and UDP, with all that it has started."""
        sockets = (each for process in self.tree for each in process.net_connections("inet"))
        return {
            each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN or each.type == socket.SOCK_DGRAM
        }

    def until(self, word: str) -> None:
        """Wait until the log has a word."""
        deadline = time.monotonic() + SECONDS
        while word not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

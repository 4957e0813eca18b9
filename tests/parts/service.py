"""A `lamplighter` process as an operator runs it: with settings, a log, and an end by signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


class Service:
    """One `lamplighter` process."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str) -> None:
        self._log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lamplighter", *arguments],
                cwd=ROOT,
                env={**os.environ, **environment, "LAMPLIGHTER_LOG_FORMAT": "json"},
                stdout=out,
                stderr=out,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

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

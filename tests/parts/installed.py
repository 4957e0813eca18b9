"""A Mosquitto as `lamplighter install` configures it: on ports and in a folder of the test, else nothing is changed."""

import re
import subprocess
import time
from pathlib import Path

from bus import users
from lamplighter.embedded import ports
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.install import town, units
from tests.parts.service import SECONDS


class InstalledBroker:
    """Runs from its making until `stop`. `log` is what it says, each subscription and message included.

    `port` is that of the services' door, `url` the way of the platform's own user, by a socket.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        """`root`: below which a town was installed; `folder`: where its messages go, and its log."""
        program = mosquitto_program()
        assert program is not None
        self.host, self.port = ports.LOOPBACK, ports.free_port()
        self._secrets = root / units.SECRETS.relative_to("/")
        self._socket, self._log = folder / "door", folder / "mosquitto.log"
        text = (root / town.BROKER.relative_to("/") / "mosquitto.conf").read_text()
        for before, after in (
            (str(town.PLATFORM_DOOR), str(self._socket)),
            (" /etc/", f" {root}/etc/"),
            ("/var/lib/mosquitto", str(folder)),
            ("listener 1883", f"listener {self.port}"),
        ):
            assert before in text, before
            text = text.replace(before, after)
        said = "log_type information\nlog_type debug\nlog_type subscribe\n"
        (folder / "mosquitto.conf").write_text(f"user root\n{text}{said}")
        with self._log.open("w") as out:
            self.process = subprocess.Popen([program, "-c", folder / "mosquitto.conf"], stdout=out, stderr=out)
        deadline = time.monotonic() + SECONDS
        while " running\n" not in self.log:  # said when all of its doors are open
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def url(self) -> str:
        return self._url("mqtt_url").replace(str(town.PLATFORM_DOOR), str(self._socket))

    def url_of(self, service: str) -> str:
        return self._url(f"{service}_mqtt_url").replace(":1883", f":{self.port}")

    @property
    def passwords(self) -> set[str]:
        """Of the platform's user and of all services."""
        urls = [self.url, *map(self.url_of, users.SESSIONS)]
        return {url.split(":")[2].split("@")[0] for url in urls}

    def subscriptions(self) -> set[tuple[str, str]]:
        """Who has subscribed to what."""
        return set(re.findall(r"^\d+: (\S+) 1 (\S.*)$", self.log, re.MULTILINE))

    def written(self) -> set[tuple[str, str]]:
        """Who has published on which topic."""
        return set(re.findall(r"Received PUBLISH from (\S+) \(.*?'(.*?)'", self.log))

    def heard(self) -> set[tuple[str, str]]:
        """Who was sent something of which topic."""
        return set(re.findall(r"Sending PUBLISH to (\S+) \(.*?'(.*?)'", self.log))

    def denied(self) -> list[str]:
        """What was refused, as the broker says it."""
        return [line for line in self.log.splitlines() if "Denied" in line or "not authorised" in line]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _url(self, name: str) -> str:
        return (self._secrets / name).read_text().strip()

"""systemd hears that a service is up, that it lives, and that it ends."""

import asyncio
import socket
from pathlib import Path

from lamplighter import systemd


async def test_a_watched_service_says_that_it_is_up_lives_and_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(5)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "20000"}
        async with systemd.watched(environment):
            await asyncio.sleep(0.05)
        heard = [ear.recv(100).decode()]
        while heard[-1] != "STOPPING=1":
            heard.append(ear.recv(100).decode())
    assert heard[0] == "READY=1"
    assert heard.count("WATCHDOG=1") >= 2


async def test_where_nobody_listens_nothing_is_said() -> None:
    async with systemd.watched({}):
        pass
    systemd.tell("READY=1", {"NOTIFY_SOCKET": "/nowhere"})

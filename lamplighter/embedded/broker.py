"""The embedded MQTT broker: Mosquitto where the machine has it, else the weaker one of the package `iotcore`."""

import asyncio
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from gateway import broker_rules
from lamplighter.embedded import children, handshake, ports
from lamplighter.embedded.accounts import Account, server_folder, unprivileged_account, write_private
from lamplighter.errors import Failure
from telemetry import limits

_log = structlog.get_logger(__name__)

Software = Literal["mosquitto", "iotcore"]

PLATFORM_USER = "platform"
"""The broker's user who may do everything; devices are users by their own ids."""
START_TIMEOUT_S = 20.0
STOP_GRACE_S = 10.0
"""Mosquitto writes its snapshot while it stops."""
SOCKET_PATH_BYTES_MAX = 100
"""A Unix socket's path has little room (108 bytes on Linux, 104 elsewhere); a longer one is done without."""
MISSING_IN_IOTCORE = (
    "this embedded broker keeps nothing over a restart, speaks MQTT 3.1.1 only and does not confine a device to its "
    "own topics; install Mosquitto for all three"
)


@dataclass(frozen=True)
class RunningBroker:
    """A broker that has answered a CONNECT. `url` carries the credentials of the platform's user.

    `socket_url` is the same by a Unix socket, `None` where there is none.
    `missing` is one sentence on what this broker does not promise; None where it keeps the whole contract.
    """

    url: str
    socket_url: str | None
    host: str
    port: int
    software: Software
    missing: str | None
    child: children.Child


def mosquitto_program() -> Path | None:
    """Mosquitto on the search path, or where Debian and others put it off an ordinary user's path."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    return Path(found) if found else None


@asynccontextmanager
async def embedded_broker(
    home: Path,
    *,
    port: int | None = None,
    software: Software | None = None,
    devices: Mapping[str, str] | None = None,
) -> AsyncIterator[RunningBroker]:
    """Run a broker with its files in `home/broker` until the context ends.

    Args:
        home: a data folder, as `accounts.data_folder` returns it.
        port: the port on 127.0.0.1; None picks a free one.
        software: which one; None takes the best that is there.
        devices: device ids with their passwords, who may log in beside the platform's user.

    Raises:
        Failure: it cannot be started, or answers no CONNECT in time.
    """
    program = mosquitto_program()
    software = software or ("mosquitto" if program else "iotcore")
    account = await asyncio.to_thread(unprivileged_account, "mosquitto")
    folder = await asyncio.to_thread(server_folder, home, "broker", account if software == "mosquitto" else None)
    port = port or ports.free_port()
    by_user = {PLATFORM_USER: _password(folder), **(devices or {})}
    socket = None
    if software == "mosquitto":
        if program is None:
            raise Failure("Mosquitto is not installed: install it (on Debian: apt install mosquitto).")
        socket = folder / "mosquitto.sock"
        socket = socket if len(bytes(socket)) <= SOCKET_PATH_BYTES_MAX else None
        child = await _start_mosquitto(program, folder, account, port, by_user, socket)
    else:
        child = await _start_iotcore(folder, port, by_user)
    login = f"{PLATFORM_USER}:{by_user[PLATFORM_USER]}"
    url = f"mqtt://{login}@{ports.LOOPBACK}:{port}"
    socket_url = f"mqtt+unix://{login}@{socket}" if socket else None
    missing = None if software == "mosquitto" else MISSING_IN_IOTCORE
    try:
        await _wait_until_it_answers(child, url)
        _log.info("broker ready", software=software, pid=child.pid, port=port, folder=str(folder))
        yield RunningBroker(url, socket_url, ports.LOOPBACK, port, software, missing, child)
    finally:
        await asyncio.shield(child.stop(signal.SIGTERM, STOP_GRACE_S, signal.SIGKILL))


def _password(folder: Path) -> str:
    """The platform user's password: drawn once, kept, so that sessions outlive a restart."""
    path = folder / "password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(18), None)
    return path.read_text(encoding="utf-8")


async def _start_mosquitto(
    program: Path,
    folder: Path,
    account: Account | None,
    port: int,
    by_user: Mapping[str, str],
    socket: Path | None,
) -> children.Child:
    files = broker_rules.BrokerFiles(
        access_list=folder / "access.txt", passwords=folder / "passwords.txt", persistence=folder, socket=socket
    )
    write_private(files.access_list, broker_rules.access_list(PLATFORM_USER), account)
    write_private(files.passwords, broker_rules.passwords(by_user), account)
    configuration = folder / "mosquitto.conf"
    write_private(configuration, broker_rules.configuration(files, port), account)
    return await children.start("broker", [program, "-c", configuration], cwd=folder, account=account)


async def _start_iotcore(folder: Path, port: int, by_user: Mapping[str, str]) -> children.Child:
    configuration = folder / "iotcore.toml"
    write_private(configuration, _iotcore_configuration(port, by_user), None)
    options: list[str | Path] = ["--config", configuration, "--log-level", "CRITICAL"]
    return await children.start("broker", [sys.executable, "-P", "-m", "iotcore", *options], cwd=folder)


def _iotcore_configuration(port: int, by_user: Mapping[str, str]) -> str:
    """rumqttd's TOML: one MQTT 3.1.1 listener (its MQTT 5 one can die under churn while the port stays open)."""
    users = "\n".join(f'"{user}" = "{password}"' for user, password in by_user.items())
    return f"""\
id = 0
[router]
id = 0
max_connections = 5000
max_outgoing_packet_count = 200
max_segment_size = {limits.PACKET_BYTES_MAX}
max_segment_count = 100
[v4.1]
name = "v4"
listen = "{ports.LOOPBACK}:{port}"
next_connection_delay_ms = 0
[v4.1.connections]
connection_timeout_ms = 5000
max_payload_size = {limits.PACKET_BYTES_MAX}
max_inflight_count = 100
[v4.1.connections.auth]
{users}
"""


async def _wait_until_it_answers(child: children.Child, url: str) -> None:
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while True:
        try:
            await handshake.shake_hands(url)
            return
        except (OSError, TimeoutError, handshake.Refused) as error:
            if not child.running:
                await child.must_live()
            if asyncio.get_running_loop().time() > deadline:
                raise Failure(f"The broker does not let us in after {START_TIMEOUT_S:.0f} s: {error}.") from error
            await asyncio.sleep(0.03)

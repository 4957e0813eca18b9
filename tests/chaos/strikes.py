"""What each fault does to a town: one coroutine a field of `Faults`, under its name."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psycopg

from bus import packets
from bus.address import Address, parse_address
from telemetry import topics
from telemetry.limits import PACKET_BYTES_MAX
from tests.chaos import uplinks
from tests.chaos.town import Ingest, Town
from tests.parts.wire import Wire

COMMIT_S_MAX = 30.0
"""A commit that is waited for must come within this time, under load."""
SILENCE_S_MAX = 120.0
RECORDING_ROWS = 600
RECORDING_S = 3.0


class Unprovoked(Exception):
    """A fault could not be brought about, so that nothing is proved."""


class Strikes:
    """Strikes at one town; `chance` draws when and whom. `played` counts what replays have brought to the broker."""

    def __init__(self, town: Town, chance: random.Random) -> None:
        self._town, self._chance = town, chance
        self.played = 0
        self._recordings: list[asyncio.Task[None]] = []

    async def strike(self, fault: str) -> None:
        """Let the fault of this name happen, and be over."""
        strikes: dict[str, Callable[[], Awaitable[None]]] = {
            "ingest_killed": self._ingest_killed,
            "ingest_killed_before_commit": lambda: self._ingest_killed_at_commit("before"),
            "ingest_killed_after_commit": lambda: self._ingest_killed_at_commit("after"),
            "ingest_restarted": self._ingest_restarted,
            "ingest_frozen": self._ingest_frozen,
            "database_killed": self._database_killed,
            "database_killed_at_commit": self._database_killed_at_commit,
            "database_restarted": self._database_restarted,
            "primary_lost": self._primary_lost,
            "database_slow": self._database_slow,
            "database_disk_full": self._database_disk_full,
            "broker_restarted": self._broker_restarted,
            "broker_killed": self._broker_killed,
            "broker_cut": lambda: self._cut(self._broker_wire),
            "broker_stalled": lambda: self._stalled(self._broker_wire),
            "broker_silent": lambda: self._silent(self._broker_wire),
            "database_cut": lambda: self._cut(self._database_wire),
            "database_stalled": lambda: self._stalled(self._database_wire),
            "database_silent": lambda: self._silent(self._database_wire),
            "commits_in_doubt": self._commit_in_doubt,
            "oversized_packets": self._oversized_packet,
            "quarantine_replayed": self.replay_quarantine,
            "recordings_replayed": self._recording_replayed,
        }
        await strikes[fault]()

    async def over(self) -> None:
        """Wait for what still goes on beside."""
        await asyncio.gather(*self._recordings)

    @property
    def _broker_wire(self) -> Wire:
        assert self._town.broker_wire
        return self._town.broker_wire

    @property
    def _database_wire(self) -> Wire:
        assert self._town.database_wire
        return self._town.database_wire

    async def _pause(self, least_s: float, most_s: float) -> None:
        await asyncio.sleep(self._chance.uniform(least_s, most_s))

    def _any_ingest(self) -> Ingest:
        return self._chance.choice(self._town.ingests)

    async def _ingest_killed(self) -> None:
        ingest = self._any_ingest()
        ingest.strike()
        await ingest.gone()
        await self._pause(0, 0.5)
        await ingest.start()

    async def _ingest_killed_at_commit(self, side: Literal["before", "after"]) -> None:
        wire, struck = self._database_wire, asyncio.Event()

        def strike() -> None:
            for ingest in self._town.ingests:
                ingest.strike()
            struck.set()

        wire.commit_side, wire.at_commit = side, strike
        await _within(struck, COMMIT_S_MAX, "no commit came by")
        for ingest in self._town.ingests:
            await ingest.gone()
            await ingest.start()

    async def _commit_in_doubt(self) -> None:
        wire, struck = self._database_wire, asyncio.Event()
        wire.commit_side, wire.at_commit = "after", struck.set
        await _within(struck, COMMIT_S_MAX, "no commit came by")

    async def _ingest_restarted(self) -> None:
        ingest = self._any_ingest()
        await ingest.stop()
        await ingest.start()

    async def _ingest_frozen(self) -> None:
        ingest = self._any_ingest()
        ingest.freeze(True)
        await self._pause(2, 4)
        ingest.freeze(False)

    async def _database_killed(self) -> None:
        await self._town.database.kill()
        await self._pause(0, 1)
        await self._town.database.start()

    async def _database_killed_at_commit(self) -> None:
        wire, struck = self._database_wire, asyncio.Event()

        def strike() -> None:
            os.kill(self._town.database.running.child.pid, signal.SIGKILL)
            struck.set()

        wire.commit_side, wire.at_commit = "before", strike
        await _within(struck, COMMIT_S_MAX, "no commit came by")
        await self._town.database.kill()
        await self._town.database.start()

    async def _database_restarted(self) -> None:
        await self._town.database.stop()
        await self._pause(0, 2)
        await self._town.database.start()

    async def _primary_lost(self) -> None:
        await self._town.database.kill()
        await self._pause(0, 1)
        await self._town.promote()

    async def _database_slow(self) -> None:
        self._database_wire.delay_s = 0.3
        await self._pause(3, 5)
        self._database_wire.delay_s = 0.0

    async def _database_disk_full(self) -> None:
        """Fill it, wait for trouble, wait longer, free it; the server may have died of it, and is started as ever."""
        database, ballast = self._town.database, self._town.home / "db" / "ballast"
        fill(ballast)
        try:
            await self._until(lambda: not database.alive or self._stored_nothing_lately(), 60, "the disk is not full")
            await self._pause(2, 4)
        finally:
            ballast.unlink()
        if not database.alive:
            await database.stop()
            await database.start()

    def _stored_nothing_lately(self) -> bool:
        return any("does not store" in line for ingest in self._town.ingests for line in ingest.last_lines)

    async def _until(self, so: Callable[[], bool], seconds: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not so():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Unprovoked(otherwise) from None

    async def _broker_restarted(self) -> None:
        await self._town.broker.stop()
        await self._pause(0, 1)
        await self._town.broker.start()

    async def _broker_killed(self) -> None:
        await self._town.broker.kill()
        await self._pause(0, 1)
        await self._town.broker.start()

    async def _cut(self, wire: Wire) -> None:
        wire.shut()
        await self._pause(0, 1.5)
        wire.open()

    async def _stalled(self, wire: Wire) -> None:
        wire.stall()
        await self._pause(2, 5)
        wire.flow()

    async def _silent(self, wire: Wire) -> None:
        """Until ingest has given the old connections up and made new ones."""
        wire.fall_silent()
        made = wire.connections
        await self._until(lambda: wire.connections > made, SILENCE_S_MAX, "nobody noticed the silence")

    async def _oversized_packet(self) -> None:
        """By a device of its own, since the broker hangs up on it."""
        await asyncio.to_thread(_send_oversized, parse_address(self._town.mqtt_url))

    async def replay_quarantine(self) -> None:
        """Strangers are registered (anew is no harm), ingest hears of it, and theirs is replayed."""
        file = self._town.home / "strangers.csv"
        file.write_text(uplinks.strangers())
        await self._town.run("registry", "import", str(file))
        await asyncio.sleep(2.5)
        await self._town.run("quarantine", "replay")

    async def _recording_replayed(self) -> None:
        """Begins now, and goes on while other things happen."""
        number = len(self._recordings)
        gauge, file = f"gauge-{number}", self._town.home / f"recording-{number}.csv"
        write_recording(file, gauge, number * RECORDING_ROWS)
        rows = self._town.home / f"gauge-{number}.csv"
        rows.write_text(await self._town.run("simulate", "--replay", str(file), "--registry"))
        await self._town.run("registry", "import", str(rows))
        await asyncio.sleep(2.5)
        self._recordings.append(asyncio.create_task(self._play(file)))
        await self._until(lambda: self._heard_of(gauge), 60, "the recording does not begin")

    def _heard_of(self, asset: str) -> bool:
        with psycopg.connect(self._town.database_url) as conn:
            return bool(
                conn.execute(
                    "SELECT FROM latest_observation JOIN asset USING (asset_id) WHERE asset = %s", [asset]
                ).rowcount
            )

    async def _play(self, file: Path) -> None:
        said = await self._town.run("simulate", "--replay", str(file), "--shift-to-now")
        sent = int(said.split()[0].replace(",", ""))
        left = int(said.split("has not taken")[1].split()[0]) if "has not taken" in said else 0
        self.played += sent - left


async def _within(event: asyncio.Event, seconds: float, otherwise: str) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        raise Unprovoked(otherwise) from None


def fill(ballast: Path) -> None:
    """Take all that is left of the disk."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65_536))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))


def _send_oversized(broker: Address) -> None:
    hello = packets.connect(
        4, "oversized", user=broker.user, password=broker.password, clean=True, keep_alive_s=30,
        receive_maximum=0, session_expiry_s=0,
    )  # fmt: skip
    topic, payload = topics.telemetry("streetlight", "lamp-5").encode(), bytes(2 * PACKET_BYTES_MAX)
    size = packets.length(len(topic) + 4 + len(payload))
    with socket.create_connection((broker.host, broker.port), 10) as line:
        line.sendall(hello)
        if line.recv(4) != b"\x20\x02\x00\x00":
            raise Unprovoked("the broker does not let a device in")
        with suppress(OSError):
            line.sendall(b"\x32" + size + len(topic).to_bytes(2, "big") + topic + b"\0\1" + payload)
            if line.recv(4):
                raise Unprovoked("the broker takes a packet that is too large")


def write_recording(file: Path, gauge: str, first: int) -> None:
    """A plain series, each row told apart by its discharge."""
    lines = ["time,asset,level_m,flow_l_s"]
    for number in range(RECORDING_ROWS):
        moment = number * RECORDING_S / RECORDING_ROWS
        lines.append(f"2026-03-01T00:00:{moment:09.6f}Z,{gauge},0.5,{first + number}")
    file.write_text("\n".join([*lines, ""]))

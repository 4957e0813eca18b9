"""Who is compared: what each promises, how it is started, and how many messages a round it is given.

Every contender is a process of its own that runs until it is stopped. What a peer is, stands in its file below `peers`.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.field import READY_S, City, Field
from bench.parts import PEERS, Parts
from bench.processes import Running
from bench.traffic import LAMPS, MIXED

SHARE = "bench"
AFTER_COMMIT, ON_RECEIPT = "after commit", "on receipt"


@dataclass(frozen=True)
class Contender:
    """One contender.

    `messages` a round are so many that it has some seconds' work; `acknowledges` and `idempotent` are what it promises;
    `table` is where its rows go, `None` for one that stores nothing; `members` is how many processes of ours it is,
    0 for a peer; `by_socket` is whether it comes in by the broker's Unix socket, as who can should on one machine.
    """

    key: str
    name: str
    messages: int
    acknowledges: str
    idempotent: bool
    table: str | None = "streetlight"
    members: int = 0
    by_socket: bool = False
    kinds: tuple[str, ...] = LAMPS

    @property
    def is_ours(self) -> bool:
        """Whether it is Lamplighter."""
        return self.members > 0


OURS = Contender("ours", "Lamplighter", 120_000, AFTER_COMMIT, True, members=1, by_socket=True)
C = Contender("c", "C libmosquitto, writes nothing", 120_000, ON_RECEIPT, False, table=None, by_socket=True)
OURS_TCP = Contender("ours-tcp", "Lamplighter, by TCP", 120_000, AFTER_COMMIT, True, members=1)
C_TCP = Contender("c-tcp", "C libmosquitto, by TCP", 120_000, ON_RECEIPT, False, table=None)
BRIDGE = Contender("bridge", "mq-bridge, COPY", 120_000, AFTER_COMMIT, False, table="streetlight_ms")
MQTTJS = Contender("mqttjs", "mqtt.js + pg, batched", 120_000, ON_RECEIPT, True)
RED_SINGLE = Contender("red-single", "Node-RED, a message at a time", 12_000, ON_RECEIPT, True)
RED_BATCHED = Contender("red-batched", "Node-RED, batched by hand", 60_000, ON_RECEIPT, True)
TUTORIAL = Contender("tutorial", "aiomqtt + psycopg, as tutorials write it", 4_000, ON_RECEIPT, True)
PYDANTIC = Contender("pydantic", "aiomqtt + pydantic + COPY", 30_000, ON_RECEIPT, False)
TUNED = Contender("tuned", "aiomqtt + pydantic + COPY, tuned", 30_000, ON_RECEIPT, False)
TWO = Contender("ours-2", "Lamplighter, two processes", 120_000, AFTER_COMMIT, True, members=2, by_socket=True)
MIX = Contender(
    "ours-mixed", "Lamplighter, three kinds mixed", 120_000, AFTER_COMMIT, True, members=1, by_socket=True, kinds=MIXED
)
ALL = (C, OURS, C_TCP, OURS_TCP, BRIDGE, MQTTJS, RED_BATCHED, PYDANTIC, TUNED, RED_SINGLE, TUTORIAL, TWO, MIX)


def present(parts: Parts) -> list[Contender]:
    """Those whose parts are there, in the order in which they take turns."""
    absent: set[str] = set()
    if parts.subscriber is None:
        absent |= {C.key, C_TCP.key}
    if parts.node_modules is None:
        absent |= {MQTTJS.key, RED_SINGLE.key, RED_BATCHED.key}
    if parts.bridge is None:
        absent.add(BRIDGE.key)
    return [each for each in ALL if each.key not in absent]


@asynccontextmanager
async def start(contender: Contender, field: Field, city: City, parts: Parts) -> AsyncIterator[list[Running]]:
    """Run a contender until the block ends; it is subscribed when the block begins.

    Raises:
        Failed: it does not become ready.
    """
    async with AsyncExitStack() as stack:
        if contender.is_ours:
            url = None if contender.by_socket else field.broker.url
            seats: list[tuple[str, ...]] = [()]
            if contender.members > 1:
                seats = [("--share", SHARE, "--member", str(member)) for member in range(1, contender.members + 1)]
            yield [await stack.enter_async_context(field.ingest(city, *seat, url=url)) for seat in seats]
            return
        command, environment = _command(contender, field, city, parts)
        peer = await stack.enter_async_context(processes.running(contender.key, command, field.folder, environment))
        await peer.says(
            "Connected to broker" if contender.key in (RED_SINGLE.key, RED_BATCHED.key) else "ready", READY_S
        )
        yield [peer]


def _command(contender: Contender, field: Field, city: City, parts: Parts) -> tuple[list[str | Path], dict[str, str]]:
    broker = field.broker
    urls = [broker.url, city.url]
    scripts = {
        TUTORIAL.key: ["tutorial.py"],
        PYDANTIC.key: ["pydantic_copy.py"],
        TUNED.key: ["pydantic_copy.py", "tuned"],
    }
    if contender.key in scripts:
        script, *options = scripts[contender.key]
        return [*processes.python(str(PEERS / script)), *urls, *options], {}
    if contender.key in (C.key, C_TCP.key):
        assert parts.subscriber is not None
        user, password = broker.url.removeprefix("mqtt://").split("@")[0].split(":")
        door = [broker.host, str(broker.port)]
        if contender.by_socket and broker.socket_url is not None:
            door = [broker.socket_url.split("@")[1], "0"]
        return [parts.subscriber, *door, user, password, str(contender.messages)], {}
    if contender.key == BRIDGE.key:
        return [*processes.python(str(PEERS / "mq_bridge_copy.py")), *urls], {
            "PYTHONPATH": os.pathsep.join([str(parts.bridge), *sys.path])
        }
    assert parts.node_modules is not None
    modules = {"NODE_PATH": str(parts.node_modules)}
    if contender.key == MQTTJS.key:
        return ["node", PEERS / "mqttjs_pg.js", *urls], modules
    how = "single" if contender.key == RED_SINGLE.key else "batched"
    red = parts.node_modules / "node-red" / "red.js"
    return [*processes.python(str(PEERS / "node_red.py")), how, red, *urls, field.folder / contender.key], modules

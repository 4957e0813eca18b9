"""The public API beside its peers: `python -m bench.public` races them, and writes docs/public_speed.md.

Each server has a process of its own; the clients have another. All take turns in every round.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from psycopg_pool import AsyncConnectionPool

from api.service import ApiService
from api.settings import ApiSettings
from bench import page
from bench.figures import Section, Series, Table, Target, percentile
from bench.processes import ROOT, Failed, python, running
from bench.public_load import HOST, PATH, ask, listen, until
from bus.session import Publisher
from lamplighter import http_server
from lamplighter.embedded.broker import embedded_broker
from telemetry import availability, topics
from telemetry.availability import Bays, Expectation, ZoneAvailability
from telemetry.clock import to_rfc3339

PAGE = ROOT / "docs" / "public_speed.md"
PEERS = Path(__file__).parent / "peers"
ZONES = 20
CONNECTIONS = 32
LISTENERS = 1_000
TURN_S = 2.0
ROUNDS = 5
OVER_FASTAPI, OF_NODE, P99_MS_MAX, REACHED_S_MAX = 15.0, 0.7, 15.0, 1.0
READY_S = 60.0
FREE = 20
"""So many bays are free where an update is listened for, and one more each time."""
OURS, AGAIN, NODE, NODE_AGAIN = "ours", "ours, 304", "node's http", "node's http, 304"
FASTAPI, TYPED = "a FastAPI dict", "a FastAPI dict with a return type"
WORDS = f"""\
`GET {PATH}` of {ZONES} zones with reserved bays and forecasts, over {CONNECTIONS} connections that stay open and ask
again as soon as they are answered. Ours is the whole API as `lamplighter api` serves it, fed by a broker, with its
rate limit (raised by its settings), its figures and its headers. "{FASTAPI}" is the endpoint of the first steps of
FastAPI's tutorial, `async def parking(): return {{…}}`, with the same document; the goal is held against it. With a
return type FastAPI serialises in another way, which is faster: the second such row. Node's http has the document in
memory. The ratios are those of each round."""
STREAM_WORDS = f"""\
{LISTENERS:,} listeners on `{PATH}/stream`. One zone is published at the broker; the time runs until the last listener
has the whole event."""


def now() -> int:
    """The machine's clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def zone(name: str, free: int = 12) -> ZoneAvailability:
    """A zone as rules publish it."""
    at = to_rfc3339(now() // 1_000_000 * 1_000_000)
    ahead = tuple(Expectation(minutes, at, free, free - 3, free + 3, 1.5) for minutes in (15, 30, 60))
    return ZoneAvailability(
        zone=name,
        name=f"Parkplatz {name}",
        lat=51.4363,
        lon=7.3352,
        capacity=40,
        free=free,
        free_min=free,
        free_max=free + 3,
        occupied=37 - free,
        unknown=3,
        closed=0,
        restricted={need: Bays(2, 1, 1, 1, 1, 0) for need in ("disabled", "charging")},
        trend="steady",
        verified_at=at,
        stale=False,
        updated_at=at,
        forecast=ahead,
    )


async def serve(mqtt_url: str) -> None:
    """Our API, as a process of its own."""
    settings = ApiSettings(
        ttl_s=600, requests_per_s=1e9, requests_burst=10**9, streams_per_address=LISTENERS, database_away_s=3_600
    )
    service = ApiService(
        pool=AsyncConnectionPool("", open=False),
        mqtt_url=mqtt_url,
        now=now,
        real_now=now,
        dark=lambda begin, end: False,
        settings=settings,
    )
    taken = http_server.listen(HOST, 0)
    server = http_server.HttpServer(service.app, taken)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        group.create_task(server.serve())
        await until(lambda: len(service.board.zones) >= ZONES, READY_S)
        print("ready", taken.getsockname()[1], flush=True)


def fetch(port: int) -> tuple[bytes, str]:
    """The document and its entity tag."""
    with urllib.request.urlopen(f"http://{HOST}:{port}{PATH}", timeout=10) as answer:
        return answer.read(), answer.headers.get("ETag", "")


@asynccontextmanager
async def serving(name: str, command: list[str], folder: Path) -> AsyncIterator[int]:
    """The port of a server that runs until the block ends."""
    async with running(name, command, folder, {"PYTHONPATH": str(ROOT)}) as process:
        yield int((await process.says("ready", READY_S)).split()[-1])


async def race(ports: dict[str, tuple[int, str | None, str]], rounds: int, turn_s: float) -> Section:
    """All servers in turns."""
    rates: dict[str, list[float]] = defaultdict(list)
    p50: dict[str, list[float]] = defaultdict(list)
    p99: dict[str, list[float]] = defaultdict(list)
    for port, etag, path in ports.values():
        await ask(port, CONNECTIONS, 0.3, etag, path)
    for _ in range(rounds):
        for name, (port, etag, path) in ports.items():
            begun_s = time.perf_counter()
            load = await ask(port, CONNECTIONS, turn_s, etag, path)
            if load.wrong:
                raise Failed(f"{name} gave {load.wrong} answers that were not wanted")
            rates[name].append(len(load.waits_s) / (time.perf_counter() - begun_s))
            p50[name].append(percentile(load.waits_s, 0.5) * 1e3)
            p99[name].append(percentile(load.waits_s, 0.99) * 1e3)
    series = {name: Series.of(values) for name, values in rates.items()}
    ours = series[OURS]
    table = Table(["", "answers a second", "half within, ms", "99 of 100 within, ms", "ours is so many times as fast"])
    for name, each in series.items():
        waits = [Series.of(of[name]).text(".2f") for of in (p50, p99)]
        table.rows.append([name, each.text(), *waits, "" if name == OURS else f"{ours.over(each).median:.2g}"])
    targets = [Target(2, "over a FastAPI dict", ours.over(series[FASTAPI]).median, OVER_FASTAPI, True, " ×", ".1f")]
    if NODE in series:
        targets.append(
            Target(2, "of node's http", ours.over(series[NODE]).median * 100, OF_NODE * 100, True, " %", ".0f")
        )
    targets.append(Target(2, "99 of 100 answers within", Series.of(p99[OURS]).median, P99_MS_MAX, False, " ms", ".1f"))
    targets.append(Target(2, "a 304 over a 200", series[AGAIN].over(ours).median, 1.0, True, " ×", ".2f"))
    return Section("The parking document", WORDS, table, targets)


async def reach(port: int, publisher: Publisher, rounds: int) -> Section:
    """An update to all listeners."""
    listeners = await listen(port, LISTENERS)
    took: list[float] = []
    heard_by = LISTENERS
    for round_ in range(rounds):
        for each in listeners:
            each.words, each.heard_s, each.tail = f'"free":{FREE + round_},'.encode(), None, b""
        begun_s = time.perf_counter()
        await tell(publisher, zone("zone-00", free=FREE + round_))
        await until(lambda: all(each.heard_s is not None for each in listeners), 5.0)
        times = [each.heard_s for each in listeners if each.heard_s is not None]
        heard_by = min(heard_by, len(times))
        took.append(max(times) - begun_s if times else 5.0)
    table = Table(["listeners", "all reached within, s"], [[f"{heard_by:,}", Series.of(took).text(".3f")]])
    targets = [
        Target(2, "listeners that heard", heard_by, LISTENERS, True, form=",.0f"),
        Target(2, "the slowest update reached all within", max(took), REACHED_S_MAX, False, " s", ".2f"),
    ]
    return Section("Live listeners", STREAM_WORDS, table, targets)


async def tell(publisher: Publisher, word: ZoneAvailability) -> None:
    """Publish a zone, as rules do."""
    await publisher.publish(topics.zone_parking(word.zone), availability.encode(word), retain=True, timeout_s=10)


async def measure(rounds: int, turn_s: float, folder: Path) -> list[Section]:
    """Start all, race them, and end them."""
    async with embedded_broker(folder) as broker, Publisher(broker.url, "bench-public") as publisher:
        for n in range(ZONES):
            await tell(publisher, zone(f"zone-{n:02}"))
        async with serving("ours", python("-m", "bench.public", "--serve", broker.url), folder) as ours:
            body, etag = fetch(ours)
            document = folder / "parking.json"
            document.write_bytes(body)
            peer = python(str(PEERS / "plain_fastapi.py"), str(document))
            async with serving("fastapi", peer, folder) as fastapi:
                ports: dict[str, tuple[int, str | None, str]] = {OURS: (ours, None, PATH), AGAIN: (ours, etag, PATH)}
                ports |= {FASTAPI: (fastapi, None, PATH), TYPED: (fastapi, None, f"/typed{PATH}")}
                node = shutil.which("node")
                if node is None:
                    return [await race(ports, rounds, turn_s), await reach(ours, publisher, rounds)]
                async with serving("node", [node, str(PEERS / "node_http.js"), str(document)], folder) as nodes:
                    ports |= {NODE: (nodes, None, PATH), NODE_AGAIN: (nodes, fetch(nodes)[1], PATH)}
                    raced = await race(ports, rounds, turn_s)
            return [raced, await reach(ours, publisher, rounds)]


def main() -> int:
    """Measure, write the page, and say whether what was promised holds."""
    parser = argparse.ArgumentParser(prog="python -m bench.public", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--turn", type=float, default=TURN_S, help="seconds of each turn")
    parser.add_argument("--serve", metavar="MQTT_URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve(arguments.serve))
        return 0
    of = page.machine()
    with tempfile.TemporaryDirectory() as folder:
        try:
            sections = uvloop.run(measure(arguments.rounds, arguments.turn, Path(folder)))
        except Failed as error:
            print(f"bench.public: {error}.", file=sys.stderr)
            return 1
    print("\n".join(page.terminal(section) for section in sections))
    head = (
        "# Speed of the public API\n\nWritten by `python -m bench.public`; run it to have the figures of your machine. "
        f"Figures are medians\nof {arguments.rounds} rounds, with the least and the greatest in brackets."
    )
    parts = [head, "\n".join(f"- {line}" for line in of)]
    for each in sections:
        parts += [f"## {each.title}", each.words, page.pipes(each.table)]
        parts.append("\n".join(f"- {target.text()}" for target in each.targets))
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return 0 if all(target.met for section in sections for target in section.targets) else 1


if __name__ == "__main__":
    sys.exit(main())

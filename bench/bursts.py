"""Figures 6 and 8: bursts while ingest or the database is away, on our broker and on one as it comes."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import processes
from bench.field import City, Field, settings_for
from bench.figures import Section, Table, Target
from bench.processes import Failed
from bench.traffic import MIXED, Source
from lamplighter.embedded import handshake
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.embedded.ports import free_port
from telemetry import limits

SMALL, GREAT = 40_000, 1_000_000
BACKFILLS = 3_000
MEMORY_MIB_MAX = 256
"""What ingest may hold whatever happens: 100 MiB of program and registry, and twice the payload bytes of its inbox."""
WATCH_S = 0.5
DOCTOR_S = 90
DOCTORS_WORD = "max_queued_messages"

BURST_WORDS = """\
Devices publish while ingest is away; it comes back, and what is stored is counted. "As it comes" is Mosquitto with a
listener and nothing else set, under the same pipeline: it confirms what it then drops. The ledger balances
where `received = stored + duplicate + quarantined`, and `stored` is what the tables hold."""
MEMORY_WORDS = f"""\
Ingest runs, the database is shut down, {GREAT:,} messages are published. Ingest holds what the broker may send ahead
of acknowledgements, {limits.RECEIVE_MAXIMUM:,} messages, and no more than {limits.INBOX_BYTES_MAX >> 20} MiB of them;
the rest waits at the broker. Then ingest is killed, the database comes back, and a new ingest takes over. The same with
backfills, of which a few hundred fill ingest's part. The bound is for a city of 1,000 devices; figure 7 tells what the
registry of a greater one adds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a burst; `balanced` is whether the ledger is."""

    published: int
    stored: int
    balanced: bool

    @property
    def lost(self) -> int:
        """Messages that the broker had confirmed and nobody got."""
        return self.published - self.stored


async def burst(field: Field, share: float = 1.0) -> list[Section]:
    """Both bursts on both brokers, and the memory meanwhile."""
    city = await field.city(kinds=MIXED)
    small, great = int(SMALL * share), int(GREAT * share)
    ours = [await _while_ingest_is_away(field, city, field.broker.url, small)]
    print(f"  burst of {small:,}: {ours[0].lost:,} lost", file=sys.stderr)
    last, peak_mib = await _while_the_database_is_away(field, city, great)
    ours.append(last)
    print(f"  burst of {great:,}: {last.lost:,} lost, ingest held {peak_mib:.0f} MiB", file=sys.stderr)
    arrays_mib = await _memory_with_backfills(field, city, int(BACKFILLS * share))
    print(f"  {BACKFILLS * share:,.0f} backfills: ingest held {arrays_mib:.0f} MiB", file=sys.stderr)
    theirs = []
    async with _broker_as_it_comes(field.folder) as url:
        warned = await _doctor_warns(field, city, url)
        for count in (small, great):
            theirs.append(await _while_ingest_is_away(field, city, url, count))
            print(f"  burst of {count:,}, broker as it comes: {theirs[-1].lost:,} lost", file=sys.stderr)
    content = not await _doctor_warns(field, city, field.broker.url)
    return [
        _memory_section({f"{great:,} messages of one reading": peak_mib, f"{BACKFILLS:,} of 500": arrays_mib}),
        _burst_section(ours, theirs, warned, content),
    ]


def _memory_section(peaks_mib: dict[str, float]) -> Section:
    table = Table(["waiting", "peak MiB of ingest"], [[what, f"{peak:,.0f}"] for what, peak in peaks_mib.items()])
    section = Section("6 · Memory while the database is away", MEMORY_WORDS, table)
    for what, peak in peaks_mib.items():
        section.targets.append(Target(6, f"peak memory, {what}", peak, MEMORY_MIB_MAX, False, " MiB", ",.0f"))
    return section


def _burst_section(ours: list[Outcome], theirs: list[Outcome], warned: bool, content: bool) -> Section:
    table = Table(["broker", "published", "stored", "lost", "ledger"])
    for name, several in (("as Lamplighter sets it", ours), ("as it comes", theirs)):
        for one in several:
            balanced = "balanced" if one.balanced else "does not balance"
            table.rows.append([name, f"{one.published:,}", f"{one.stored:,}", f"{one.lost:,}", balanced])
    section = Section("8 · Bursts while ingest is away", BURST_WORDS, table)
    for one in ours:
        section.targets.append(Target(8, f"lost of {one.published:,}, our broker", one.lost, 0, False, form=",.0f"))
        section.targets.append(Target.claim(8, f"ledger balanced after {one.published:,}", one.balanced))
    for one in theirs:
        section.targets.append(Target(8, f"lost of {one.published:,}, as it comes", one.lost, 1, True, form=",.0f"))
    section.targets.append(Target.claim(8, "doctor warns of the broker as it comes, beforehand", warned))
    section.targets.append(Target.claim(8, "doctor finds no such fault with ours", content))
    return section


async def _while_ingest_is_away(field: Field, city: City, url: str, count: int) -> Outcome:
    """Ingest subscribes and leaves, devices publish, ingest comes back."""
    await field.clear(city)
    async with field.ingest(city, url=url):
        pass
    await field.publish(city.source, count, url=url)
    async with field.ingest(city, url=url):
        return await _outcome(city, count)


async def _while_the_database_is_away(field: Field, city: City, count: int) -> tuple[Outcome, float]:
    """The outcome, and the most memory that ingest held, in MiB."""
    peak_mib = await _hold(field, city, city.source, count)
    async with field.ingest(city):
        return await _outcome(city, count), peak_mib


async def _memory_with_backfills(field: Field, city: City, count: int) -> float:
    """The most memory that ingest held, in MiB, where arrays of 500 readings wait; they are forgotten afterwards."""
    peak_mib = await _hold(field, city, replace(city.source, array=limits.ARRAY_OBSERVATIONS_MAX), count)
    await field.clear(city)
    return peak_mib


async def _hold(field: Field, city: City, source: Source, count: int) -> float:
    """Have so many messages wait for a database that is away; returns the most memory that ingest held, in MiB."""
    await field.clear(city)
    async with field.ingest(city) as ingest:
        await field.stop_database()
        try:
            await field.publish(source, count)
            await asyncio.sleep(WATCH_S)
            peak_mib = ingest.weigh().peak_bytes / 2**20
            if peak_mib == 0:
                raise Failed("Ingest died while the database was away")
            await ingest.stop(signal.SIGKILL)
        finally:
            await field.start_database()
    return peak_mib


async def _outcome(city: City, count: int) -> Outcome:
    stored = await city.until_stored(count)
    ledger = await city.ledger()
    fates = ledger["stored"] + ledger["duplicate"] + ledger["quarantined"]
    return Outcome(count, stored, ledger["received"] == fates and ledger["stored"] == stored)


async def _doctor_warns(field: Field, city: City, url: str) -> bool:
    """Whether `lamplighter doctor` says that this broker drops what it has acknowledged."""
    command = processes.python("-m", "lamplighter", "doctor")
    async with processes.running("lamplighter doctor", command, field.folder, settings_for(city, url)) as doctor:
        text = await doctor.ends(DOCTOR_S)
    return any("WRONG" in line and DOCTORS_WORD in line for line in text.splitlines())


@asynccontextmanager
async def _broker_as_it_comes(folder: Path) -> AsyncIterator[str]:
    """Mosquitto with a listener and nothing else set; its URL."""
    program, port = mosquitto_program(), free_port()
    assert program is not None
    configuration = folder / "as-it-comes.conf"
    # As root it would change its user, which clears the signal that ends it with us.
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    async with processes.running("mosquitto", [program, "-c", configuration], folder):
        url = f"mqtt://127.0.0.1:{port}"
        for _ in range(100):
            try:
                await handshake.shake_hands(url)
                break
            except OSError:
                await asyncio.sleep(0.1)
        yield url

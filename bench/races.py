"""Figures 1 to 3: all contenders race on the same field, turn after turn, and are weighed."""

import json
import random
import sys
from collections import defaultdict
from dataclasses import dataclass, replace

from bench import contenders
from bench.contenders import BRIDGE, MIX, MQTTJS, OURS, PYDANTIC, RED_BATCHED, RED_SINGLE, TUTORIAL, C, Contender
from bench.field import City, Field
from bench.figures import Section, Series, Table, Target
from bench.parts import Parts
from bench.processes import Failed

RATE_OF_C_MIN = 1.0
CPU_US_MAX = 8.0
CPU_RATIOS_MAX = {BRIDGE: 0.40, MQTTJS: 0.40, RED_BATCHED: 1 / 8}
RATE_RATIOS_MIN = {TUTORIAL: 22.0, RED_SINGLE: 10.0, RED_BATCHED: 2.0, PYDANTIC: 5.0}
UNTIL_LAST_S = 120.0

WORDS = """\
From the first publish to the last commit by the server's own record (the C subscriber: to the last receipt), at full
speed: one publisher with at most 2,000 unconfirmed messages, which hears confirmations every 5 ms, since it stands
for many devices. Contenders take turns, round after round and each time in another order, so that nobody always comes
after the same neighbour; each ratio is taken within a round, and its median counts.
CPU and memory are the contender's own, all its processes together, from its subscription to its last row; broker and
database are not in them. All share one machine, so who can comes in by the broker's Unix socket, which spares the
broker a part of its work: ours and the C subscriber, each also by TCP. Peers take the asset's number from the
device's name, which spares them the registry, check ranges only where said, and keep neither a ledger nor the latest
reading; mq-bridge knows no topic and converts no time, so it writes to a table of its own that needs neither. aiomqtt +
pydantic + COPY stands there twice: as the documentation of its parts shows it, and tuned by what was measured. Two
processes of ours are for who goes on when one dies: where all cores are busy already, they share the batches, which
are smaller then and cost more each, so that they are slower together than one alone."""


@dataclass(frozen=True, slots=True)
class Run:
    """One turn: committed messages a second, CPU microseconds a message of each part, peak bytes of the contender."""

    rate: float
    cpu_us: float
    broker_us: float
    database_us: float
    peak_bytes: float


async def run(contender: Contender, field: Field, city: City, parts: Parts) -> Run:
    """Let one contender deal with its messages.

    Raises:
        Failed: it does not come to its end, or loses messages.
    """
    messages = contender.messages
    await field.clear(city)
    if contender.table is not None and contender.kinds == city.source.kinds == ("streetlight",):
        city = replace(city, table=contender.table)
    async with contenders.start(contender, field, city, parts) as processes:
        before = field.weigh(processes)
        published = await field.publish(city.source, messages)
        if contender.table is None:
            line = await processes[0].says('"last"', UNTIL_LAST_S)
            ended = float(json.loads(line)["last"])
        else:
            stored = await city.until_stored(messages)
            if stored < messages:
                raise Failed(f"{contender.name} stored {stored:,} of {messages:,} messages")
            ended = 0.0
        after = field.weigh(processes)
    ended = ended or await city.committed_at()
    cpu = {part: (after[part].cpu_s - before[part].cpu_s) * 1e6 / messages for part in after}
    return Run(
        messages / (ended - published.begun), cpu["contender"], cpu["broker"], cpu["database"],
        after["contender"].peak_bytes,
    )  # fmt: skip


async def race(field: Field, parts: Parts, rounds: int, share: float = 1.0) -> Section:
    """All contenders, `rounds` times, with `share` of their messages; a peer that fails is left out from then on."""
    field_of = [replace(each, messages=int(each.messages * share)) for each in contenders.present(parts)]
    runs: dict[str, list[Run]] = defaultdict(list)
    for round_ in range(1, rounds + 1):
        for each in random.Random(round_).sample(field_of, len(field_of)):
            try:
                one = await run(each, field, await field.city(kinds=each.kinds), parts)
            except Failed as failure:
                if each.is_ours:
                    raise
                field_of.remove(each)
                parts.left_out.append(f"Left out: {each.name}, because {failure}.")
                print(f"  {parts.left_out[-1]}", file=sys.stderr)
                continue
            runs[each.key].append(one)
            print(f"  round {round_}: {each.name}: {one.rate:,.0f}/s, {one.cpu_us:.1f} µs", file=sys.stderr)
    return _section(field_of, {each.key: runs[each.key] for each in field_of})


def _section(field_of: list[Contender], runs: dict[str, list[Run]]) -> Section:
    rates = {key: Series.of(one.rate for one in several) for key, several in runs.items()}
    cpus = {key: Series.of(one.cpu_us for one in several) for key, several in runs.items()}
    table = Table(["contender", "messages/s", "of ours", "CPU µs a message", "peak MiB", "acknowledges", "idempotent"])
    for each in field_of:
        peak = Series.of(one.peak_bytes / 2**20 for one in runs[each.key])
        ratio = "" if each.key == OURS.key else f"{rates[each.key].over(rates[OURS.key]).median:.1%}"
        table.rows.append([
            each.name, rates[each.key].text(), ratio, cpus[each.key].text(".1f"), f"{peak.median:,.0f}",
            each.acknowledges, "yes" if each.idempotent else "no",
        ])  # fmt: skip
    section = Section("1 to 3 · Rate and cost beside peers", WORDS, table)
    section.targets = list(_targets(rates, cpus))
    mixed = runs[MIX.key]
    section.costs = {
        "rate": rates[OURS.key].median,
        "ingest_us": cpus[MIX.key].median,
        "broker_us": Series.of(one.broker_us for one in mixed).median,
        "database_us": Series.of(one.database_us for one in mixed).median,
        "ingest_mib": Series.of(one.peak_bytes / 2**20 for one in mixed).median,
    }
    return section


def _targets(rates: dict[str, Series], cpus: dict[str, Series]) -> list[Target]:
    rate, cpu = rates[OURS.key], cpus[OURS.key]
    targets = []
    if C.key in rates:
        ratio = rate.over(rates[C.key]).median * 100
        targets.append(Target(1, "ours of the C subscriber's rate", ratio, RATE_OF_C_MIN * 100, True, " %"))
    targets.append(Target(2, "ours, CPU a message", cpu.median, CPU_US_MAX, False, " µs"))
    for peer, limit in CPU_RATIOS_MAX.items():
        if peer.key in cpus:
            ratio = cpu.over(cpus[peer.key]).median * 100
            targets.append(Target(2, f"ours of the CPU of {peer.name}", ratio, limit * 100, False, " %"))
    for peer, least in RATE_RATIOS_MIN.items():
        if peer.key in rates:
            targets.append(Target(3, f"ours of {peer.name}", rate.over(rates[peer.key]).median, least, True, " ×"))
    return targets

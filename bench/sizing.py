"""`python -m bench.sizing`: `docs/scaling.md`, computed from what the last `make bench` measured on this machine.

Everything is proportional to messages a second and to rows a year, so the arithmetic is plain; what is measured, what
is computed and what is assumed is said on the page.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Table
from bench.page import pipes
from bench.parts import HOME
from bench.processes import ROOT

PAGE = ROOT / "docs" / "scaling.md"
RESULTS = HOME / "results.json"
"""What runs of `make bench` have measured."""
DEVICES = (10_000, 100_000, 1_000_000, 10_000_000)
INTERVALS_S = (300, 60)
DEFAULT_RAW_DAYS = 730

HEADROOM = 2.0
"""Parts are sized for twice the mean rate: the delays of figure 5 hold at half load, and a backlog has to drain."""
COMPRESSION = 10.0
"""Assumed, not measured: raw rows under TimescaleDB's compression take this part of their space."""
TCP_BYTES = 2 * (40 + 4) + 29 + 40
"""Assumed a message alone in its segment: its headers, the PUBACK and a TCP ACK with theirs, and a TLS record."""
HOST_CORES, HOST_DISK_TB, HOST_CONNECTIONS = 8, 4.0, 100_000
"""What one ordinary server has, and how many connections one Mosquitto should hold."""
YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Costs:
    """What `make bench` measured: CPU microseconds a message, messages a second, bytes."""

    ingest_us: float
    broker_us: float
    database_us: float
    rollup_us: float
    rate: float
    fed_rate: float
    row_bytes: float
    index_bytes: float
    hourly_bytes: float
    daily_bytes: float
    log_bytes: float
    packet_bytes: float

    @classmethod
    def read(cls, path: Path) -> "Costs":
        """From the results of `make bench`."""
        costs: dict[str, Any] = json.loads(path.read_text())["costs"]
        return cls(**{name: float(costs[name]) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Size:
    """What so many devices need that report so often."""

    costs: Costs
    devices: int
    every_s: int

    @property
    def rate(self) -> float:
        """Messages a second, the mean."""
        return self.devices / self.every_s

    def cores(self, cost_us: float) -> float:
        """Cores of a part, with headroom."""
        return self.rate * HEADROOM * cost_us / 1e6

    @property
    def ingest_cores(self) -> float:
        """Cores of ingest."""
        return self.cores(self.costs.ingest_us)

    @property
    def broker_cores(self) -> float:
        """Cores of the broker."""
        return self.cores(self.costs.broker_us)

    @property
    def database_cores(self) -> float:
        """Cores of the database, rollups among them."""
        return self.cores(self.costs.database_us + self.costs.rollup_us)

    @property
    def raw_tb(self) -> float:
        """Rows and their index, a year."""
        return self.rate * YEAR_S * (self.costs.row_bytes + self.costs.index_bytes) / 1e12

    @property
    def rollups_tb(self) -> float:
        """Hourly and daily rollups, a year."""
        return self.devices * 365 * (24 * self.costs.hourly_bytes + self.costs.daily_bytes) / 1e12

    @property
    def network_mbit_s(self) -> float:
        """From the devices, with headers."""
        return self.rate * HEADROOM * (self.costs.packet_bytes + TCP_BYTES) * 8 / 1e6

    @property
    def log_mb_s(self) -> float:
        """Write-ahead log, which is also what a replica receives."""
        return self.rate * HEADROOM * self.costs.log_bytes / 1e6

    @property
    def fills(self) -> dict[str, float]:
        """How full each part of one host would be; above 1 one is not enough."""
        one_thread = 1e6 / self.costs.broker_us
        return {
            "broker: rate of one Mosquitto": self.rate * HEADROOM / one_thread,
            "broker: connections of one Mosquitto": self.devices / HOST_CONNECTIONS,
            "ingest: rate of one process": self.ingest_cores,
            "database: cores of one host": self.database_cores / HOST_CORES,
            "database: disk of one host, a year uncompressed": (self.raw_tb + self.rollups_tb) / HOST_DISK_TB,
        }

    @property
    def bottleneck(self) -> str:
        """The part that is full first, and how full it is."""
        part, fill = max(self.fills.items(), key=lambda each: each[1])
        return f"{part} ({fill:.0%})" if fill < 1 else f"{part} ({fill:,.1f} ×)"

    @property
    def members(self) -> int:
        """Ingest processes."""
        return max(1, math.ceil(self.ingest_cores))

    @property
    def brokers(self) -> int:
        """Nodes of a clustered broker as fast as Mosquitto, by rate and by connections."""
        fills = self.fills
        return math.ceil(max(value for name, value in fills.items() if name.startswith("broker")))


_HEAD = """\
# Scaling

How many cores, how much disk and what network a city needs, and what gives way first. Written by
`python -m bench.sizing` from what `make bench` measured; [performance.md](performance.md) says on which machine.

**Measured**, per message:

- CPU at saturation, three kinds mixed: {ingest_us:.1f} µs of ingest, {broker_us:.1f} µs of the broker in and out,
  {database_us:.1f} µs of PostgreSQL and {rollup_us:.1f} µs more for the rollups
- on disk: {row_bytes:.0f} bytes a row and {index_bytes:.0f} its index entry (street lights, the widest row),
  {log_bytes:.0f} bytes of write-ahead log; {hourly_bytes:.0f} bytes an asset's hour and {daily_bytes:.0f} its day
- on the wire: {packet_bytes:.0f} bytes a packet

Where few messages come, batches are small and a message costs more; but then there is nothing to size.

**Computed** from it: everything below, in proportion, for twice the mean rate: so there is room for bursts, for a
backlog to drain, and for the delays that were measured at half load. **Assumed**, not measured: {tcp_bytes} bytes of
headers, acknowledgement and TLS a message, a compression of raw rows to a tenth under TimescaleDB (none in native
mode), and that a clustered broker costs what Mosquitto costs (EMQX costs more). Nothing of this was run with more than
100,000 devices; a cluster and a second host were not measured at all.
"""

_TEXT = """\
The bottleneck is the part that is fullest if there is one of each: one Mosquitto (one thread, up to {connections:,}
connections), one ingest process (one thread), one database host ({cores} cores, {disk:.0f} TB of disk). From 1 × on,
one is not enough.

Rollups make the greater part of the disk where readings are rare and compressed. Raw rows are kept {raw_days} days
unless set otherwise (`LAMPLIGHTER_RAW_DAYS`), hours as `LAMPLIGHTER_HOURLY_DAYS` says: in native mode shorten the
first, where rows are compressed the second.

## Growing and shrinking

Each member of a share has a queue of its own at the broker; a member that is away keeps its part for 7 days. To grow,
start a member with the next number. To shrink, stop one, then `lamplighter ingest --share city --member 3 --retire`.
From one process to several: start the members first, then `lamplighter ingest --retire`; what the old session holds is
stored, and what the members have stored already counts as duplicate. EMQX keeps shared sessions in memory: a node that
dies takes its part of the queue with it, which the devices' resend of 60 s covers only while the members keep up. A
single Mosquitto, which writes its queue to disk, promises more in a long outage of the database, beside one ingest:
over its own restart Mosquitto forgets a share, though not what waits for the members.

## What the deployment looks like

### 10,000 devices: one process
`lamplighter up` beside Mosquitto and PostgreSQL on the smallest virtual machine. Everything is idle nearly all the
time; size the disk, and the memory by what PostgreSQL's cache shall hold.

### 100,000 devices: one host
The same host with {cores} cores and fast disk; `ingest`, `rules` and `api` as processes of their own, so that a slow
report never delays a commit. One Mosquitto holds the connections (raise its limit of open files). TimescaleDB, for
compression. A second host with a replica is for availability, not for speed.

### 1,000,000 devices: members, cluster, replica
No single Mosquitto holds a million connections: a clustered broker (EMQX, {million_brokers} nodes and more) behind one
address. By CPU one ingest process would do; several share the uplinks so that one may die:
`lamplighter ingest --share city --member 1`, `--member 2`, and so on; each keeps its queue at the broker
when it is away, and members on two hosts survive the loss of one. The database
is TimescaleDB on a host of its own with a synchronous replica; reports and Grafana read from the replica.

### 10,000,000 devices: partition
Connections are beyond any one broker and a year of rows beyond the disk of one host, while by CPU one database would
still do: disk, backup and the time to restore are the end of the road. Cut the city (or the country) into districts of
at most a million devices, each with its own broker, ingest and database, as above; nothing in the
contract crosses districts, since zones, rules and rollups are local. What is read
across them is small: `zone_daily` and alarms, copied by logical replication into one database for reports.
"""


def page(costs: Costs) -> str:
    """The page as Markdown."""
    named = {name: getattr(costs, name) for name in Costs.__slots__}
    parts = [_HEAD.format(**named, tcp_bytes=TCP_BYTES)]
    for every_s in INTERVALS_S:
        sizes = [Size(costs, devices, every_s) for devices in DEVICES]
        parts += [f"## One reading each {every_s // 60} minutes\n" if every_s > 60 else "## One reading each minute\n"]
        parts += [pipes(_table(sizes)), ""]
    million = Size(costs, 1_000_000, INTERVALS_S[0])
    parts.append(
        _TEXT.format(
            cores=HOST_CORES,
            disk=HOST_DISK_TB,
            connections=HOST_CONNECTIONS,
            raw_days=DEFAULT_RAW_DAYS,
            million_brokers=million.brokers,
        )
    )
    return "\n".join(parts)


def _table(sizes: list[Size]) -> Table:
    table = Table(["", *(f"{size.devices:,} devices" for size in sizes)])
    rows = (
        ("messages/s, mean", lambda size: f"{size.rate:,.0f}"),
        ("ingest, cores", lambda size: f"{size.ingest_cores:,.2f}"),
        ("ingest, processes", lambda size: f"{size.members:,}"),
        ("broker, cores", lambda size: f"{size.broker_cores:,.2f}"),
        ("broker, nodes", lambda size: f"{size.brokers:,}"),
        ("database, cores", lambda size: f"{size.database_cores:,.2f}"),
        ("write-ahead log, MB/s", lambda size: f"{size.log_mb_s:,.1f}"),
        ("network, Mbit/s", lambda size: f"{size.network_mbit_s:,.1f}"),
        ("raw rows, TB a year", lambda size: f"{size.raw_tb:,.2f}"),
        ("raw rows compressed, TB a year", lambda size: f"{size.raw_tb / COMPRESSION:,.2f}"),
        ("rollups, TB a year", lambda size: f"{size.rollups_tb:,.2f}"),
        ("bottleneck", lambda size: size.bottleneck),
    )
    for name, value in rows:
        table.rows.append([name, *map(value, sizes)])
    return table


def main() -> int:
    """Write the page."""
    try:
        costs = Costs.read(RESULTS)
    except (OSError, KeyError) as error:
        print(f"python -m bench.sizing: run `make bench` first, which measures the costs ({error}).", file=sys.stderr)
        return 1
    PAGE.write_text(page(costs), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

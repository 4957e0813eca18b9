"""The cases: each a load and its faults, as named fields."""

from dataclasses import dataclass, field, fields, replace

from tests.chaos.uplinks import Mix


@dataclass(frozen=True)
class Faults:
    """How often what happens while the devices report; when, and in which order, the seed says."""

    ingest_killed: int = 0
    """kill -9 at any instant, started again at once."""
    ingest_killed_before_commit: int = 0
    """kill -9 when its COMMIT is on the way to the database, which never hears of it."""
    ingest_killed_after_commit: int = 0
    """kill -9 when the database has committed, before ingest hears of it: nothing is acknowledged."""
    ingest_restarted: int = 0
    """Stopped in order, as for an upgrade, and started again."""
    ingest_frozen: int = 0
    """Stopped for some seconds (SIGSTOP), as by a machine without memory: a slow consumer."""
    database_killed: int = 0
    """kill -9 of the server under load, started again soon."""
    database_killed_at_commit: int = 0
    """kill -9 of the server when a COMMIT is on its way: it then gives the number of that transaction to another."""
    database_restarted: int = 0
    """Stopped in order, and started again."""
    primary_lost: int = 0
    """kill -9 of a replicated server, which never comes back; its standby takes its place."""
    database_slow: int = 0
    """Every piece on the way to it takes 0.3 s longer for some seconds."""
    database_disk_full: int = 0
    """Its disk is filled to the last byte, and freed some seconds later."""
    broker_restarted: int = 0
    """Stopped in order: it writes its snapshot."""
    broker_killed: int = 0
    """kill -9: what came since its last snapshot is gone, and the devices resend."""
    broker_cut: int = 0
    """All connections between ingest and broker torn, and none possible for a moment."""
    broker_stalled: int = 0
    """Between ingest and broker nothing moves for some seconds; the connections stand."""
    broker_silent: int = 0
    """As when a firewall forgets: what either end sends vanishes, and neither is told."""
    database_cut: int = 0
    """As `broker_cut`, between ingest and database."""
    database_stalled: int = 0
    """As `broker_stalled`, between ingest and database."""
    database_silent: int = 0
    """As `broker_silent`, between ingest and database."""
    commits_in_doubt: int = 0
    """The connection to the database is torn after the commit and before its answer."""
    oversized_packets: int = 0
    """A device sends a packet of twice the size that the broker takes."""
    quarantine_replayed: int = 0
    """The strangers are registered, and what is kept of them is replayed."""
    recordings_replayed: int = 0
    """`lamplighter simulate --replay` plays a series in between."""

    @property
    def wired(self) -> bool:
        """Whether a stretch of network of ours is needed."""
        own = ("commit", "stalled", "silent", "cut", "slow", "doubt")
        return any(any(word in name for word in own) for name, count in self.drawn if count)

    @property
    def drawn(self) -> list[tuple[str, int]]:
        """Each fault with its number."""
        return [(each.name, getattr(self, each.name)) for each in fields(self)]


@dataclass(frozen=True)
class Case:
    """One row of the table. `backlog` readings come while the database is away, before all else."""

    name: str
    says: str
    repetitions: int
    faults: Faults = Faults()
    mix: Mix = field(default_factory=Mix)
    rate_per_s: float = 400.0
    seconds: float = 5.0
    members: int = 1
    backlog: int = 0
    backlog_per_s: int = 0
    """How many of it come a second; 0: as many as the broker takes."""
    meanwhile: str = ""
    """A fault of the broker's while the backlog waits."""
    fat: bool = False
    """The backlog is of arrays of 500, as large as they come."""
    autosave: bool = False
    """The broker's own snapshot, every 30 s, is waited for, instead of asking for one at the start."""
    settle_s_max: float = 150.0


HOSTILE = Mix(poison_pct=20, bomb_pct=0.3, ahead_pct=5, stranger_pct=5)
CLOCKLESS = Mix(numbered_pct=30, bare_pct=10, skewed_pct=15, ahead_pct=10, late_pct=10, retained_pct=5)
BACKFILL = Mix(array_pct=3, late_pct=15)
REPEATING = Mix(repeat_pct=30, conflicting_pct=10, retained_pct=20, numbered_pct=10)
EVERYTHING = Faults(
    ingest_killed=1,
    ingest_killed_after_commit=1,
    database_killed=1,
    broker_restarted=1,
    broker_cut=1,
    database_cut=1,
    commits_in_doubt=1,
    quarantine_replayed=1,
    recordings_replayed=1,
)
"""The broker is restarted beside a lone ingest only: Mosquitto forgets a share (decision 21)."""

CASES = [
    Case("ingest_killed", "kill -9 of ingest at any instant", 3, Faults(ingest_killed=3)),
    Case("killed_before_commit", "kill -9 just before the commit", 1, Faults(ingest_killed_before_commit=3)),
    Case("killed_after_commit", "kill -9 between commit and acknowledgement", 3, Faults(ingest_killed_after_commit=3)),
    Case("ingest_restarted", "ingest stopped in order and started, as for an upgrade", 1, Faults(ingest_restarted=2)),
    Case("member_killed", "two members of a share, one killed mid-flight", 3, Faults(ingest_killed=2), members=2),
    Case("database_killed", "kill -9 of the database", 3, Faults(database_killed=2)),
    Case("database_killed_at_commit", "the same before a commit", 2, Faults(database_killed_at_commit=2)),
    Case("database_restarted", "the database stopped and started", 1, Faults(database_restarted=2)),
    Case("primary_lost", "the primary lost for good, its standby promoted", 2, Faults(primary_lost=1)),
    Case("commit_in_doubt", "the answer to a commit is lost", 1, Faults(commits_in_doubt=3)),
    Case("broker_restarted", "the broker stopped and started", 3, Faults(broker_restarted=2)),
    Case("broker_killed", "kill -9 of the broker; the devices resend", 3, Faults(broker_killed=1)),
    Case(
        "broker_killed_late",
        "the same after a snapshot of its own",
        1,
        Faults(broker_killed=1),
        seconds=44,
        autosave=True,
    ),
    Case("broker_cut", "the line to the broker torn", 1, Faults(broker_cut=3)),
    Case("broker_stalled", "the line to the broker stands still", 1, Faults(broker_stalled=2)),
    Case("broker_silent", "the line to the broker falls silent", 1, Faults(broker_silent=1)),
    Case("database_cut", "the line to the database torn", 1, Faults(database_cut=3)),
    Case("database_stalled", "the line to the database stands still", 1, Faults(database_stalled=2)),
    Case("database_silent", "the line to the database falls silent", 1, Faults(database_silent=1)),
    Case("disk_full", "the database's disk full, then freed", 2, Faults(database_disk_full=1), seconds=10),
    Case("poison", "every fourth uplink is refused", 2, Faults(oversized_packets=2, ingest_killed=1), HOSTILE),
    Case("wrong_clocks", "devices without a clock, or a wrong one", 1, Faults(ingest_killed=1), CLOCKLESS),
    Case("repeats", "retained, repeated and contradicting uplinks", 2, Faults(ingest_killed=2), REPEATING),
    Case("backfill", "arrays of 500, late", 2, Faults(ingest_killed=1, database_killed=1), BACKFILL, rate_per_s=200),
    Case("slow_consumer", "ingest frozen, the database slow", 2, Faults(ingest_frozen=1, database_slow=1)),
    Case(
        "quarantine_replay",
        "strangers become known, and theirs is replayed",
        1,
        Faults(quarantine_replayed=1, ingest_killed=1),
        Mix(stranger_pct=10),
    ),
    Case("recording_replay", "a recording played meanwhile", 1, Faults(recordings_replayed=1, broker_restarted=1)),
    Case("everything", "all of it, one after the other", 2, EVERYTHING, seconds=12),
    Case(
        "everything_shared",
        "the same with two members of a share, the broker up",
        2,
        replace(EVERYTHING, broker_restarted=0),
        members=2,
        seconds=12,
    ),
    Case("database_away", "the database away, 900,000 uplinks waiting", 1, backlog=900_000, settle_s_max=600),
    Case(
        "backlog_restarted",
        "a backlog waits while the broker is stopped and started",
        1,
        backlog=100_000,
        meanwhile="broker_restarted",
        settle_s_max=400,
    ),
    Case("fat_backlog", "the same with the largest arrays", 1, backlog=400, fat=True, settle_s_max=400),
]

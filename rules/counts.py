"""What the rules count about themselves, for metrics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.effects import ClearAlarm, Count, Effect, MoveCommand, PublishZone, RaiseAlarm, SendCommand
from rules.rulefile.active import RuleStanding
from telemetry.backlog import Backlog


@dataclass(slots=True)
class Counts:
    """Counters since the start. `refused` observations are ingest's to keep; `acks_misspoken` nobody understands.

    `happened` counts by name: `late` observations, `missed_edge`, `ack_unknown`, `ack_repeated`, `program_refused` by a
    guard. `commands` counts by state, `alarms` raised by type. `leading`: this process decides; `record_s` is the time
    spent on records, real; `journaled` of them went into the journal, which now has `journal_bytes`. `probes` have been
    sent into ingest's queues, `backlog` is what came of it. `rules` are those in force, known to the leader only.
    `notifications` by sink: `sent`, `failed` attempts, `dropped`.
    """

    observations: int = 0
    refused: int = 0
    acks: int = 0
    acks_misspoken: int = 0
    steps: int = 0
    records: int = 0
    record_s: float = 0.0
    journaled: int = 0
    journal_bytes: int = 0
    assets: int = 0
    alarms_cleared: int = 0
    zone_words: int = 0
    leading: bool = False
    probes: int = 0
    backlog: Backlog | None = None
    rules: RuleStanding | None = None
    happened: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    notifications: dict[str, Counter[str]] = field(default_factory=dict)

    def stepped(self, effects: Sequence[Effect]) -> None:
        """A step was made."""
        self.steps += 1
        for each in effects:
            if isinstance(each, Count):
                self.happened[each.id] += each.number
            elif isinstance(each, PublishZone):
                self.zone_words += 1

    def recorded(self, effects: Sequence[Effect]) -> None:
        """Effects became durable."""
        self.records += 1
        for each in effects:
            if isinstance(each, RaiseAlarm):
                self.alarms[each.type.value] += 1
            elif isinstance(each, ClearAlarm):
                self.alarms_cleared += 1
            elif isinstance(each, MoveCommand):
                self.commands[each.state.value] += 1
            elif isinstance(each, SendCommand):
                self.commands["resent" if each.again else "queued"] += 1

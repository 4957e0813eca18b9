"""`cabinet_outage`: when most lamps of a cabinet are silent or without supply, that is one incident and not 140. Pure.

Lamps of a cabinet do not fall silent in the same second: each does when its own intervals have run out. So when one
does, those count too that are one interval short of it; then a cabinet that is dead is one alarm from the beginning.
What belongs to an incident has no alarm of its own, and nothing is expected of it until it is heard again or the
incident is over; then it has its usual intervals to be heard, or is silent on its own account.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rules import alarming, lamp_alarms
from rules.city import LAMPS, City
from rules.effects import ClearAlarm, RaiseAlarm
from rules.memory import FOREVER_US, NEVER_US, Bools, FlagColumn, Memory, NameColumn, Rows, TimeColumn, Times
from rules.silence import Presence, Watch, listened_since_us
from rules.timing import Latch, Turned
from telemetry.alarms import AlarmType, alarm_id, cabinet_subject
from telemetry.clock import to_rfc3339

NAMED_MAX = 100
"""So many lamps an alarm names; the others it counts."""

AlarmChange = RaiseAlarm | ClearAlarm


@dataclass(slots=True, eq=False)
class Folded(Memory):
    """Lamps whose trouble an incident of `cabinet` tells, caused at `since_us`; `heard_us`: last heard when it began.

    `powerless`: an alarm of its own that it has no supply is held back because of that.
    """

    cabinet: NameColumn
    since_us: TimeColumn
    heard_us: TimeColumn
    powerless: FlagColumn


@dataclass(frozen=True, slots=True)
class Feed:
    """What cabinets are judged by: the memories of presence and supply, and how long lamps may keep silent."""

    city: City
    folded: Folded
    presence: Presence
    supply: Latch
    watch: Watch

    def silent(self, gone: Rows, at_us: Times) -> tuple[Bools, list[AlarmChange]]:
        """Lamps have just fallen silent: which of them no incident tells, and what changes by that."""
        return self._take(gone, at_us, silent=True)

    def powerless(self, turned: Turned) -> tuple[Bools, list[AlarmChange]]:
        """Lamps have just lost their supply, or have it again: which of them no incident tells, and what changes."""
        lost = self.supply.active[turned.rows]
        back = turned.rows[~lost]
        alone = ~self.folded.powerless[turned.rows]
        self.folded.powerless[back] = False
        alone[lost], changes = self._take(turned.rows[lost], turned.at_us[lost], silent=False)
        return alone, changes

    def settle(self, at_us: int) -> Iterator[AlarmChange]:
        """Let go of lamps that are heard and fed again, and end the incidents of which few lamps are left."""
        rows = np.flatnonzero(self.folded.since_us != NEVER_US)
        if not len(rows):
            return
        causes = dict(zip(self.folded.cabinet[rows].tolist(), self.folded.since_us[rows].tolist(), strict=True))
        well = (self.presence.heard_us[rows] > self.folded.heard_us[rows]) & ~self.supply.active[rows]
        gone = ~self.watch.served[rows] | (self.city.lamps.fed_by[rows] != self.folded.cabinet[rows])
        self._let_go(rows[well | gone], NEVER_US)
        for name, cause_us in causes.items():
            left = rows[self.folded.cabinet[rows] == name]
            members = self._members(name)
            if len(left) and 100.0 * len(left) >= self.city.thresholds.folding.clear_pct * len(members):
                continue
            subject, kind = cabinet_subject(name), AlarmType.CABINET_OUTAGE
            yield ClearAlarm(alarm_id(subject, kind, cause_us), at_us, subject, kind)
            held = left[self.folded.powerless[left]]
            self._let_go(left, at_us)
            told = Turned(held, np.full(len(held), at_us))
            yield from lamp_alarms.turned(self.city, AlarmType.SUPPLY_LOSS, self.supply, told)

    def _take(self, rows: Rows, at_us: Times, silent: bool) -> tuple[Bools, list[AlarmChange]]:
        """These lamps have troubles of which nothing has been said yet."""
        alone, changes = np.ones(len(rows), np.bool_), list[AlarmChange]()
        names = self.city.lamps.fed_by[rows]
        for name in sorted(set(names.tolist()) - {""}):
            mine = names == name
            found = self._judge(name, rows[mine], int(at_us[mine].min()), silent)
            if found is not None:
                alone[mine] = False
                changes += found
        return alone, changes

    def _judge(self, name: str, fresh: Rows, at_us: int, silent: bool) -> list[AlarmChange] | None:
        """What an incident of the cabinet, old or new, makes of troubles of its lamps; `None`: there is none."""
        members = self._members(name)
        standing = self.folded.since_us[members]
        if (standing != NEVER_US).any():
            return self._fold(name, fresh, fresh, int(standing.max()), at_us, silent)
        affected = np.union1d(members[self._affected(members, at_us)], fresh)
        folding = self.city.thresholds.folding
        if len(affected) < folding.least or 100.0 * len(affected) < folding.raise_pct * len(members):
            return None
        cause_us = int(self.presence.heard_us[affected].min())
        raised = self._raised(name, members, affected, cause_us, at_us)
        return [raised, *self._fold(name, affected, fresh, cause_us, at_us, silent)]

    def _members(self, name: str) -> Rows:
        """The lamps of a cabinet that count: served, and heard once."""
        rows = self.city.lamps.fed.get(name, np.empty(0, np.intp))
        counts: Bools = self.watch.served[rows] & (self.presence.heard_us[rows] != NEVER_US)
        return rows[counts]

    def _affected(self, rows: Rows, at_us: int) -> Bools:
        """Which are silent at a moment, or one interval short of it, or have no supply, or are about to lose it."""
        watch, presence = self.watch, self.presence
        since = listened_since_us(presence, rows, watch.listening_us)
        if watch.night is not None:
            since = np.maximum(since, watch.night.dusk_us)
        overdue = since + (watch.missed_intervals - 1) * watch.interval_us[rows] <= at_us
        losing = self.supply.active[rows] ^ (self.supply.since_us[rows] != NEVER_US)
        found: Bools = presence.silent[rows] | overdue | losing
        return found

    def _fold(self, name: str, rows: Rows, fresh: Rows, cause_us: int, at_us: int, silent: bool) -> list[AlarmChange]:
        """Have the incident tell of these lamps; what had been told of them before ends."""
        folded, presence, supply = self.folded, self.presence, self.supply
        old = ~np.isin(rows, fresh)
        mute = rows[presence.silent[rows] & (old | (not silent))]
        dark = rows[supply.active[rows] & ~folded.powerless[rows] & (old | silent)]
        roll = self.city.rolls[LAMPS]
        told: list[AlarmChange] = [*alarming.heard(roll, presence, mute, np.full(len(mute), at_us))]
        told += [
            alarming.cleared(roll.assets[row].asset, AlarmType.SUPPLY_LOSS, at_us, int(supply.cause_us[row]))
            for row in dark.tolist()
        ]
        folded.cabinet[rows], folded.since_us[rows] = name, cause_us
        folded.heard_us[rows] = presence.heard_us[rows]
        folded.powerless[rows] = supply.active[rows]
        presence.silent[rows] = False
        presence.excused_us[rows] = FOREVER_US
        return told

    def _let_go(self, rows: Rows, excused_us: int) -> None:
        folded = self.folded
        folded.cabinet[rows], folded.since_us[rows], folded.heard_us[rows] = "", NEVER_US, NEVER_US
        folded.powerless[rows] = False
        self.presence.excused_us[rows] = excused_us

    def _raised(self, name: str, members: Rows, affected: Rows, cause_us: int, at_us: int) -> RaiseAlarm:
        folding, kind, roll = self.city.thresholds.folding, AlarmType.CABINET_OUTAGE, self.city.rolls[LAMPS]
        subject = cabinet_subject(name)
        inputs = {
            "cabinet": name,
            "lamps": len(members),
            "affected": len(affected),
            "affected_pct": round(100.0 * len(affected) / len(members), 1),
            "without_supply": int(self.supply.active[affected].sum()),
            "last_heard_at": to_rfc3339(int(self.presence.heard_us[affected].max())),
            "assets": [roll.assets[row].asset for row in affected[:NAMED_MAX].tolist()],
        }
        limits = {
            "least": folding.least,
            "raise_pct": folding.raise_pct,
            "clear_pct": folding.clear_pct,
            "missed_intervals": self.watch.missed_intervals,
        }
        why = {"rule_version": self.city.thresholds.version, "inputs": inputs, "thresholds": limits}
        return RaiseAlarm(alarm_id(subject, kind, cause_us), at_us, subject, None, kind, cause_us, why)

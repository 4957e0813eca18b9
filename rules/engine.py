"""One step of all rules: `step(city, state, inputs, moment)` gives the next state and the effects. Pure.

Observations count in order of arrival for each asset: what is not newer than the newest processed is late and fires
nothing. The rest is taken in waves of one observation an asset; before an observation of time T counts, the timers of
its asset that run out by min(T, now) have run out. Afterwards all timers run out that are due by the settled moment.
An observation's time is never taken to lie ahead of the city clock.

What looks at every asset is done every `ROUND_US` and where time alone, or a person, is the reason for a step: so a
step costs as much as what it brings, however large the city.
"""

from dataclasses import dataclass, field

import numpy as np

from rules import (
    adopting,
    alarming,
    battery,
    commanding,
    dispatching,
    failing,
    following,
    lamp_reports,
    occupancy,
    radio,
    rhythm,
    silence,
    stuck,
    zones,
)
from rules.arrival import Arrivals, arrivals, on_time, waves
from rules.cabinets import Feed
from rules.city import BAYS, DRAINS, LAMPS, City, Roll
from rules.commanding import Desk, Reports
from rules.drains import asking, sampling
from rules.drains.flow import SLOT_US, Drains
from rules.effects import Count, Effect, ForgetZone, PublishZone, in_order
from rules.inputs import Inputs, Moment
from rules.memory import FOREVER_US, NEVER_US, Bools, Rows, Times
from rules.occupancy import HEARTBEAT_SHARE, Moves
from rules.silence import Presence, Watch
from rules.state import State, aligned, refresh
from rules.timing import Latch
from telemetry.alarms import AlarmType
from telemetry.clock import SECOND_US
from telemetry.registry import Registry

ROUND_US = SECOND_US // 4
"""All assets are looked at this often by the city clock."""


def step(city: City, state: State, inputs: Inputs, moment: Moment) -> tuple[State, list[Effect]]:
    """The state after a batch of inputs at a moment, and what is to be done, in order of time.

    `state` is not changed. A state made for another version of the registry is aligned with the city's first. The
    moment never goes back: an earlier one than the last is taken as the last.
    """
    return advance(city, state.copy(), inputs, moment)


def advance(city: City, state: State, inputs: Inputs, moment: Moment) -> tuple[State, list[Effect]]:
    """As `step`, but uses up the state that it is given."""
    now_us = max(moment.now_us, state.now_us)
    settled_us = max(min(moment.settled_us, now_us), state.settled_us)
    moment = Moment(now_us, settled_us, moment.listening_us)
    effects: list[Effect] = []
    before_us, state = state.round_us, _adopted(city, state, now_us, effects)
    state.now_us, state.settled_us = now_us, settled_us
    desk = Desk(city, state, moment, effects, before_us, inputs.unsent)
    _Step(city, state, moment, effects, desk, Drains(city, state, effects)).run(inputs)
    return state, in_order(effects)


@dataclass(slots=True)
class _Step:
    """A step at work on a state of its own."""

    city: City
    state: State
    moment: Moment
    effects: list[Effect]
    desk: Desk
    drains: Drains
    intervals_us: dict[str, Times] = field(default_factory=dict)

    def run(self, inputs: Inputs) -> None:
        desk = self.desk
        commanding.depart(desk, inputs.left_us)
        commanding.expire(desk)
        self.drains.release(self.moment.now_us)
        self._listen(inputs.radios)
        counts_from = np.full(len(self.city.rolls[LAMPS]), -1, np.intp)
        for ack in inputs.acks:
            lamp = commanding.answer(desk, ack)
            if lamp is not None:
                counts_from[lamp[1]] = ack.message
        for kind, columns in inputs.columns.items():
            roll = self.city.rolls[kind]
            found = arrivals(columns, roll.rows(columns.asset_id))
            self._observe(desk, roll, found, counts_from if kind == LAMPS else None)
        asked = bool(inputs.overrides or inputs.ended or not inputs.columns)
        if asked or self.moment.now_us - self.state.round_us >= ROUND_US:
            self._look_round(inputs)
            self.state.round_us = self.moment.now_us

    def _look_round(self, inputs: Inputs) -> None:
        """All that looks at every asset."""
        desk = self.desk
        for roll in self.city.rolls.values():
            self._run_out(roll, roll.every_row, self.moment.settled_us)
        if self.state.radios is not None:
            standing = self.state.outages
            self.effects.extend(radio.outages(self.city, standing, self.state.radios, self.moment.settled_us))
        self._lift()
        self._escalate()
        self.effects.extend(self._feed().settle(self.moment.settled_us))
        for ended in inputs.ended:
            commanding.end(desk, ended)
        for wish in inputs.overrides:
            commanding.override(desk, wish)
        dispatching.dispatch(desk)
        asking.ask(desk)
        self._speak()

    def _observe(self, desk: Desk, roll: Roll, found: Arrivals, counts_from: Rows | None) -> None:
        """All observations of one kind."""
        presence = self.state.presence[roll.kind]
        timely = on_time(found, presence.position_us)
        late = found if not timely.any() else found.take(~timely)
        for wave in waves(found.take(timely), SLOT_US if roll.kind == DRAINS else None):
            at_us = np.minimum(wave.observed_us, self.moment.now_us)
            self._run_out(roll, wave.row, at_us)
            elapsed_us = wave.observed_us - presence.position_us[wave.row]
            heartbeat = elapsed_us >= HEARTBEAT_SHARE * self._interval_us(roll)[wave.row]
            self._learn(roll, presence, wave, elapsed_us)
            heard_us = presence.heard_us[wave.row]
            self._hear(roll, presence, wave)
            after = np.ones(len(wave), np.bool_) if counts_from is None else wave.message > counts_from[wave.row]
            self._measure(roll, wave, at_us, heartbeat, after)
            level = wave.fields["level_pct"] if roll.kind == LAMPS else None
            reports = Reports(roll.kind, wave.row, at_us, after, heard_us, level)
            self._follow(reports, roll)
            commanding.reports(desk, reports)
            presence.position_us[wave.row] = wave.observed_us
        if len(late):
            self.effects.append(Count("late", self.moment.now_us, len(late)))
            self._hear(roll, presence, late)

    def _run_out(self, roll: Roll, rows: Rows, until_us: Times | int) -> None:
        """Let the timers of these assets run out that are due by a moment."""
        if not len(rows):
            return
        presence = self.state.presence[roll.kind]
        gone, since = silence.fall_silent(presence, rows, self._watch(roll), until_us)
        if roll.kind == LAMPS and len(gone):
            alone, changes = self._feed().silent(gone, since)
            self.effects.extend(changes)
            gone, since = gone[alone], since[alone]
        said = alarming.silence(self.city, roll, presence, self._interval_us(roll), gone, since)
        self.effects.extend(self.drains.silent(said, gone, since) if roll.kind == DRAINS else said)
        if roll.kind == LAMPS:
            self.effects.extend(lamp_reports.run_out(self.city, self.state, self._feed(), rows, until_us))
        elif roll.kind == DRAINS:
            self.drains.run_out(rows, until_us)
        elif roll.kind == BAYS:
            heard = presence.heard_us[rows]
            unknown = heard + silence.patience_us(presence, rows, self._watch(roll), until_us)
            unknown = np.where(heard == NEVER_US, FOREVER_US, unknown)
            self._move(occupancy.expire(self.state.occupancy, rows, until_us, unknown, self.city.thresholds.parking))

    def _escalate(self) -> None:
        """Rain has begun over drains that nobody hears."""
        roll = self.city.rolls[DRAINS]
        rows, at_us = self.drains.unseen(self.moment.settled_us)
        said = alarming.silence(self.city, roll, self.state.presence[DRAINS], self._interval_us(roll), rows, at_us)
        self.effects.extend(self.drains.silent(said, rows, at_us))

    def _hear(self, roll: Roll, presence: Presence, found: Arrivals) -> None:
        """Signs of life."""
        patience = silence.patience_us(presence, found.row, self._watch(roll), self.moment.now_us)
        life = silence.sign_of_life_us(found.observed_us, patience, self.moment.now_us, self.moment.settled_us)
        back, at_us = silence.hear(presence, found.row, life)
        self.effects.extend(alarming.heard(roll, presence, back, at_us))

    def _measure(self, roll: Roll, wave: Arrivals, at_us: Times, heartbeat: Bools, after: Bools) -> None:
        """What the values of a wave mean to the rule of their kind."""
        if roll.kind == LAMPS:
            self.effects.extend(lamp_reports.measure(self.city, self.state, self._feed(), wave, at_us, after))
        elif roll.kind == DRAINS:
            self.drains.measure(wave, at_us)
            self._check_battery(roll, self.state.drain_battery, wave, at_us)
        elif roll.kind == BAYS:
            self._check_battery(roll, self.state.bay_battery, wave, at_us)
            said = wave.fields["occupied"]
            moves, missed = occupancy.report(self.state.occupancy, wave.row, at_us, said, heartbeat)
            self._move(moves)
            if missed:
                self.effects.append(Count("missed_edge", self.moment.now_us, missed))

    def _follow(self, wave: Reports, roll: Roll) -> None:
        """Whether lamps give what they have acknowledged."""
        if wave.level_pct is None:
            return
        counts = wave.after
        judged = following.report(self.state.following, wave.rows[counts], wave.at_us[counts], wave.level_pct[counts])
        if len(judged.failing) or len(judged.back):
            at_us = np.full(len(roll), NEVER_US)
            at_us[wave.rows] = wave.at_us
            self.effects.extend(alarming.following(self.city, roll, self.state.following, judged, at_us))

    def _listen(self, radios: radio.Radios | None) -> None:
        """Expect nothing of devices whose radio gateways are out."""
        if radios is None or radios is self.state.radios:
            return
        self.state.radios = radios
        for roll in self.city.rolls.values():
            presence, now_us = self.state.presence[roll.kind], self.moment.now_us
            patience = silence.patience_us(presence, roll.every_row, self._watch(roll), now_us)
            folded = radio.excuse(presence, roll, radios, patience, now_us)
            self.effects.extend(alarming.heard(roll, presence, folded, np.full(len(folded), now_us)))

    def _learn(self, roll: Roll, presence: Presence, wave: Arrivals, elapsed_us: Times) -> None:
        """What the time since the last observation says of a device's report interval."""
        live = wave.observed_us >= self.moment.settled_us - roll.interval_us[wave.row]
        untold = presence.told_until_us[wave.row] < wave.observed_us
        known = presence.position_us[wave.row] != NEVER_US
        teaches = live & untold & known & ~roll.interval_given[wave.row]
        if teaches.any() and rhythm.learn(self.state.rhythm[roll.kind], wave.row[teaches], elapsed_us[teaches]):
            self.intervals_us.pop(roll.kind, None)

    def _interval_us(self, roll: Roll) -> Times:
        """How often each asset reports."""
        if roll.kind not in self.intervals_us:
            self.intervals_us[roll.kind] = rhythm.interval_us(self.state.rhythm[roll.kind], roll)
        return self.intervals_us[roll.kind]

    def _feed(self) -> Feed:
        """What cabinets are judged by."""
        state, roll = self.state, self.city.rolls[LAMPS]
        return Feed(self.city, state.folded, state.presence[LAMPS], state.supply, self._watch(roll))

    def _watch(self, roll: Roll) -> Watch:
        presence = self.city.thresholds.presence
        by_night = roll.kind == LAMPS and presence.lamps_silent_by_day
        return Watch(
            self._interval_us(roll),
            roll.served,
            presence.missed_intervals,
            self.moment.listening_us,
            self.city.clock.night(self.moment.settled_us) if by_night else None,
        )

    def _check_battery(self, roll: Roll, latch: Latch, wave: Arrivals, at_us: Times) -> None:
        """What a wave says of batteries."""
        turned = battery.measure(latch, self.city, roll.kind, wave.row, at_us, wave.fields["battery_pct"])
        self.effects.extend(alarming.battery(self.city, roll, latch, turned))

    def _lift(self) -> None:
        """Alarms whose device has left the registry are over; a bay that nothing watches any more is unknown."""
        now_us = self.moment.now_us
        for kind, roll in self.city.rolls.items():
            presence = self.state.presence[kind]
            over, gone = silence.unwatch(presence, self._watch(roll))
            self.effects.extend(alarming.heard(roll, presence, over, np.full(len(over), now_us)))
            unserved = np.flatnonzero(~roll.served & (presence.failing_us != NEVER_US)).tolist()
            self.effects.extend(failing.end(roll, presence, unserved, now_us))
            if kind == BAYS and len(gone):
                unknown, parking = np.full(len(gone), now_us), self.city.thresholds.parking
                self._move(occupancy.expire(self.state.occupancy, gone, now_us, unknown, parking))

    def _move(self, moves: Moves) -> None:
        if len(moves):
            self.state.moves = Moves.join([self.state.moves, moves])

    def _speak(self) -> None:
        """Show what has settled and publish the zones that have something to say."""
        heard_us = self.state.heard_us(BAYS)
        interval_us = self._interval_us(self.city.rolls[BAYS])
        words = zones.settle(self.city, self.state, heard_us, interval_us, self.moment.settled_us)
        self.effects.extend(PublishZone(word.zone, at_us, word) for at_us, word in words)
        self._compare()

    def _compare(self) -> None:
        """Find bays that are stuck, where a zone has just been looked at."""
        roll, state, at_us = self.city.rolls[BAYS], self.state, self.moment.settled_us
        for rows in zones.looked_at(self.city, state, at_us):
            found = stuck.look(state.stuck, state.occupancy, rows, at_us, self.city.thresholds.parking)
            self.effects.extend(alarming.stuck(self.city, roll, state.occupancy, state.stuck, found, at_us))


def _adopted(city: City, state: State, now_us: int, effects: list[Effect]) -> State:
    """The state as the city has it: its rows, and what its figures make of what was said before."""
    if state.registry is not city.registry:
        state = _resettled(city, state, now_us, effects)
    if state.thresholds is not city.thresholds:
        changed = adopting.restart_delays(city, state, state.thresholds)
        state.thresholds = city.thresholds
        Drains(city, state, effects).judge_again(np.flatnonzero(changed[DRAINS]), now_us)
    return state


def _resettled(city: City, state: State, now_us: int, effects: list[Effect]) -> State:
    """The state in the city's rows; alarms of assets and words of zones that are no more are ended."""
    _take_leave(state, city, now_us, effects)
    before = state.registry
    state = aligned(state, city)
    for kind, roll in city.rolls.items():
        swapped = _swapped(before, roll)
        rhythm.forget(state.rhythm[kind], swapped)
        effects += failing.end(roll, state.presence[kind], np.flatnonzero(swapped).tolist(), now_us)
    sampling.forget(state.sampling, _swapped(before, city.rolls[DRAINS]))
    for zone in sorted(state.said_us.keys() - set(city.bays.zones)):
        for memory in (state.said_us, state.status, state.outlooks):
            memory.pop(zone, None)
        effects.append(ForgetZone(zone, now_us))
    refresh(state, city, before)
    return state


def _swapped(before: Registry, roll: Roll) -> Bools:
    """Which assets another device serves now."""
    served = [before.assets.get(asset.asset_id, asset).device == asset.device for asset in roll.assets]
    return ~np.array(served, np.bool_)


def _take_leave(state: State, city: City, now_us: int, effects: list[Effect]) -> None:
    """Clear the alarms of assets that are no longer in service."""
    standing = [
        (AlarmType.DRAIN_HIGH, DRAINS, state.high.active, state.high.cause_us),
        (AlarmType.DRAIN_OVERFLOW, DRAINS, state.overflow.active, state.overflow.cause_us),
        (AlarmType.DRAIN_RISING_FAST, DRAINS, state.rising.active, state.rising.cause_us),
        (AlarmType.DRAIN_BLOCKAGE, DRAINS, state.blockage.active, state.blockage.cause_us),
        (AlarmType.SENSOR_FAULT, DRAINS, state.belief.active, state.belief.cause_us),
        (AlarmType.BATTERY_LOW, DRAINS, state.drain_battery.active, state.drain_battery.cause_us),
        (AlarmType.BATTERY_LOW, BAYS, state.bay_battery.active, state.bay_battery.cause_us),
        (AlarmType.LAMP_NOT_FOLLOWING, LAMPS, state.following.failing, state.following.cause_us),
        (AlarmType.PARKING_BAY_STUCK, BAYS, state.stuck.stuck, state.stuck.cause_us),
    ]
    for kind, presence in state.presence.items():
        standing.append((AlarmType.DEVICE_SILENT, kind, presence.silent, presence.cause_us))
        standing.append((AlarmType.COMMAND_FAILED, kind, presence.failing_us != NEVER_US, presence.failing_us))
    standing += [(alarm, LAMPS, active, cause_us) for alarm, active, cause_us in lamp_reports.standing(state)]
    for alarm, kind, active, cause_us in standing:
        gone = city.rolls[kind].rows(state.asset_id[kind]) < 0
        for row in np.flatnonzero(active & gone).tolist():
            asset = state.registry.assets[int(state.asset_id[kind][row])].asset
            effects.append(alarming.cleared(asset, alarm, now_us, int(cause_us[row])))

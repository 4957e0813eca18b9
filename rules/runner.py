"""The rules at work: steps over what comes in, and what is to become of what they decide.

What is neither in the database nor in the journal does not exist: memory, alarms and commands are recorded first, then
the broker is acknowledged, then effects go out. Only the words of zones go out at once: they are states, and are said
again.
"""

import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from zoneinfo import ZoneInfo

from bus import inbox as inboxes
from rules import trail
from rules.city import City
from rules.counts import Counts
from rules.departures import Departures
from rules.effects import Count, Effect, ForgetZone, MoveCommand, PublishZone, SendCommand
from rules.engine import advance
from rules.hearing import SETTLE_S, Hearing
from rules.inputs import Acked, Inputs
from rules.memory import NEVER_US
from rules.notices import Notices
from rules.notifying import Notifier
from rules.outbox import Outbox, Parcel
from rules.people import People
from rules.platform_alarms import Fact, turn
from rules.radio_words import RadioWords
from rules.recall import Recalled, RecalledZone, restore
from rules.record import Record, alarm_change, record
from rules.rulefile.active import ActiveRules
from rules.standing import Standing
from rules.sun import Sun
from rules.uplinks import Uplinks, read
from rules.wishes import CHANNELS, Wishes
from storage import alarms, announcements, commands, errors, outages, registry, rule_state, zones
from storage.commands import Waiting
from storage.pool import Connection
from telemetry import availability, topics
from telemetry import commands as wire
from telemetry.alarms import PLATFORM, Alarm, AlarmType, gateway_subject
from telemetry.clock import SECOND_US, Now, to_rfc3339
from telemetry.decoding import Decoder
from telemetry.limits import RECEIVE_MAXIMUM
from telemetry.registry import Registry
from telemetry.spans import span

RECORD_EVERY_S = 1.0
"""Positions alone are recorded this often, in real seconds; anything that matters at once."""
HELD_MESSAGES_MAX = RECEIVE_MAXIMUM // 2
"""So many messages that wait for a record are recorded at once."""
REGISTRY_LOOK_S = 2.0
ALARMS_LOOK_S = 2.0
"""So often the database is looked at for what others changed, in real seconds."""
WISHES_LOOK_S = 10.0
"""What people write down is announced; so often it is looked for unasked."""
PEOPLE_LOOK_S = 2.0
"""So often it is asked who is to be told or reminded, and kept who was, in real seconds."""
FACTS_LOOK_S = 2.0
"""So often the database is asked for facts about the platform itself, in real seconds."""

Source = Callable[[Connection], Awaitable[Sequence[Fact]]]
"""Asks the database for facts about the platform; raises what the database raises."""


@dataclass(frozen=True, slots=True)
class Town:
    """What does not change while the rules run. `speed` is that of the city clock `now`; `real_now` is the real one."""

    now: Now
    real_now: Now
    speed: float
    lat: float
    lon: float
    timezone: ZoneInfo

    def sun(self) -> Sun:
        """The sun over the town, by which the guards hold; that of its lamps is the city's `clock`."""
        return Sun(self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be recorded, and what happens once it is: messages are acknowledged, effects go out.

    `turned` are the alarms as they will be in the database.
    """

    record: Record
    batches: Sequence[inboxes.Batch]
    effects: Sequence[Effect]
    turned: Sequence[Alarm]


class Runner:
    """One leader's work: `load` first, then `take`, `decide` and `settle` again and again."""

    def __init__(
        self,
        town: Town,
        outbox: Outbox,
        notices: Notices,
        notifier: Notifier,
        counts: Counts,
        sources: Sequence[Source] = (),
        rules: ActiveRules | None = None,
    ) -> None:
        self._rules = rules or ActiveRules()
        self._town, self._outbox, self._notices, self._people = town, outbox, notices, People(notifier)
        self._sources, self.counts = sources, counts
        self._sun = town.sun()
        self._standing = Standing()
        self._number = 0
        self._effects: list[Effect] = []
        self._words: dict[str, PublishZone] = {}
        self._turned: list[Alarm] = []
        self._held: list[inboxes.Batch] = []
        self._held_since_s = 0.0
        self._departures = Departures()
        self._wishes = Wishes()
        self._looked_s: dict[str, float] = {}
        self._listening: Connection | None = None
        self._topic_of: dict[str, str] = {}
        self._city: City | None = None
        self._decoder: Decoder | None = None
        self._hearing: Hearing | None = None
        self.radio_words = RadioWords()

    async def load(self, conn: Connection) -> None:
        """Take up what the database holds.

        Raises:
            StorageError: the database does not answer.
        """
        with errors.translated():
            await self._wishes.look_at_zones(conn, self._town.now())
            await self._read_registry(conn)
            before = await self._rules.begin(conn, self._known_city().registry)
            self._build(self._known_city().registry)
            self._stepped = city = self._known_city()
            now_us = self._town.now()
            await self._rules.keep(conn, now_us)
            spoken = {each.zone: each for each in await zones.remembered(conn)}
            rows = await rule_state.load(conn)
            self._state = restore(
                city,
                (Recalled(each.asset_id, each.rule, each.position_us, each.state) for each in rows),
                {zone: RecalledZone(each.said_us, each.status, each.outlook) for zone, each in spoken.items()},
            )
            del rows  # several times what the state takes
            self._state.thresholds = before or self._state.thresholds
            async with conn.transaction():
                turned = await alarms.turn(conn, await alarms.stray(conn))
                await commands.expire_lost(conn, list(self._state.book.by_id), at_us=now_us)
            waiting = await commands.waiting(conn)
            outages_of = await outages.causes(conn, AlarmType.GATEWAY_OUTAGE)
            self._state.outages = {name.removeprefix(gateway_subject("")): at_us for name, at_us in outages_of.items()}
            active = await alarms.of_ids(conn, list(await alarms.active(conn)))
            self._standing = Standing(active)
            await self._people.load(conn, active)
        self._durable = self._state.copy()
        self._effects += [ForgetZone(zone, now_us) for zone in spoken.keys() - set(city.bays.zones)]
        self._tell(turned)
        for each in waiting:
            self._send_again(each)
        self._hearing = Hearing(self._town.speed, self._settled_before(now_us), time.monotonic())

    @property
    def hearing(self) -> Hearing:
        """How well we hear; there from `load` on."""
        assert self._hearing is not None, "load comes first"
        return self._hearing

    async def look(self, conn: Connection) -> None:
        """Take in what others changed in the database, each thing at its own pace.

        Raises:
            StorageError: the database does not answer.
        """
        with errors.translated():
            if conn is not self._listening:
                await announcements.listen(conn, CHANNELS)
                self._listening = conn
                self._looked_s.clear()
            if self._due("registry", REGISTRY_LOOK_S):
                await self._read_registry(conn)
            if self._rules.unkept:
                await self._rules.keep(conn, self._town.now())
            announced = await announcements.heard(conn)
            if self._due("wishes", 0.0 if announced else WISHES_LOOK_S):
                await self._look_at_wishes(conn)
            if self._due("told", PEOPLE_LOOK_S):
                await self._people.keep(conn)
            if self._due("facts", FACTS_LOOK_S):
                for source in self._sources:
                    self.take_facts(await source(conn))
            if self._due("alarms", ALARMS_LOOK_S):
                self._standing.note(await alarms.unshelve_due(conn, self._town.now()))
                await self._compare_alarms(conn)

    def take(self, batches: Sequence[inboxes.Batch]) -> None:
        """Step over messages, or over time alone where there are none."""
        assert self._decoder is not None
        self._look_at_rules()
        names = [name for batch in batches for name in batch.topics]
        payloads = [payload for batch in batches for payload in batch.payloads]
        uplinks = read(self._decoder, names, payloads, self._town.now())
        if batches and not self._held:
            self._held_since_s = time.monotonic()
        self._held += batches
        self._count_uplinks(uplinks)
        acks = self._given(uplinks.acks, batches)
        self._step(Inputs(uplinks.columns, acks), uplinks.observed_us, len(names))
        if self._due("people", PEOPLE_LOOK_S):
            self._people.remind(self._known_city(), self._town.now())

    def take_facts(self, facts: Iterable[Fact]) -> None:
        """Take in facts about the platform itself."""
        version = self._rules.thresholds.version
        self._decided(turn(self._standing.holding(PLATFORM), facts, version, self._town.now()))

    def must_record(self) -> bool:
        """Whether something has been decided that has to be recorded now."""
        if self._effects or self._words or self._departures.unrecorded:
            return True
        late = time.monotonic() - self._held_since_s >= RECORD_EVERY_S
        return bool(self._held) and (late or sum(map(len, self._held)) >= HELD_MESSAGES_MAX)

    def decide(self) -> Decision:
        """All that has come since the last time, to be recorded; nothing else is decided before that is `settle`d."""
        effects = [*self._effects, *self._words.values()]
        self._number += 1
        before, after, sent = self._durable, self._state, self._departures.for_record()
        decided, self._durable = record(self._number, self._stepped, before, after, effects, sent)
        decision = Decision(decided, self._held, effects, self._turned)
        self._effects, self._words, self._turned, self._held = [], {}, [], []
        return decision

    def settle(self, decision: Decision, changed: Sequence[Alarm] | None) -> None:
        """It is durable: acknowledge, and let effects go out. `changed`: the database's word on alarms, if any."""
        inboxes.acknowledge(decision.batches)
        self.counts.recorded(decision.effects)
        trail.leave(decision.effects)
        self._standing.note(changed or ())
        self._tell(decision.turned if changed is None else changed)
        for effect in decision.effects:
            self._publish(effect)

    def _tell(self, changed: Sequence[Alarm]) -> None:
        self._notices.tell(changed)
        self._people.take(changed, self._known_city(), self._town.now())

    def _given(self, acks: Sequence[Acked], batches: Sequence[inboxes.Batch]) -> list[Acked]:
        """The answers with the moment at which each was given at the earliest."""
        ends = list(accumulate(map(len, batches)))
        way_us = round(SETTLE_S * self._town.speed * SECOND_US)
        return [replace(ack, given_us=batches[bisect_right(ends, ack.message)].received_us - way_us) for ack in acks]

    def _step(self, inputs: Inputs, observed_us: int | None = None, messages: int = 0) -> None:
        moment = self.hearing.moment(self._town.now(), time.monotonic(), observed_us, messages)
        radios, left_us = self.radio_words.radios(time.monotonic()), self._departures.for_step()
        inputs = replace(inputs, radios=radios, left_us=left_us, unsent=self._departures.unsent)
        self._stepped = self._known_city()
        with span("rules step", messages=messages):
            self._state, effects = advance(self._stepped, self._state, inputs, moment)
        self._decided(effects)
        self.counts.stepped(effects)

    def _decided(self, effects: Sequence[Effect]) -> None:
        for each in effects:
            self._departures.decided(each)
            change = alarm_change(each)
            if change is not None:
                self._turned += self._standing.take(change)
            if isinstance(each, PublishZone):
                self._words[each.id] = each
                topic = topics.zone_parking(each.id)
                self._outbox.put(Parcel(topic, availability.encode(each.document), retain=True))
            elif not isinstance(each, Count):
                self._effects.append(each)

    def _publish(self, effect: Effect) -> None:
        if isinstance(effect, SendCommand):
            self._topic_of[effect.id] = topics.command(effect.kind, effect.device)
            self._outbox.put(self._parcel(effect))
        elif isinstance(effect, MoveCommand):
            if effect.id in self._topic_of:
                self._outbox.drop(self._topic_of.pop(effect.id), effect.id)
        elif isinstance(effect, ForgetZone):
            self._outbox.put(Parcel(topics.zone_parking(effect.id), b"", retain=True))

    def _parcel(self, command: SendCommand) -> Parcel:
        payload = wire.encode(
            wire.Command(
                command.id,
                to_rfc3339(command.at_us),
                command.settings,
                to_rfc3339(command.expires_us),
                command.reason,
            )
        )
        topic = self._topic_of[command.id]
        return Parcel(topic, payload, id=command.id, expires_us=command.expires_us, sent=self._departures.taken)

    def _send_again(self, waiting: Waiting) -> None:
        """A command that was decided and of which nobody knows whether it went out."""
        command = self._state.book.by_id.get(waiting.id)
        asset = None if command is None else self._known_city().asset(command.asset_id)
        if command is None or not command.sends or asset is None or asset.device != command.device:
            return
        effect = SendCommand(
            command.id,
            command.sent_us,
            command.asset_id,
            asset.asset,
            command.kind,
            command.device,
            command.settings,
            command.reason,
            command.expires_us,
            again=True,
        )
        self._departures.decided(effect)
        self._publish(effect)

    async def _read_registry(self, conn: Connection) -> None:
        version = await registry.version(conn)
        if self._city is not None and self._city.registry.version == version:
            return
        loaded = await registry.load(conn)
        self._build(loaded)
        self._decoder = Decoder(loaded)
        self.counts.assets = sum(map(len, self._known_city().rolls.values()))

    def _build(self, known: Registry) -> None:
        """The city of a registry and the rules in force."""
        town, thresholds = self._town, self._rules.thresholds
        pace_us = round(SETTLE_S * town.speed * SECOND_US)
        refresh_us = round(thresholds.parking.ttl_s / 2 * max(1.0, town.speed)) * SECOND_US
        measures = self._wishes.measures
        self._city = City(known, thresholds, self._sun, town.timezone, refresh_us, pace_us=pace_us, measures=measures)
        self._people.adopt(self._city)

    def _look_at_rules(self) -> None:
        """Take up the rule file if it has changed."""
        known = self._known_city().registry
        if self._rules.look(known):
            self._build(known)
        self.counts.rules = self._rules.standing

    async def _look_at_wishes(self, conn: Connection) -> None:
        """Take up what people wrote down."""
        if await self._wishes.look_at_zones(conn, self._town.now()):
            self._build(self._known_city().registry)
        wishes = await self._wishes.overrides(conn, self._state)
        if wishes is not None:
            self._step(wishes)

    async def _compare_alarms(self, conn: Connection) -> None:
        """Have the broker, and what we keep at hand, say of alarms what the database says."""
        number = self._number
        active = await alarms.active(conn)
        differing = self._notices.differing(active, time.monotonic())
        known = await alarms.of_ids(conn, sorted({*differing, *self._standing.differing(active)}))
        if self._number != number or self._effects:
            return  # decided meanwhile, and not in what was read
        self._standing.note(known)
        self._notices.tell([each for each in known if each.id in differing])
        for name in sorted(set(differing) - {each.id for each in known}):
            self._notices.forget(name)

    def _due(self, what: str, every_s: float) -> bool:
        real_s = time.monotonic()
        if real_s - self._looked_s.get(what, NEVER_US) < every_s:
            return False
        self._looked_s[what] = real_s
        return True

    def _known_city(self) -> City:
        assert self._city is not None, "load comes first"
        return self._city

    def _settled_before(self, now_us: int) -> int:
        """Up to when an earlier run is sure to have heard everything."""
        positions = [int(each.position_us.max()) for each in self._state.presence.values() if len(each)]
        known_us = max([self._state.settled_us, *positions])
        live_us = now_us - round(SETTLE_S * self._town.speed * SECOND_US)
        return live_us if known_us == NEVER_US else min(live_us, known_us)

    def _count_uplinks(self, uplinks: Uplinks) -> None:
        self.counts.observations += uplinks.observations
        self.counts.refused += uplinks.refused
        self.counts.acks += len(uplinks.acks)
        self.counts.acks_misspoken += uplinks.misspoken

"""Who is to be told of which alarm, and when: routes, hours, maintenance, reminders, escalation and floods. Pure.

A sink is told of an alarm once, reminded while nobody acknowledges it, and told of its end only if it was told of the
alarm. What may not be told now, because the sink sleeps, the zone is under maintenance or the alarm is put aside, is
told later if the alarm still stands; its end is told once the sink is awake and the maintenance is over. In a flood
all that is not critical comes together as one message.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rules.hours import Hours
from rules.messages import Message, flood, over, raised, reminder
from telemetry.alarms import Alarm, Severity, State
from telemetry.clock import SECOND_US, to_us
from telemetry.thresholds import Notifications, Route

ZoneOf = Callable[[Alarm], str | None]
"""The zone that an alarm is about, `None` for none."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message for a sink."""

    sink: str
    message: Message


@dataclass(slots=True)
class Case:
    """An alarm that stands, or whose end somebody has still to hear of.

    `told_us`: when each sink was told last; `severity`: as it was told; `summed`: sinks that know of it only as one of
    a flood.
    """

    alarm: Alarm
    told_us: dict[str, int] = field(default_factory=dict)
    severity: dict[str, Severity] = field(default_factory=dict)
    summed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Flow:
    """What a sink got lately: when, and what is held back since `since_us` by type, raised and over."""

    sent_us: deque[int] = field(default_factory=deque)
    since_us: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What telling depends on at a moment, in microseconds of city time.

    `awake` are the sinks that may be disturbed now, `maintained` the zones whose alarms are to disturb nobody now.
    """

    now_us: int
    notifications: Notifications
    awake: frozenset[str]
    maintained: frozenset[str]
    zone_of: ZoneOf


class Teller:
    """Keeps what has been told; times are microseconds of city time."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._flows: dict[str, Flow] = {}

    def remember(self, alarms: Iterable[Alarm], told: Iterable[tuple[str, str, int]]) -> None:
        """Take up the alarms that stand, and what an earlier run told: (alarm, sink, when)."""
        self._cases = {each.id: Case(each) for each in alarms}
        for alarm, sink, at_us in told:
            if (case := self._cases.get(alarm)) is not None:
                case.told_us[sink] = at_us
                case.severity[sink] = Severity(case.alarm.severity)

    def told(self) -> set[tuple[str, str, int]]:
        """Who was told of the alarms that stand: (alarm, sink, when)."""
        return {(name, sink, at_us) for name, case in self._cases.items() for sink, at_us in case.told_us.items()}

    def take(self, changed: Sequence[Alarm], given: Circumstances) -> list[Told]:
        """What is to be told because alarms changed, in order: what came and went is told as such."""
        said: list[Told] = []
        for alarm in changed:
            case = self._cases.setdefault(alarm.id, Case(alarm))
            case.alarm = alarm
            said += self._about(case, given)
        return said

    def look(self, given: Circumstances) -> list[Told]:
        """What is to be told because time has passed, or circumstances are others."""
        said = [told for case in list(self._cases.values()) for told in self._about(case, given)]
        return said + list(self._floods(given))

    def _about(self, case: Case, given: Circumstances) -> Iterator[Told]:
        if given.zone_of(case.alarm) in given.maintained and (case.told_us or case.alarm.cleared_at is None):
            return
        if case.alarm.cleared_at is not None:
            yield from self._ended(case, given)
        elif case.alarm.state != State.SHELVED:
            for route in given.notifications.routes:
                if matches(route, case.alarm, given.zone_of):
                    yield from self._standing(case, route, given)

    def _standing(self, case: Case, route: Route, given: Circumstances) -> Iterator[Told]:
        """Tell, remind, escalate."""
        alarm = case.alarm
        for sink in self._awake(route.to, given):
            severity = Severity(alarm.severity)
            if sink not in case.told_us or severity.exceeds(case.severity[sink]):
                yield from self._tell(case, sink, raised(alarm), given)
            elif _is_unseen(alarm) and _since(case.told_us[sink], route.renotify_every_s, given.now_us):
                yield from self._tell(case, sink, reminder(alarm), given)
        if _is_unseen(alarm) and _since(to_us(alarm.raised_at), route.escalate_after_s, given.now_us):
            for sink in self._awake(route.escalate_to, given):
                if sink not in case.told_us:
                    yield from self._tell(case, sink, reminder(alarm), given)

    def _ended(self, case: Case, given: Circumstances) -> Iterator[Told]:
        """Tell the end to who was told of the alarm, as soon as each is awake."""
        for sink in self._awake([*case.told_us], given):
            flow = self._flows.setdefault(sink, Flow())
            if sink in case.summed:
                flow.since_us = flow.since_us or given.now_us
                flow.over[case.alarm.type] += 1
            else:
                yield Told(sink, over(case.alarm))
            del case.told_us[sink]
        known = given.notifications.sinks
        if not any(sink in known for sink in case.told_us):
            self._cases.pop(case.alarm.id, None)

    def _tell(self, case: Case, sink: str, message: Message, given: Circumstances) -> Iterator[Told]:
        """Tell a sink, or hold it back as one of a flood."""
        flow = self._flows.setdefault(sink, Flow())
        while flow.sent_us and flow.sent_us[0] <= given.now_us - given.notifications.flood_window_s * SECOND_US:
            flow.sent_us.popleft()
        severity = Severity(case.alarm.severity)
        case.told_us[sink], case.severity[sink] = given.now_us, severity
        if severity is Severity.CRITICAL or len(flow.sent_us) < given.notifications.flood_messages:
            flow.sent_us.append(given.now_us)
            case.summed.discard(sink)
            yield Told(sink, message)
        else:
            flow.since_us = flow.since_us or given.now_us
            flow.raised[case.alarm.type] += 1
            case.summed.add(sink)

    def _floods(self, given: Circumstances) -> Iterator[Told]:
        for sink, flow in self._flows.items():
            if flow.since_us and given.now_us - flow.since_us >= given.notifications.flood_window_s * SECOND_US:
                yield Told(sink, flood(flow.raised, flow.over, flow.since_us))
                flow.since_us, flow.raised, flow.over = 0, Counter(), Counter()

    def _awake(self, sinks: Iterable[str], given: Circumstances) -> list[str]:
        """Those of the sinks that there are and that may be disturbed now."""
        return [name for name in sinks if name in given.awake]


def circumstances(
    notifications: Notifications, hours: Hours, maintained: Iterable[str], zone_of: ZoneOf, now_us: int
) -> Circumstances:
    """What telling depends on at a moment."""
    sinks = notifications.sinks.items()
    awake = frozenset(name for name, sink in sinks if hours.hold(sink.days, sink.start, sink.end, now_us))
    return Circumstances(now_us, notifications, awake, frozenset(maintained), zone_of)


def matches(route: Route, alarm: Alarm, zone_of: ZoneOf) -> bool:
    """Whether a route is for an alarm; an empty list asks nothing."""
    return (
        alarm.type in (route.types or (alarm.type,))
        and alarm.severity in (route.severities or (alarm.severity,))
        and (not route.zones or zone_of(alarm) in route.zones)
    )


def _is_unseen(alarm: Alarm) -> bool:
    return alarm.state == State.UNACKNOWLEDGED


def _since(then_us: int, every_s: int, now_us: int) -> bool:
    """Whether so long has passed; 0 means never."""
    return every_s > 0 and now_us - then_us >= every_s * SECOND_US

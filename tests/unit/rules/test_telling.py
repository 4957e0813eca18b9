"""Who is told of which alarm and when: once, again, later, or together with others."""

from typing import Any

import msgspec

from rules.calendars import Calendars
from rules.hours import Hours
from rules.standing import Standing
from rules.telling import Teller, circumstances
from storage.alarms import Cleared, Raised
from telemetry.alarms import Alarm, AlarmType, State
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_datetime
from telemetry.thresholds import Notifications, Route, Sink
from tests.parts.cities import BERLIN, NOON_US, SUN

HOURS = Hours(Calendars({}), SUN, BERLIN)
DESK = {"desk": Sink()}
TO_DESK = (Route(("desk",)),)


class Office:
    """A teller with the alarms it hears of; the drain `d` lies in the zone `market`."""

    def __init__(self, sinks: dict[str, Sink] | None = None, routes: tuple[Route, ...] = TO_DESK, **more: Any) -> None:
        self.notifications = Notifications(sinks=sinks or DESK, routes=routes, **more)
        self.standing, self.teller = Standing(), Teller()
        self.now_us, self.maintained = NOON_US, frozenset[str]()
        self.said: list[tuple[str, str]] = []

    def raises(self, name: str = "d", type: AlarmType = AlarmType.DRAIN_HIGH, **more: Any) -> Alarm:
        change = Raised(f"{name}@{self.now_us}", f"asset:{name}", name, type, self.now_us, self.now_us, {}, **more)
        return self._hears(self.standing.take(change))[-1]

    def clears(self, name: str = "d", type: AlarmType = AlarmType.DRAIN_HIGH) -> None:
        self._hears(self.standing.take(Cleared(f"asset:{name}", type, self.now_us)))

    def sets(self, alarm: Alarm, **members: Any) -> Alarm:
        """Somebody does something about an alarm."""
        changed = msgspec.structs.replace(alarm, **members)
        self.standing.note([changed])
        return self._hears([changed])[-1]

    def passes(self, us: int, every_us: int = MINUTE_US) -> None:
        end_us = self.now_us + us
        while self.now_us < end_us:
            self.now_us = min(self.now_us + every_us, end_us)
            self._said(self.teller.look(self.given()))

    def given(self) -> Any:
        return circumstances(self.notifications, HOURS, self.maintained, lambda _: "market", self.now_us)

    def _hears(self, changed: list[Alarm]) -> list[Alarm]:
        self._said(self.teller.take(changed, self.given()))
        return changed

    def _said(self, told: list[Any]) -> None:
        self.said += [(each.sink, each.message.title) for each in told]


RAISED, OVER = ("desk", "warning: drain high, d"), ("desk", "Over: drain high, d")


def test_a_sink_is_told_of_an_alarm_and_of_its_end_once() -> None:
    office = Office()
    office.raises()
    office.passes(HOUR_US)
    office.clears()
    office.passes(HOUR_US)
    assert office.said == [RAISED, OVER]


def test_while_nobody_acknowledges_it_is_said_again() -> None:
    office = Office(routes=(Route(("desk",), renotify_every_s=600),))
    alarm = office.raises()
    office.passes(21 * MINUTE_US)
    assert [title for _, title in office.said[1:]] == ["Unacknowledged, warning: drain high, d"] * 2
    office.sets(alarm, state=State.ACKNOWLEDGED)
    office.passes(HOUR_US)
    assert len(office.said) == 3


def test_what_nobody_acknowledges_escalates_once_and_its_end_is_told_there_too() -> None:
    sinks = DESK | {"chief": Sink()}
    office = Office(sinks, (Route(("desk",), escalate_after_s=900, escalate_to=("chief",)),))
    office.raises()
    office.passes(14 * MINUTE_US)
    assert {sink for sink, _ in office.said} == {"desk"}
    office.passes(HOUR_US)
    office.clears()
    assert [title for sink, title in office.said if sink == "chief"] == ["Unacknowledged, " + RAISED[1], OVER[1]]


def test_a_worse_alarm_is_told_again() -> None:
    office = Office()
    alarm = office.raises()
    office.sets(alarm, severity="critical")
    assert office.said == [RAISED, ("desk", "critical: drain high, d")]


def test_maintenance_suppresses_telling_and_not_what_stands_afterwards() -> None:
    office = Office()
    office.maintained = frozenset({"market"})
    office.raises("short")
    office.raises()
    office.passes(MINUTE_US)
    office.clears("short")
    office.passes(HOUR_US)
    assert office.said == []
    office.maintained = frozenset()
    office.passes(MINUTE_US)
    assert office.said == [RAISED]


def test_the_end_of_an_alarm_disturbs_nobody_during_maintenance_either() -> None:
    office = Office()
    office.raises()
    office.maintained = frozenset({"market"})
    office.clears()
    office.passes(HOUR_US)
    assert office.said == [RAISED]
    office.maintained = frozenset()
    office.passes(MINUTE_US)
    assert [title for _, title in office.said[1:]] == ["Over: drain high, d"]


def test_a_shelved_alarm_disturbs_nobody_until_it_stands_again() -> None:
    office = Office(routes=(Route(("desk",), renotify_every_s=60),))
    alarm = office.raises()
    office.sets(alarm, state=State.SHELVED, state_under=State.UNACKNOWLEDGED, shelved_until=to_datetime(NOON_US))
    office.passes(HOUR_US)
    assert office.said == [RAISED]
    office.sets(alarm, state=State.UNACKNOWLEDGED)
    assert len(office.said) == 2


def test_a_sleeping_sink_is_told_in_the_morning_if_it_still_stands() -> None:
    office = Office({"desk": Sink(start="07:00", end="17:00")})
    office.passes(8 * HOUR_US)
    office.raises("gone")
    office.raises()
    office.clears("gone")
    office.passes(9 * HOUR_US)
    assert office.said == []
    office.passes(3 * HOUR_US)
    assert office.said == [RAISED]


def test_in_a_flood_what_is_not_critical_comes_as_one_message() -> None:
    office = Office(flood_messages=3, flood_window_s=600)
    for number in range(40):
        office.raises(f"d{number}")
        office.now_us += SECOND_US
    office.raises("top", AlarmType.DRAIN_OVERFLOW)
    for number in range(10):
        office.clears(f"d{number}")
    office.passes(11 * MINUTE_US)
    titles = [title for _, title in office.said]
    assert titles[:4] == [f"warning: drain high, d{number}" for number in range(3)] + ["critical: drain overflow, top"]
    assert titles[4:7] == [f"Over: drain high, d{number}" for number in range(3)]
    assert titles[7:] == ["37 more alarms, 7 over"]


def test_what_came_and_went_within_a_moment_is_told_as_such() -> None:
    office = Office()
    first = office.standing.take(
        Raised("a", "asset:d", "d", AlarmType.DRAIN_HIGH, NOON_US, NOON_US, {"inputs": {}, "thresholds": {}})
    )
    office._hears(first + office.standing.take(Cleared("asset:d", AlarmType.DRAIN_HIGH, NOON_US + SECOND_US)))
    assert office.said == [RAISED, OVER]


def test_after_a_restart_nothing_is_told_twice_and_ends_are_told_to_who_knows() -> None:
    before = Office()
    alarm = before.raises()
    after = Office()
    after.standing.note([alarm])
    after.teller.remember([alarm], before.teller.told())
    after.passes(HOUR_US)
    assert after.said == []
    after.clears()
    assert after.said == [OVER]


def test_only_those_are_told_whose_route_matches() -> None:
    elsewhere = Route(("desk",), zones=("station",))
    mild, lamps = Route(("desk",), severities=("info",)), Route(("desk",), types=("lamp_fault",))
    office = Office(routes=(elsewhere, mild, lamps, Route(("nobody",))))
    office.raises()
    assert office.said == []

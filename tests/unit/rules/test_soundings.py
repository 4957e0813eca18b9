"""What probes through ingest's own queues tell: age, number, drops; and when that is an alarm."""

import pytest

from rules.inflow import Inflow
from rules.queue_filling import CLEAR_S, DROPPED_S, RAISE_S, QueueFilling
from rules.soundings import FORGOTTEN_S, SENT_KEPT_MAX, QueueBound, Soundings
from telemetry import topics
from telemetry.backlog import Backlog, Settled
from telemetry.clock import SECOND_US
from tests.parts.cities import NOON_US

BOUND = QueueBound(1_000, 10**9)


class Watch:
    """A watch over ingest, a probe a second; `second` is the time since its start."""

    def __init__(self) -> None:
        self.inflow = Inflow(0.0)
        self.soundings = Soundings(BOUND, self.inflow)
        self.second = 0
        self.begin("a")

    @property
    def real_us(self) -> int:
        return NOON_US + self.second * SECOND_US

    def begin(self, run: str) -> None:
        self.run, self.number = run, 0
        self.soundings.begin(run)

    def send(self, probes: int = 1, uplinks: int = 0) -> None:
        """Probes that the broker acknowledges, and so many uplinks after each."""
        for _ in range(probes):
            self.second += 1
            self.soundings.sent(self.soundings.probe(self.real_us), self.second)
            self.number += 1
            self.inflow.heard(uplinks, 100 * uplinks, self.second)

    def settle(self, number: int, first: int = 1, missed: int = 0, process: str = "ingest", run: str = "") -> None:
        word = Settled(run or self.run, number, NOON_US + number * SECOND_US, first, missed)
        self.soundings.settled(process, word)

    def measure(self) -> Backlog:
        found = self.soundings.measure(self.second, self.real_us)
        assert found is not None
        return found


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_nothing_is_claimed_before_ingest_has_spoken(watch: Watch) -> None:
    watch.send(3)
    assert watch.soundings.measure(3, watch.real_us) is None


def test_without_a_backlog_age_and_number_are_nought(watch: Watch) -> None:
    for _ in range(5):
        watch.send(uplinks=100)
        watch.settle(watch.number)
    assert (watch.measure().age_s, watch.measure().messages, watch.measure().filled_pct) == (0, 0, 0)


def test_the_backlog_is_as_old_as_the_oldest_unsettled_probe_and_counts_the_uplinks_since(watch: Watch) -> None:
    watch.send(2)
    watch.settle(2)
    watch.send(11, uplinks=50)
    found = watch.measure()
    assert (found.age_s, found.messages, found.filled_pct) == (10, 550, 55)
    assert found.bytes == pytest.approx(55_000, rel=0.01)
    watch.settle(13)
    assert watch.measure().age_s == 0


def test_the_flow_is_reckoned_on_while_nobody_reads_and_not_counted_twice(watch: Watch) -> None:
    for _ in range(300):
        watch.send(uplinks=50)
        watch.settle(watch.number)
    watch.send(uplinks=0)
    for _ in range(10):
        watch.second += 1
        watch.inflow.unheard(watch.second)
    assert watch.measure().messages == pytest.approx(500, rel=0.1)
    watch.inflow.heard(500, 50_000, watch.second)
    assert watch.measure().messages == pytest.approx(500, rel=0.1)


def test_what_the_broker_stores_counts_where_nobody_reads(watch: Watch) -> None:
    watch.send()
    watch.settle(1)
    watch.send(3)
    count, retained = topics.SYS_STORED
    watch.soundings.broker_says(count, 850)
    watch.soundings.broker_says(retained, 50)
    watch.inflow.unheard(watch.second)
    assert (watch.measure().messages, watch.measure().filled_pct) == (800, 80)


def test_a_number_that_never_comes_was_dropped(watch: Watch) -> None:
    watch.send(5)
    watch.settle(5)
    watch.send(5)
    watch.settle(10, missed=3)
    watch.settle(10, missed=3)
    assert watch.measure().lost_probes == 3


def test_a_drop_between_two_ingest_processes_is_seen(watch: Watch) -> None:
    watch.send(5)
    watch.settle(5)
    watch.send(15)
    watch.settle(20, first=18)
    assert watch.measure().lost_probes == 12


def test_restarts_are_no_drops(watch: Watch) -> None:
    watch.send(5)
    watch.settle(5)
    watch.send(2)
    watch.settle(7, first=4)  # the next process hears again what was not acknowledged
    watch.begin("b")  # the broker was restarted
    watch.send(3)
    watch.settle(9, first=4, run="a")  # what was left of the last run
    watch.settle(3, first=3)  # and ingest came back later than we did
    watch.begin("c")
    watch.send()
    assert watch.measure().lost_probes == 0


def test_a_backlog_from_before_our_own_restart_has_its_whole_age(watch: Watch) -> None:
    watch.send(10)
    watch.settle(10)
    watch.second = 100
    watch.begin("b")
    watch.send(6)
    assert watch.measure().age_s == pytest.approx(96, abs=1)


def test_the_slowest_of_several_processes_counts_and_a_dead_one_is_forgotten_in_the_end(watch: Watch) -> None:
    watch.send(5)
    watch.settle(5)
    watch.settle(5, process="ingest-2")
    watch.send(5)
    watch.settle(10)
    assert (watch.measure().age_s, watch.measure().slowest) == (4, "ingest-2")
    watch.soundings.forget("ingest-2")
    assert (watch.measure().age_s, watch.measure().slowest) == (0, "ingest")
    watch.settle(5, process="ingest-2")
    watch.begin("b")
    assert list(watch.soundings.forgotten(watch.real_us)) == []
    assert list(watch.soundings.forgotten(watch.real_us + (FORGOTTEN_S + 1) * SECOND_US)) == ["ingest", "ingest-2"]


def test_the_broker_s_own_count_of_drops_begins_with_us_and_survives_its_restart(watch: Watch) -> None:
    watch.settle(0)
    assert watch.measure().dropped_messages is None
    for said in (500, 520, 520, 7):
        watch.soundings.broker_says(topics.SYS_DROPPED, said)
    assert watch.measure().dropped_messages == 27


def test_an_outage_of_days_is_remembered_in_bounded_memory(watch: Watch) -> None:
    watch.send()
    watch.settle(1)
    watch.send(2 * SENT_KEPT_MAX)
    assert len(watch.soundings._sent) <= SENT_KEPT_MAX + 1
    assert watch.measure().age_s == 2 * SENT_KEPT_MAX - 1


def backlog(filled_pct: float, lost: int = 0, dropped: int | None = None) -> Backlog:
    return Backlog(
        age_s=9.0,
        messages=7,
        bytes=700,
        filled_pct=filled_pct,
        lost_probes=lost,
        dropped_messages=dropped,
        at="2026-11-22T12:00:00Z",
    )


def test_the_alarm_comes_at_half_and_goes_below_each_after_a_while() -> None:
    latch = QueueFilling(BOUND)
    course = [(0, 40), (1, 60), (2, 45), (3, 50), (3 + RAISE_S, 55), (20, 45), (21, 39), (22, 41), (23, 39)]
    course += [(23 + CLEAR_S, 30)]
    said = [latch.judge(backlog(filled), at_s, NOON_US + round(at_s) * SECOND_US) for at_s, filled in course]
    assert [fact.holding for fact in said] == [False] * 4 + [True] * 5 + [False]
    assert said[4].observed_us == NOON_US + 3 * SECOND_US
    assert said[4].why["inputs"]["filled_pct"] == 55
    assert said[4].why["thresholds"]["queue_messages"] == 1_000


@pytest.mark.parametrize(("lost", "dropped"), [(1, None), (0, 20_000)])
def test_a_broker_that_drops_is_an_alarm_at_once_and_for_a_while(lost: int, dropped: int | None) -> None:
    latch = QueueFilling(BOUND)
    assert not latch.judge(backlog(1), 0, NOON_US).holding
    fact = latch.judge(backlog(1, lost, dropped), 1, NOON_US)
    assert fact.holding
    assert fact.why["inputs"]["lost_probes"] == lost
    assert latch.judge(backlog(1, lost, dropped), DROPPED_S, NOON_US).holding
    latch.judge(backlog(1, lost, dropped), DROPPED_S + 2, NOON_US)
    assert not latch.judge(backlog(1, lost, dropped), DROPPED_S + 3 + CLEAR_S, NOON_US).holding

"""Order, expiry and taking back of what goes out; alarms on the broker held against the database."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest

from bus.session import Unreachable
from rules.notices import COLLECT_S, Notices
from rules.outbox import PER_TOPIC_MAX, SENDERS_MAX, Outbox, Parcel
from telemetry import topics
from telemetry.alarms import Alarm
from telemetry.clock import SECOND_US, to_datetime
from tests.parts.cities import NOON_US


@dataclass
class Session:
    """A broker that takes messages while it is `there`."""

    there: asyncio.Event = field(default_factory=asyncio.Event)
    taken: list[tuple[str, bytes, bool]] = field(default_factory=list)
    asked: int = 0

    async def publish(
        self, topic: str, payload: bytes | str, qos: int = 1, retain: bool = False, timeout_s: float | None = None
    ) -> None:
        self.asked += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self.there.wait()
        except TimeoutError:
            raise Unreachable from None
        assert isinstance(payload, bytes)
        self.taken.append((topic, payload, retain))


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def outbox(session: Session) -> Outbox:
    return Outbox(session, lambda: NOON_US)


async def pass_by() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_messages_of_a_topic_keep_their_order(session: Session, outbox: Outbox) -> None:
    outbox.put(Parcel("a", b"1"), Parcel("b", b"1"), Parcel("a", b"2"))
    session.there.set()
    await pass_by()
    assert [payload for topic, payload, _ in session.taken if topic == "a"] == [b"1", b"2"]
    assert len(session.taken) == 3


async def test_the_broker_s_word_is_passed_on(session: Session, outbox: Outbox) -> None:
    sent: list[tuple[str, int]] = []
    outbox.put(Parcel("a", b"1", id="one", sent=lambda name, at_us: sent.append((name, at_us))))
    await pass_by()
    assert sent == []
    session.there.set()
    await pass_by()
    assert sent == [("one", NOON_US)]


async def test_nothing_is_sent_after_its_expiry(session: Session, outbox: Outbox) -> None:
    session.there.set()
    outbox.put(Parcel("a", b"late", expires_us=NOON_US), Parcel("a", b"in time", expires_us=NOON_US + SECOND_US))
    await pass_by()
    assert [payload for _, payload, _ in session.taken] == [b"in time"]


async def test_what_expires_while_the_broker_is_away_is_given_up(session: Session) -> None:
    outbox = Outbox(session, lambda: NOON_US, speed=1000)
    outbox.put(Parcel("a", b"1", expires_us=NOON_US + 10 * SECOND_US), Parcel("a", b"2"))
    await asyncio.sleep(0.05)
    session.there.set()
    await pass_by()
    assert [payload for _, payload, _ in session.taken] == [b"2"]


async def test_what_waits_can_be_taken_back(session: Session, outbox: Outbox) -> None:
    outbox.put(Parcel("a", b"1", id="one"), Parcel("a", b"2", id="two"), Parcel("a", b"3", id="three"))
    await pass_by()
    outbox.drop("a", "two")
    outbox.drop("nowhere", "two")
    session.there.set()
    await pass_by()
    assert [payload for _, payload, _ in session.taken] == [b"1", b"3"]


async def test_of_a_topic_the_newest_are_kept(session: Session, outbox: Outbox) -> None:
    outbox.put(*[Parcel("a", str(number).encode()) for number in range(PER_TOPIC_MAX + 5)])
    session.there.set()
    await pass_by()
    assert [payload for _, payload, _ in session.taken][-1] == str(PER_TOPIC_MAX + 4).encode()
    assert len(session.taken) == PER_TOPIC_MAX


async def test_however_much_waits_only_so_much_is_under_way_and_all_goes_out(session: Session, outbox: Outbox) -> None:
    before, lamps = asyncio.all_tasks(), [f"lamp/{number}" for number in range(1_000)]
    outbox.put(*[Parcel(name, b"1") for name in lamps], Parcel("lamp/0", b"2"))
    await pass_by()
    senders = asyncio.all_tasks() - before
    assert session.asked == SENDERS_MAX == len(senders)
    session.there.set()
    await asyncio.wait(senders)
    assert Counter(name for name, _, _ in session.taken) == Counter([*lamps, "lamp/0"])


async def test_a_topic_of_which_all_was_taken_back_is_sent_again(session: Session) -> None:
    outbox = Outbox(session, lambda: NOON_US)
    outbox.put(*[Parcel(str(number), b"1") for number in range(SENDERS_MAX)], Parcel("late", b"1", id="one"))
    outbox.drop("late", "one")
    outbox.put(Parcel("late", b"2"))
    session.there.set()
    await pass_by()
    assert session.taken[-1] == ("late", b"2", False)


async def test_at_the_end_nothing_more_is_sent(session: Session, outbox: Outbox) -> None:
    outbox.put(Parcel("a", b"1"), Parcel("b", b"1"))
    await pass_by()
    await outbox.close()
    session.there.set()
    await pass_by()
    assert session.taken == []
    assert outbox.failed is None


def alarm(name: str = "one", state: str = "unacknowledged") -> Alarm:
    moment = to_datetime(NOON_US)
    return Alarm(
        id=name,
        subject="asset:drain-1",
        asset="drain-1",
        type="drain_high",
        severity="warning",
        state=state,
        state_under=None,
        shelved_until=None,
        shelved_by=None,
        shelve_reason=None,
        raised_at=moment,
        cleared_at=None,
        observed_at=moment,
        acknowledged_by=None,
        acknowledged_at=None,
        note=None,
        why={},
    )


class Told(Outbox):
    """An outbox that only remembers."""

    def __init__(self) -> None:
        self.parcels: list[tuple[str, bool, bool]] = []

    def put(self, *parcels: Parcel) -> None:
        self.parcels += [(each.topic, bool(each.payload), each.retain) for each in parcels]


def notices() -> tuple[Notices, Told]:
    told = Told()
    found = Notices(told)
    found.connected(0.0)
    return found, told


AFTER_S = COLLECT_S + 0.1
TOPIC = topics.alarm("one")


def test_an_alarm_is_retained_until_it_is_normal() -> None:
    found, told = notices()
    found.tell([alarm(), alarm(state="acknowledged"), alarm(state="normal")])
    assert told.parcels == [(TOPIC, True, True), (TOPIC, True, True), (TOPIC, True, False), (TOPIC, False, True)]


def test_while_the_broker_repeats_nothing_is_compared() -> None:
    found, _ = notices()
    assert found.differing({"one": ("unacknowledged", None)}, COLLECT_S - 0.1) == []


def test_what_the_broker_retains_is_not_said_again() -> None:
    found, _ = notices()
    found.heard(TOPIC, b'{"state": "acknowledged", "state_under": null, "more": 1}', True)
    assert found.differing({"one": ("acknowledged", None)}, AFTER_S) == []


@pytest.mark.parametrize("payload", [b'{"state": "unacknowledged"}', b"nonsense", b'{"state": 7}'])
def test_what_it_retains_otherwise_differs(payload: bytes) -> None:
    found, _ = notices()
    found.heard(TOPIC, payload, True)
    assert found.differing({"one": ("acknowledged", None)}, AFTER_S) == ["one"]
    assert found.differing({}, AFTER_S) == ["one"]


def test_what_it_lacks_differs() -> None:
    found, _ = notices()
    assert found.differing({"one": ("unacknowledged", None)}, AFTER_S) == ["one"]


def test_what_is_told_while_the_broker_repeats_counts() -> None:
    found, _ = notices()
    found.tell([alarm()])
    found.heard(TOPIC, b'{"state": "acknowledged"}', True)
    assert found.differing({"one": ("unacknowledged", None)}, AFTER_S) == []


def test_an_echo_says_nothing_about_what_is_retained() -> None:
    found, _ = notices()
    found.heard(TOPIC, b'{"state": "unacknowledged"}', False)
    found.heard(topics.alarm("two"), b"", True)
    assert found.differing({}, AFTER_S) == []


def test_a_new_connection_forgets_what_was_known() -> None:
    found, _ = notices()
    found.tell([alarm()])
    assert found.differing({"one": ("unacknowledged", None)}, AFTER_S) == []
    found.connected(10.0)
    assert found.differing({"one": ("unacknowledged", None)}, 10 + AFTER_S) == ["one"]


def test_an_alarm_that_never_was_is_taken_away() -> None:
    found, told = notices()
    found.forget("ghost")
    assert told.parcels == [(topics.alarm("ghost"), False, True)]


def test_shelving_is_a_difference() -> None:
    found, _ = notices()
    found.tell([msgspec.structs.replace(alarm(state="shelved"), state_under="acknowledged")])
    assert found.differing({"one": ("shelved", "normal")}, AFTER_S) == ["one"]


async def test_what_comes_as_all_senders_end_goes_out_too(session: Session, outbox: Outbox) -> None:
    outbox.put(*[Parcel(f"lamp/{number}", b"1") for number in range(SENDERS_MAX)])
    await pass_by()
    session.there.set()
    await asyncio.sleep(0)  # the session's timeouts and the senders end in this turn and before any call of the next
    outbox.put(Parcel("late", b"1"))
    await pass_by()
    assert ("late", b"1", False) in session.taken

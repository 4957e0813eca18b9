"""What is written together: reads of one day, until rows, bytes or age close the batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bus import inbox, packets
from ingest.batch import Batch, Gatherer
from telemetry.clock import DAY_US, SECOND_US
from telemetry.limits import BATCH_BYTES_MAX, BATCH_ROWS_MAX

UPLINK = b"city/v1/streetlight/L1/telemetry"
STATUS = b"city/v1/streetlight/L1/status"


def read(
    *messages: tuple[bytes, bytes],
    received_us: int = 0,
    arrived_s: float = 0.0,
    header: int = 0x32,
    size: int | None = None,
) -> inbox.Batch:
    arrivals = packets.Arrivals(
        [topic for topic, _ in messages],
        [payload for _, payload in messages],
        bytearray([header]) * len(messages),
        [b""] * len(messages),
    )
    arrivals.size = sum(len(payload) for _, payload in messages) if size is None else size
    return inbox.Batch([inbox.Read(arrivals, received_us, arrived_s, None)])


def gathered(*reads: inbox.Batch) -> Batch:
    gatherer = Gatherer()
    for each in reads:
        assert gatherer.accepts(each)
        gatherer.add(each)
    return gatherer.close()


def test_uplinks_and_words_are_told_apart_in_order() -> None:
    batch = gathered(
        read((UPLINK, b"{1"), (STATUS, b"on"), (UPLINK, b"{2"), received_us=5),
        read((UPLINK, b"{3"), received_us=90),
    )
    assert batch.payloads == [b"{1", b"{2", b"{3"]
    assert [(word.topic, word.payload, word.received_us) for word in batch.statuses] == [(STATUS, b"on", 5)]
    assert batch.received_us().tolist() == [5, 5, 90]
    assert batch.received == 3


def test_it_closes_by_rows() -> None:
    gatherer = Gatherer()
    for _ in range(BATCH_ROWS_MAX // 100):
        assert not gatherer.full
        gatherer.add(read((UPLINK, b"[" + b"{}," * 99 + b"{}]")))
    assert gatherer.full


def test_it_closes_by_bytes() -> None:
    gatherer = Gatherer()
    gatherer.add(read((UPLINK, b"{"), size=BATCH_BYTES_MAX - 1))
    assert not gatherer.full
    gatherer.add(read((UPLINK, b"{"), size=1))
    assert gatherer.full


def test_its_age_is_that_of_its_first_read() -> None:
    gatherer = Gatherer()
    gatherer.add(read((UPLINK, b"{"), arrived_s=10.0))
    gatherer.add(read((UPLINK, b"{"), arrived_s=10.015))
    assert gatherer.begun_s == 10.0


def test_a_read_of_the_next_day_is_not_accepted() -> None:
    gatherer = Gatherer()
    gatherer.add(read((UPLINK, b"{"), received_us=DAY_US - 1))
    assert not gatherer.accepts(read((UPLINK, b"{"), received_us=DAY_US))
    assert gatherer.close().day == 0
    assert gatherer.accepts(read((UPLINK, b"{"), received_us=DAY_US))


def test_a_clock_that_was_set_back_counts_from_the_next_batch_on() -> None:
    """It had been two hours ahead, and for two hours all that came was said to have come at the moment it was set."""
    gatherer, ahead_us = Gatherer(), DAY_US + 7200 * SECOND_US
    for moment_us in (ahead_us, ahead_us - 4 * SECOND_US):
        assert gatherer.accepts(read(received_us=moment_us))
        gatherer.add(read((UPLINK, b"{"), received_us=moment_us))
    assert not gatherer.accepts(read(received_us=DAY_US - SECOND_US))
    assert gatherer.close().received_us().tolist() == [ahead_us, ahead_us]
    for moment_us in (DAY_US - SECOND_US, DAY_US - 1):
        assert gatherer.accepts(read(received_us=moment_us))
        gatherer.add(read((UPLINK, b"{"), received_us=moment_us))
    batch = gatherer.close()
    assert (batch.day, batch.received_us().tolist()) == (0, [DAY_US - SECOND_US, DAY_US - 1])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30), st.booleans()), min_size=1, max_size=20))
def test_times_of_receipt_leave_room_for_every_observation(steps: list[tuple[int, int, bool]]) -> None:
    gatherer, moment, taken = Gatherer(), 0, []
    for later_us, count, closes in steps:
        moment += later_us
        gatherer.add(read(*[(UPLINK, b"{")] * count, received_us=moment))
        if closes:
            taken.append(gatherer.close())
    taken.append(gatherer.close()) if not steps[-1][2] else None
    slots = np.concatenate([batch.received_us() + np.arange(len(batch.payloads)) for batch in taken])
    assert (np.diff(slots) > 0).all(), "one after the other, within a batch and from one to the next"


def test_a_redelivery_is_noticed() -> None:
    assert not gathered(read((UPLINK, b"{"))).redelivered
    assert gathered(read((UPLINK, b"{")), read((UPLINK, b"{"), header=0x3A)).redelivered

"""Store-and-forward: nothing is forgotten before it is acknowledged, and 60 s longer."""

import json

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.store import Kept, Store, uplink_text
from telemetry.clock import SECOND_US
from telemetry.limits import ARRAY_OBSERVATIONS_MAX

KEEP_US = 60 * SECOND_US


def sent(store: Store, text: bytes, now_us: int, acknowledged: bool) -> Kept:
    kept = store.add(text, now_us)
    kept.sent_us, kept.acknowledged = now_us, acknowledged
    return kept


def texts(portions: list[tuple[Kept, ...]]) -> list[bytes]:
    return [kept.text for portion in portions for kept in portion]


def test_what_was_never_acknowledged_is_sent_again() -> None:
    store = Store(KEEP_US)
    sent(store, b"1", 0, acknowledged=True)
    sent(store, b"2", 1, acknowledged=False)
    store.add(b"3", 2)
    assert texts(store.unsettled(3, torn=False)) == [b"2", b"3"]


def test_after_a_torn_connection_the_last_60_s_are_sent_again() -> None:
    store = Store(KEEP_US)
    for second in (0, 30, 50, 100):
        sent(store, b"%d" % second, second * SECOND_US, acknowledged=True)
    assert texts(store.unsettled(105 * SECOND_US, torn=True)) == [b"50", b"100"]


def test_what_was_sent_again_counts_anew() -> None:
    store = Store(KEEP_US)
    sent(store, b"1", 0, acknowledged=True)
    for (kept,) in store.unsettled(50 * SECOND_US, torn=True):
        kept.acknowledged = True
    assert texts(store.unsettled(100 * SECOND_US, torn=True)) == [b"1"]


def test_what_is_acknowledged_and_old_is_forgotten() -> None:
    store = Store(KEEP_US)
    for second in range(0, 600, 10):
        sent(store, b"x", second * SECOND_US, acknowledged=True)
    assert len(store) <= 8


def test_a_full_store_loses_the_oldest_and_counts_it() -> None:
    store = Store(KEEP_US, observations_max=3)
    for number in range(5):
        store.add(b"%d" % number, number)
    assert store.lost == 2
    assert texts(store.unsettled(9, torn=False)) == [b"2", b"3", b"4"]


@given(count=st.integers(0, 1_700))
def test_a_backfill_is_split_into_arrays_that_the_contract_allows(count: int) -> None:
    store = Store(KEEP_US)
    for number in range(count):
        store.add(b'{"seq": %d}' % number, number)
    portions = store.unsettled(count, torn=False)
    assert all(0 < len(portion) <= ARRAY_OBSERVATIONS_MAX for portion in portions)
    decoded = [json.loads(uplink_text(portion)) for portion in portions]
    flat = [each for one in decoded for each in (one if isinstance(one, list) else [one])]
    assert [each["seq"] for each in flat] == list(range(count))


def test_a_single_observation_is_an_object_and_no_array() -> None:
    assert uplink_text((Kept(b"{}"),)) == b"{}"
    assert uplink_text((Kept(b"{}"), Kept(b"{}"))) == b"[{},{}]"

"""Token buckets and counted streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import ratelimit
from api.ratelimit import Buckets, Streams


def test_a_burst_passes_and_the_next_waits_for_its_token() -> None:
    buckets = Buckets(per_s=50, burst=200)
    assert all(buckets.take("a", 10.0) == 0 for _ in range(200))
    assert buckets.take("a", 10.0) == pytest.approx(1 / 50)
    assert buckets.take("a", 10.03) == 0
    assert buckets.take("a", 10.03) > 0


def test_addresses_do_not_share_a_bucket() -> None:
    buckets = Buckets(per_s=1, burst=1)
    assert buckets.take("a", 0) == 0
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", 0) > 0


def test_looking_takes_nothing() -> None:
    buckets = Buckets(per_s=1, burst=1)
    assert buckets.empty_for("a", 0) == 0
    assert buckets.take("a", 0) == 0
    assert buckets.empty_for("a", 0) == pytest.approx(1)


@given(st.lists(st.floats(0, 2), max_size=200))
def test_no_more_pass_than_burst_and_rate_allow(pauses: list[float]) -> None:
    buckets, now_s, passed = Buckets(per_s=3, burst=5), 0.0, 0
    for pause in pauses:
        now_s += pause
        passed += buckets.take("a", now_s) == 0
    assert passed <= 5 + 3 * now_s + 1e-6


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "ADDRESSES_MAX", 10)
    buckets = Buckets(per_s=1, burst=1)
    for n in range(100):
        buckets.take(str(n), 0)
    assert len(buckets._buckets) == 10


def test_streams_are_counted_by_address_and_altogether() -> None:
    streams = Streams(each=2, total=3)
    assert streams.enter("a")
    assert streams.enter("a")
    assert not streams.enter("a")
    assert streams.enter("b")
    assert not streams.enter("c")
    streams.leave("a")
    assert streams.enter("c")
    assert streams.open == 3

"""The live account adds up, and Prometheus sees it."""

from collections import Counter

from prometheus_client import CollectorRegistry

from ingest.fates import Fates
from ingest.ledger import Ledger
from telemetry.refusals import Reason


def test_what_is_received_is_in_flight_until_it_is_settled() -> None:
    ledger = Ledger("test")
    ledger.taken(10)
    assert ledger.in_flight == 10
    ledger.settled(Fates(7, Counter(streetlight=4), 2, Counter({Reason.WRONG_TYPE: 1})), 0.01)
    assert ledger.in_flight == 3
    assert ledger.total.without_fate == 0


def test_what_is_settled_without_exactly_one_fate_is_an_imbalance() -> None:
    registry = CollectorRegistry()
    ledger = Ledger("test", registry)
    ledger.taken(10)
    ledger.settled(Fates(5, Counter(streetlight=4)), 0.01)
    assert registry.get_sample_value("lamplighter_ingest_imbalance") == 1
    ledger.settled(Fates(5, Counter(streetlight=5), 1), 0.01)
    assert registry.get_sample_value("lamplighter_ingest_imbalance") == 0


def test_every_refusal_has_a_counter_from_the_start() -> None:
    registry = CollectorRegistry()
    ledger = Ledger("test", registry)
    for reason in Reason:
        value = registry.get_sample_value("lamplighter_ingest_quarantined_total", {"reason": reason.value})
        assert value == 0, reason
    ledger.taken(3)
    ledger.settled(Fates(1, quarantined=Counter({Reason.BAD_TIMESTAMP: 1})), 0.01)
    assert registry.get_sample_value("lamplighter_ingest_quarantined_total", {"reason": "bad_timestamp"}) == 1
    assert registry.get_sample_value("lamplighter_ingest_received_total") == 3
    assert registry.get_sample_value("lamplighter_ingest_in_flight") == 2

"""How far a process has come with the platform's probes; what comes twice or in another run is no gap."""

from ingest.probes import Probes
from telemetry import backlog
from telemetry.backlog import Probe, Settled
from tests.parts.cities import NOON_US


def told(*numbers: tuple[str, int]) -> Settled | None:
    probes = Probes("ingest")
    probes.settled([backlog.encode(Probe(run, number, NOON_US)) for run, number in numbers], NOON_US)
    return probes.word


def test_the_newest_probe_and_the_first_of_its_run_are_told() -> None:
    assert told(("a", 4), ("a", 5), ("a", 6)) == Settled("a", 6, NOON_US, 4, 0)


def test_numbers_that_never_came_are_missed() -> None:
    assert told(("a", 1), ("a", 2), ("a", 40), ("a", 42)) == Settled("a", 42, NOON_US, 1, 38)


def test_what_comes_again_or_in_a_new_run_is_no_gap() -> None:
    assert told(("a", 7), ("a", 8), ("a", 7), ("a", 9)) == Settled("a", 9, NOON_US, 7, 0)
    assert told(("a", 7), ("b", 3), ("b", 4)) == Settled("b", 4, NOON_US, 3, 0)


def test_what_is_no_probe_is_passed_over() -> None:
    probes = Probes("ingest")
    probes.settled([b"", b"{}", b"\xff", b'{"run": 1}'], NOON_US)
    assert probes.word is None

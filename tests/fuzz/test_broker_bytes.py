"""A short, seeded run of the fuzzer; `make fuzz` is the long one."""

import random

from tests.fuzz.broker_bytes import Fuzzer


def test_no_stream_of_a_broker_breaks_a_promise() -> None:
    found: list[str] = []
    fuzzer = Fuzzer(
        random.Random(7), lambda stream, version, complaint: found.append(f"{version} {stream!r} {complaint}")
    )
    for _ in range(1_000):
        fuzzer.round(guided=False)
    assert not found

"""`received` counts observations by the outer form of uplinks alone."""

from bus.inbox import count_received

LAMP = b"city/v1/streetlight/L1/telemetry"


def test_an_object_is_one_observation() -> None:
    assert count_received([LAMP, LAMP], [b'{"level_pct": 1}', b"{broken"]) == (2, 2)


def test_an_array_is_as_many_as_it_holds() -> None:
    assert count_received([LAMP], [b' [{"level_pct": 1}, {"level_pct": 2}, {}]']) == (1, 3)


def test_what_cannot_be_split_is_one() -> None:
    broken = (
        b"1e999 x",
        b"1e999",
        b"[1e999] x",
        b"[{}] x",
        b'[{"a": 1e999}, broken',
        b"9" * 5_000,
        b"-",
        b"[" * 100_000,
    )
    for payload in (
        b"",
        b"[",
        b"[]",
        b"[1, 2]",
        b"null",
        b"\xff",
        b"[" + b"{}," * 600 + b"{}]",
        b" " * 300_000,
        *broken,
    ):
        assert count_received([LAMP], [payload]) == (1, 1)


def test_numbers_beyond_every_range_are_counted_as_any_other() -> None:
    payloads = [
        b'{"level_pct": 1e999}',
        b'{"level_pct": 1e999, broken',
        b'[{"level_pct": 1e999}, {"seq": %d}]' % 10**400,
    ]
    assert count_received([LAMP] * 3, payloads) == (3, 4)


def test_other_topics_are_not_counted() -> None:
    assert count_received([b"city/v1/streetlight/L1/status", b"city/v1/streetlight/L1/ack"], [b"{}", b"{}"]) == (0, 0)
    assert count_received([b"telemetry", LAMP], [b"{}", b"[{}, {}]"]) == (1, 2)

"""Commands as leases, to the letter of the contract."""

import json
from typing import Any

import pytest

from firmware_sim.leases import IDS_MAX, Leases
from telemetry.clock import HOUR_US, MINUTE_US, to_rfc3339

NOW_US = 1_790_000_000_000_000


def command(name: str = "c1", ends_us: int = NOW_US + HOUR_US, **settings: Any) -> bytes:
    body = {"id": name, "ts": to_rfc3339(NOW_US), "set": settings, "expires_at": to_rfc3339(ends_us)}
    return json.dumps(body | {"reason": "program"}).encode()


def test_a_setpoint_is_applied_and_acknowledged() -> None:
    leases = Leases(dimmable=True)
    answer = leases.receive(command(setpoint_pct=40), NOW_US)
    assert answer is not None
    assert (answer.id, answer.ok, answer.applied, answer.error) == ("c1", True, {"setpoint_pct": 40}, None)
    assert leases.setpoint_pct == 40


def test_an_expired_command_is_ignored() -> None:
    leases = Leases(dimmable=True)
    assert leases.receive(command(ends_us=NOW_US, setpoint_pct=40), NOW_US) is None
    assert leases.setpoint_pct is None


def test_a_repeated_id_is_acknowledged_again_and_not_applied() -> None:
    leases = Leases(dimmable=True)
    first = leases.receive(command("c1", setpoint_pct=40), NOW_US)
    leases.receive(command("c2", setpoint_pct=70), NOW_US + MINUTE_US)
    assert leases.receive(command("c1", setpoint_pct=40), NOW_US + 2 * MINUTE_US) == first
    assert leases.setpoint_pct == 70


def test_a_lease_ends_at_its_time() -> None:
    leases = Leases(dimmable=True)
    leases.receive(command(setpoint_pct=40), NOW_US)
    assert leases.next_end_us == NOW_US + HOUR_US
    assert not leases.end(NOW_US + HOUR_US - 1)
    assert leases.end(NOW_US + HOUR_US)
    assert leases.setpoint_pct is None
    assert leases.next_end_us is None


def test_a_renewal_prolongs_the_lease() -> None:
    leases = Leases(dimmable=True)
    leases.receive(command("c1", setpoint_pct=40), NOW_US)
    leases.receive(command("c2", NOW_US + 2 * HOUR_US, setpoint_pct=40), NOW_US + 30 * MINUTE_US)
    assert not leases.end(NOW_US + HOUR_US)
    assert leases.setpoint_pct == 40


def test_each_setting_is_a_lease_of_its_own() -> None:
    leases = Leases(dimmable=True)
    leases.receive(command("c1", NOW_US + HOUR_US, setpoint_pct=40), NOW_US)
    leases.receive(command("c2", NOW_US + 2 * HOUR_US, report_every_s=60), NOW_US)
    leases.end(NOW_US + HOUR_US)
    assert leases.setpoint_pct is None
    assert leases.report_every_s == 60


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"setpoint_pct": 101}, "between 0 and 100"),
        ({"report_every_s": 1}, "report_every_s"),
        ({}, "nothing"),
        ({"colour": "red"}, "not a command"),
        ({"setpoint_pct": "40"}, "not a command"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_a_reason(settings: dict[str, Any], words: str) -> None:
    leases = Leases(dimmable=True)
    answer = leases.receive(command(**settings), NOW_US)
    assert answer is not None
    assert (answer.ok, answer.applied) == (False, None)
    assert words in (answer.error or "")
    assert leases.next_end_us is None


def test_a_drain_cannot_be_dimmed_but_told_to_report_faster() -> None:
    leases = Leases(dimmable=False)
    refused = leases.receive(command("c1", setpoint_pct=40), NOW_US)
    applied = leases.receive(command("c2", report_every_s=60), NOW_US)
    assert refused is not None
    assert applied is not None
    assert (refused.ok, applied.ok) == (False, True)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b'{"set": {}}', b'{"id": 5}'])
def test_what_is_no_command_is_ignored(payload: bytes) -> None:
    assert Leases(dimmable=True).receive(payload, NOW_US) is None


def test_the_memory_of_ids_is_bounded() -> None:
    leases = Leases(dimmable=True)
    for number in range(3 * IDS_MAX):
        leases.receive(command(f"c{number}", setpoint_pct=40), NOW_US)
    assert len(leases._applied) == IDS_MAX

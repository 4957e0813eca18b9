"""A device's firmware: reports with jitter, leases, a store for bad times, restarts."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from firmware_sim.chance import Chance
from firmware_sim.city import City
from firmware_sim.faults import NONE, DeviceFaults, Faults
from firmware_sim.firmware import Firmware, Uplink, acknowledged
from telemetry import topics
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_rfc3339, to_us

NOON_US = to_us(datetime(2026, 6, 10, 12, tzinfo=UTC))
NIGHT_US = to_us(datetime(2026, 6, 10, 23, tzinfo=UTC))
TOWN = City(devices=20, seed=3)


def device(kind: str, boot_us: int = NOON_US, /, **faults: float) -> Firmware:
    """A device of the kind that is connected and never fails, but for the faults given."""
    member = next(member for member in TOWN.members() if member.kind == kind)
    dial = Faults(**{**dict.fromkeys(Faults.__slots__, 0.0), **faults}) if faults else NONE
    made = Firmware(member, TOWN.town, DeviceFaults(dial, Chance.seeded("f", kind)), boot_us, 60 * SECOND_US)
    made.connected(boot_us, torn=False)
    return made


def live(made: Firmware, until_us: int, taken: bool = True) -> list[tuple[int, Uplink]]:
    """What a device sends until then, each with the moment; `taken` by the broker or not."""
    sent = []
    while made.next_us <= until_us:
        at_us = made.next_us
        for uplink in made.wake(at_us):
            if taken:
                acknowledged(uplink)
            sent.append((at_us, uplink))
    return sent


def observations(sent: list[tuple[int, Uplink]] | list[Uplink]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in sent:
        uplink = each if isinstance(each, Uplink) else each[1]
        if uplink.topic.endswith("/telemetry"):
            body = json.loads(uplink.payload)
            found += body if isinstance(body, list) else [body]
    return found


def command(made: Firmware, at_us: int, name: str = "c1", for_us: int = HOUR_US, **settings: Any) -> list[Uplink]:
    body = {"id": name, "ts": to_rfc3339(at_us), "set": settings, "expires_at": to_rfc3339(at_us + for_us)}
    return made.receive(json.dumps(body | {"reason": "program"}).encode(), at_us)


class TestReporting:
    def test_it_says_hello_and_reports_when_it_is_switched_on(self) -> None:
        lamp = device("streetlight")
        hello, report = lamp.wake(lamp.next_us)
        assert hello.topic == topics.status("streetlight", lamp.device)
        assert hello.retain
        assert json.loads(hello.payload)["online"] is True
        assert report.topic == topics.telemetry("streetlight", lamp.device)
        assert not report.retain
        assert json.loads(report.payload)["ts"] == NOON_US // 1000

    def test_intervals_vary_by_a_fifth(self) -> None:
        drain = device("drain_level")
        moments = [at_us for at_us, _ in live(drain, NOON_US + DAY_US)][2:]
        gaps_s = [(after - before) / SECOND_US for before, after in pairwise(moments)]
        assert 240 <= min(gaps_s) < 260
        assert 340 < max(gaps_s) <= 360

    def test_seq_counts_and_times_grow(self) -> None:
        seen = observations(live(device("parking_bay"), NOON_US + 2 * DAY_US))
        assert [each["seq"] for each in seen] == list(range(1, len(seen) + 1))
        assert all(one["ts"] < other["ts"] for one, other in pairwise(seen))

    def test_a_bay_tells_every_change_at_once_and_beats_in_between(self) -> None:
        sent = live(device("parking_bay"), NOON_US + 3 * DAY_US)
        seen = observations(sent)
        assert sum(one["occupied"] != other["occupied"] for one, other in pairwise(seen)) > 5
        moments = [at_us for at_us, _ in sent[1:]]
        assert max(b - a for a, b in pairwise(moments)) <= 1.2 * 900 * SECOND_US

    def test_a_lamps_energy_only_grows(self) -> None:
        kwh = [each["energy_kwh"] for each in observations(live(device("streetlight"), NOON_US + DAY_US))]
        assert kwh == sorted(kwh)
        assert kwh[-1] > kwh[0]

    def test_the_same_device_says_the_same(self) -> None:
        once = [uplink.payload for _, uplink in live(device("drain_level"), NOON_US + HOUR_US)]
        assert once == [uplink.payload for _, uplink in live(device("drain_level"), NOON_US + HOUR_US)]


class TestLease:
    def test_a_lamp_obeys_and_reports_the_new_level_soon(self) -> None:
        lamp = device("streetlight", NIGHT_US)
        live(lamp, NIGHT_US + MINUTE_US)
        (ack,) = command(lamp, NIGHT_US + MINUTE_US, setpoint_pct=40)
        assert ack.topic == topics.ack("streetlight", lamp.device)
        assert json.loads(ack.payload) == {"id": "c1", "ok": True, "applied": {"setpoint_pct": 40.0}, "error": None}
        (report,) = observations(live(lamp, NIGHT_US + MINUTE_US + 15 * SECOND_US))
        assert (report["level_pct"], report["setpoint_pct"]) == (40, 40)

    def test_at_its_end_the_lamp_returns_to_its_own_default(self) -> None:
        lamp = device("streetlight", NIGHT_US)
        live(lamp, NIGHT_US + MINUTE_US)
        command(lamp, NIGHT_US + MINUTE_US, setpoint_pct=40)
        during = observations(live(lamp, NIGHT_US + HOUR_US))
        after = observations(live(lamp, NIGHT_US + HOUR_US + 2 * MINUTE_US))
        assert {each["level_pct"] for each in during} == {40}
        assert after[-1]["level_pct"] == 100

    def test_a_default_by_day_is_dark(self) -> None:
        lamp = device("streetlight", NOON_US)
        assert observations(live(lamp, NOON_US))[0]["level_pct"] == 0

    def test_an_expired_command_changes_nothing(self) -> None:
        lamp = device("streetlight", NIGHT_US)
        live(lamp, NIGHT_US + MINUTE_US)
        assert command(lamp, NIGHT_US + MINUTE_US, for_us=-1, setpoint_pct=40) == []
        assert observations(live(lamp, NIGHT_US + 20 * MINUTE_US))[-1]["level_pct"] == 100

    def test_a_repeated_id_is_acknowledged_again_without_effect(self) -> None:
        lamp = device("streetlight", NIGHT_US)
        live(lamp, NIGHT_US + MINUTE_US)
        first = command(lamp, NIGHT_US + MINUTE_US, "c1", setpoint_pct=40)
        command(lamp, NIGHT_US + 2 * MINUTE_US, "c2", setpoint_pct=80)
        again = command(lamp, NIGHT_US + MINUTE_US, "c1", setpoint_pct=40)
        assert [uplink.payload for uplink in again] == [uplink.payload for uplink in first]
        assert observations(live(lamp, NIGHT_US + 20 * MINUTE_US))[-1]["level_pct"] == 80

    def test_a_drain_reports_faster_while_told_to(self) -> None:
        drain = device("drain_level")
        live(drain, NOON_US + MINUTE_US)
        command(drain, NOON_US + MINUTE_US, report_every_s=60)
        faster = live(drain, NOON_US + HOUR_US)
        slower = live(drain, NOON_US + 2 * HOUR_US + MINUTE_US)
        assert 49 <= len(faster) <= 75
        assert 10 <= len(slower) <= 17

    def test_a_restart_forgets_the_lease(self) -> None:
        lamp = device("streetlight", NIGHT_US, reboot_per_day=1.0)
        seen = []
        while lamp.boots < 2:
            command(lamp, lamp.next_us, f"c{lamp.next_us}", setpoint_pct=40)
            seen = observations(lamp.wake(lamp.next_us))
        assert seen[0]["seq"] == 1
        assert seen[0]["level_pct"] in (0, 100)


class TestStoreAndForward:
    def test_what_was_measured_without_a_line_comes_later_as_arrays(self) -> None:
        drain = device("drain_level")
        live(drain, NOON_US + MINUTE_US)
        drain.disconnected()
        assert live(drain, NOON_US + 3 * DAY_US) == []
        hello, *backfill = drain.connected(NOON_US + 3 * DAY_US, torn=True)
        assert hello.retain
        arrays = [json.loads(uplink.payload) for uplink in backfill]
        assert [len(array) for array in arrays[:-1]] == [500] * (len(arrays) - 1)
        seen = observations(backfill)
        assert [each["seq"] for each in seen] == list(range(seen[0]["seq"], seen[0]["seq"] + len(seen)))
        assert len(seen) > 700

    def test_a_torn_line_brings_the_last_60_s_again(self) -> None:
        bay = device("parking_bay")
        sent = observations(live(bay, NOON_US + 10 * MINUTE_US))
        last_us = sent[-1]["ts"] * 1000
        bay.disconnected()
        again = bay.connected(last_us + 30 * SECOND_US, torn=True)
        assert observations(again)[-1] == sent[-1]
        for uplink in again:
            acknowledged(uplink)
        bay.disconnected()
        assert observations(bay.connected(last_us + 300 * SECOND_US, torn=True)) == []

    def test_what_the_broker_did_not_take_is_sent_again(self) -> None:
        bay = device("parking_bay")
        sent = observations(live(bay, NOON_US + HOUR_US, taken=False))
        bay.disconnected()
        assert observations(bay.connected(NOON_US + 2 * HOUR_US, torn=False)) == sent

    def test_without_radio_it_measures_on_and_catches_up(self) -> None:
        drain = device("drain_level", radio_loss_per_day=1.0)
        sent = live(drain, NOON_US + 2 * DAY_US)
        seen = {each["seq"]: each for each in observations(sent)}
        assert any(uplink.payload.startswith(b"[") for _, uplink in sent)
        assert sorted(seen) == list(range(1, len(seen) + 1))


class TestFaults:
    def faulty(self, kind: str, **faults: float) -> list[dict[str, Any]]:
        return observations(live(device(kind, **faults), NOON_US + 2 * DAY_US))

    def test_a_silent_device_leaves_a_gap_that_is_never_filled(self) -> None:
        seen = self.faulty("drain_level", silent_per_day=1.0)
        gaps = [b["ts"] - a["ts"] for a, b in pairwise(seen)]
        assert max(gaps) > 30 * 60 * 1000

    def test_a_stuck_drain_repeats_itself(self) -> None:
        seen = self.faulty("drain_level", stuck_share=1.0)
        assert len({(each.get("level_m"), each.get("distance_m")) for each in seen}) == 1

    def test_a_stuck_bay_is_always_taken(self) -> None:
        assert {each["occupied"] for each in self.faulty("parking_bay", stuck_share=1.0)} == {True}

    def test_a_report_may_come_twice_with_the_same_time(self) -> None:
        seen = self.faulty("drain_level", duplicate_per_report=1.0)
        assert seen[0] == seen[1]

    def test_a_missed_edge_is_told_by_the_next_heartbeat(self) -> None:
        sent = live(device("parking_bay", missed_edge_per_change=1.0), NOON_US + 3 * DAY_US)
        moments = [at_us for at_us, _ in sent[2:]]
        assert min(b - a for a, b in pairwise(moments)) >= 0.8 * 900 * SECOND_US
        assert {each["occupied"] for each in observations(sent)} == {True, False}

    def test_a_lost_echo_lies_below_the_invert(self) -> None:
        member = next(m for m in City(200, seed=3).members() if getattr(m.traits, "reports", "") == "distance_m")
        faults = DeviceFaults(Faults(lost_echo_per_report=1.0), Chance.seeded("f"))
        made = Firmware(member, TOWN.town, faults, NOON_US, 60 * SECOND_US)
        made.connected(NOON_US, torn=False)
        assert observations(live(made, NOON_US))[0]["distance_m"] > member.traits.sensor_height_m  # type: ignore[union-attr]

    def test_a_lamp_that_cannot_dim_gives_all_or_nothing(self) -> None:
        lamp = device("streetlight", NIGHT_US, not_dimming_share=1.0)
        live(lamp, NIGHT_US + MINUTE_US)
        command(lamp, NIGHT_US + MINUTE_US, setpoint_pct=40)
        report = observations(live(lamp, NIGHT_US + 20 * MINUTE_US))[-1]
        assert (report["level_pct"], report["setpoint_pct"]) == (100, 40)

    def test_a_drifting_clock_shows_in_ts(self) -> None:
        seen = live(device("drain_level", clock_drift_ppm_max=1000.0), NOON_US + HOUR_US)
        at_us, uplink = seen[-1]
        assert 0 < abs(json.loads(uplink.payload)["ts"] - at_us // 1000) < 60_000

    @pytest.mark.parametrize("kind", ["streetlight", "drain_level", "parking_bay"])
    def test_a_value_may_leave_its_range(self, kind: str) -> None:
        garbled = self.faulty(kind, out_of_range_per_report=1.0)
        wild = {"streetlight": ("level_pct", 255), "drain_level": ("temp_c", 327.67)}
        name, value = wild.get(kind, ("confidence_pct", 255))
        assert garbled[0][name] == value


def test_the_will_says_that_the_device_is_gone() -> None:
    bay = device("parking_bay")
    assert bay.will.topic == topics.status("parking_bay", bay.device)
    assert bay.will.retain
    assert json.loads(bay.will.payload)["online"] is False


@pytest.mark.parametrize("act", [lambda made: made.wake(NOON_US), lambda made: command(made, NOON_US, setpoint_pct=1)])
def test_before_it_is_connected_it_sends_nothing(act: Callable[[Firmware], list[Uplink]]) -> None:
    member = next(TOWN.members())
    made = Firmware(member, TOWN.town, DeviceFaults(NONE, Chance.seeded("f")), NOON_US, 60 * SECOND_US)
    assert act(made) == []


class TestLoss:
    def test_an_uplink_that_gets_lost_is_sent_again_until_one_arrives(self) -> None:
        made = device("streetlight", loss_per_uplink=0.5)
        sent = observations(live(made, NOON_US + 6 * HOUR_US))
        assert made.reports > 30
        assert {each["seq"] for each in sent} >= set(range(1, made.reports)), "the last may be under way"
        assert all(each <= 1 for each in Counter(each["seq"] for each in sent).values()), "none arrives twice"

    def test_where_the_acknowledgement_gets_lost_it_is_sent_again_though_it_has_arrived(self) -> None:
        made = device("streetlight", lost_ack_per_uplink=0.5)
        times = Counter(each["seq"] for each in observations(live(made, NOON_US + 6 * HOUR_US)))
        assert max(times.values()) > 1
        assert set(times) >= set(range(1, made.reports))
        assert not made.store.overdue(NOON_US + 7 * HOUR_US, HOUR_US), "each is believed delivered in the end"

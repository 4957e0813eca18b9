"""What holds for any history: order across assets, restarts and repeats change nothing; counts never contradict."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.arrival import arrivals, on_time, rounds
from rules.effects import ClearAlarm, Count, RaiseAlarm, SendCommand
from rules.inputs import Acked, Inputs
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US, SECOND_US
from telemetry.columns import Columns
from telemetry.commands import State
from telemetry.thresholds import Lighting, Thresholds
from tests.parts.cities import MIDNIGHT_US, Life, bay, city, drain, lamp
from tests.parts.series import columns

TOWN = city(
    [
        *(
            replace(lamp(each, report_every_s=300, cabinet="KV-1", direct=True), lat=51.0, lon=7.0)
            for each in (1, 8, 9)
        ),
        *(lamp(2), drain(3), drain(4, ground_m=None), bay(5), bay(6), bay(7, zone="pier")),
    ],
    Thresholds(lighting=Lighting(boost_pct=80.0, photocell="streetlight-2")),
)
KINDS = {3: "drain_level", 4: "drain_level"} | dict.fromkeys((1, 2, 8, 9), "streetlight")
VALUES = {
    "streetlight": [0.0, 30.0, 48.0, 50.0, 100.0],
    "drain_level": [0.5, 0.97, 1.0, 1.2, 1.47, 1.6],
    "parking_bay": [0.0, 1.0],
}
ACK = -1.0


@dataclass(frozen=True)
class Event:
    """An asset says something, or acknowledges all that it was sent; `age_s` is how long that took to arrive."""

    asset: int
    value: float
    age_s: float


@st.composite
def events(draw: st.DrawFn) -> Event:
    asset = draw(st.integers(1, 9))
    value = draw(st.sampled_from(VALUES[kind_of(asset)]))
    if draw(st.integers(0, 3)) == 0:
        value = ACK
    return Event(asset, value, draw(st.sampled_from([-30.0, 0.0, 0.5, 1.5, 20.0, 900.0])))


batches = st.lists(st.tuples(st.integers(1, 1500), st.lists(events(), max_size=6)), max_size=25)
History = list[tuple[int, list[Event]]]


def kind_of(asset: int) -> str:
    return KINDS.get(asset, "parking_bay")


def live(history: History, restart: bool = False, order: Callable[[list[Event]], list[Event]] = list) -> Life:
    """Batches at intervals in seconds, from local midnight."""
    life = Life(TOWN, restart=restart)
    now_us = MIDNIGHT_US
    for wait_s, batch in history:
        now_us += wait_s * SECOND_US
        life.step(now_us, inputs_of(life, order(batch), now_us))
    life.step(now_us + 90 * MINUTE_US)
    return life


def inputs_of(life: Life, batch: list[Event], now_us: int) -> Inputs:
    acks, rows = [], {kind: [] for kind in VALUES}  # type: ignore[var-annotated]
    places: dict[str, list[int]] = {kind: [] for kind in VALUES}
    for message, event in enumerate(batch):
        if event.value == ACK:
            sent = [each for each in life.sent() if each.asset_id == event.asset]
            acks += [Acked(message, each.device, each.id, True) for each in sent[-1:]]
            continue
        rows[kind_of(event.asset)].append((event.asset, now_us - round(event.age_s * SECOND_US), event.value))
        places[kind_of(event.asset)].append(message)
    found: dict[str, Columns] = {}
    for kind, listed in rows.items():
        if listed:
            found[kind] = columns(kind, listed)
            found[kind].message[:] = places[kind]
    if "streetlight" in found:
        fields = found["streetlight"].fields
        level = fields["level_pct"]
        fields["power_w"][:], fields["voltage_v"][:] = level % 50, np.where(level > 0, 230.0, 0.0)
        fields["motion"][:], fields["lux"][:] = level == 48, level
    return Inputs(found, acks)


def per_asset(batch: list[Event]) -> list[Event]:
    """Another order of arrival that keeps each asset's own."""
    return sorted(batch, key=lambda event: -event.asset)


@settings(max_examples=12, deadline=None)
@given(batches)
def test_any_interleaving_of_assets_gives_the_same_effects(history: History) -> None:
    assert live(history, order=per_asset).effects == live(history).effects


@settings(max_examples=12, deadline=None)
@given(batches)
def test_a_restart_after_any_step_gives_the_same_effects(history: History) -> None:
    assert live(history, restart=True).effects == live(history).effects


@settings(max_examples=12, deadline=None)
@given(batches)
def test_a_redelivery_of_a_batch_decides_nothing(history: History) -> None:
    once = live(history)
    again: History = []
    for wait_s, batch in history:
        again.append((wait_s, [event for event in batch if event.value != ACK]))
    life = Life(TOWN)
    now_us = MIDNIGHT_US
    for wait_s, batch in again:
        now_us += wait_s * SECOND_US
        inputs = inputs_of(life, batch, now_us)
        life.step(now_us, inputs)
        assert [each for each in life.step(now_us, inputs) if not isinstance(each, Count)] == []
    assert once.state.now_us >= now_us


@settings(max_examples=12, deadline=None)
@given(batches)
def test_counts_of_a_zone_never_contradict(history: History) -> None:
    for word in live(history).words():
        assert 0 <= word.free_min <= word.free <= word.free_max <= word.capacity
        assert word.capacity == word.free + word.occupied + word.unknown


@settings(max_examples=12, deadline=None)
@given(batches)
def test_alarms_rise_and_clear_in_turn_and_no_id_comes_twice(history: History) -> None:
    life = live(history)
    ids = [alarm.id for alarm in life.raised()]
    assert len(ids) == len(set(ids))
    standing: set[str] = set()
    for each in life.effects:
        if isinstance(each, RaiseAlarm):
            assert each.id not in standing
            standing.add(each.id)
        elif isinstance(each, ClearAlarm):
            standing.remove(each.id)


GOOD = {"drain_level": 0.3, "parking_bay": 0.0}


def recover(life: Life, hours: int) -> None:
    """All is well from now on: lamps answer, are fed and give what they are told, drains are low, bays are free."""
    told = dict.fromkeys((1, 2, 8, 9), 0.0)
    sent = life.sent()
    for _ in range(hours * 6):
        now_us = life.state.now_us + 10 * MINUTE_US
        acks = [Acked(-1, each.device, each.id, True) for each in sent]
        told |= {each.asset_id: each.settings.setpoint_pct or 0.0 for each in sent if each.asset_id in told}
        rows = {kind: [(n, now_us, GOOD.get(kind, 0.0)) for n in range(1, 8) if kind_of(n) == kind] for kind in VALUES}
        rows["streetlight"] = [(asset, now_us, level) for asset, level in told.items()]
        found = {kind: columns(kind, listed) for kind, listed in rows.items()}
        found["streetlight"].fields["voltage_v"][:] = 230.0
        found["streetlight"].fields["power_w"][:] = found["streetlight"].fields["level_pct"]
        sent = [each for each in life.step(now_us, Inputs(found, acks)) if isinstance(each, SendCommand)]


@settings(max_examples=4, deadline=None)
@given(batches)
def test_every_alarm_clears_once_its_condition_is_gone(history: History) -> None:
    life = live(history)
    recover(life, hours=8)
    raised = {each.id: each.type for each in life.raised()}
    cleared = {each.id for each in life.cleared()}
    assert {name: kind for name, kind in raised.items() if name not in cleared} == {}


@settings(max_examples=12, deadline=None)
@given(batches)
def test_no_command_is_made_or_sent_again_after_its_expiry(history: History) -> None:
    for each in live(history).sent():
        assert each.at_us < each.expires_us


@settings(max_examples=12, deadline=None)
@given(batches)
def test_no_command_fails_for_its_light_beside_the_alarm(history: History) -> None:
    life = live(history)
    asset_of = {each.id: each.asset for each in life.sent()}
    for move in life.moved():
        if move.state is State.FAILED and "The lamp gave" in (move.error or ""):
            lamps = [each.asset for each in life.raised() if each.type == AlarmType.LAMP_NOT_FOLLOWING]
            assert asset_of[move.id] in lamps


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 12)), max_size=40),
    st.lists(st.integers(-1, 8), min_size=4, max_size=4),
)
def test_late_is_what_is_not_newer_than_all_before(rows: list[tuple[int, int]], positions: list[int]) -> None:
    found = columns("drain_level", [(asset, at_us, 0.1) for asset, at_us in rows])
    row = found.asset_id.astype(np.intp) - 1
    newest = dict(enumerate(positions))
    expected = []
    for asset, at_us in rows:
        expected.append(at_us > newest[asset - 1])
        newest[asset - 1] = max(newest[asset - 1], at_us)
    assert on_time(arrivals(found, row), np.array(positions)).tolist() == expected


@given(st.lists(st.integers(0, 5), max_size=40))
def test_rounds_take_each_row_once_and_in_order(rows: list[int]) -> None:
    row = np.array(rows, np.intp)
    lots = [lot.tolist() for lot in rounds(row)]
    assert sorted(index for lot in lots for index in lot) == list(range(len(rows)))
    for lot in lots:
        assert len({rows[index] for index in lot}) == len(lot)
    for wanted in set(rows):
        order = [index for lot in lots for index in lot if rows[index] == wanted]
        assert order == sorted(order)

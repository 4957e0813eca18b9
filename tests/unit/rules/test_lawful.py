"""What no registry and no program can bring about: a command that a guard forbids."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.inputs import Acked, Inputs, Override
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US
from telemetry.commands import Settings
from telemetry.guards import objection
from telemetry.registry import Asset
from telemetry.thresholds import DimmingProgram, DimmingStep, Lighting, Thresholds
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, city, lamp
from tests.parts.series import columns

levels = st.sampled_from([-5.0, 0.0, 5.0, 30.0, 60.0, 100.0, 130.0])
floors = st.none() | st.sampled_from([-10.0, 0.0, 1.0, 40.0, 100.0, 150.0, float("nan")])


@st.composite
def lamps(draw: st.DrawFn, number: int) -> Asset:
    return lamp(
        number,
        min_level_pct=draw(floors),
        lighting_class=draw(st.sampled_from([None, "M1", "P6", "X9"])),
        crossing=draw(st.none() | st.booleans()),
        ring_sign=draw(st.none() | st.booleans()),
        device=draw(st.sampled_from(["old", "new", None])),
        direct=draw(st.none() | st.booleans()),
    )


def only(program: DimmingProgram) -> Lighting:
    """A town of one program."""
    return Lighting(programs=(program,))


def assert_lawful(life: Life, known: int) -> None:
    """Everything sent since so many commands was allowed by the registry and the rules of the moment."""
    classes = life.city.thresholds.lighting.class_min_pct
    for each in life.sent()[known:]:
        asset = life.city.asset(each.asset_id)
        assert asset is not None
        dark = life.city.sun.dark_between(each.at_us, each.expires_us)
        assert objection(asset, each.settings, dark, classes) is None
        assert each.at_us < each.expires_us


@st.composite
def rules(draw: st.DrawFn) -> Thresholds:
    """Rules of any sort, also such as the rule file would be refused for."""
    step = DimmingStep(*draw(st.sampled_from([("22:00", "04:00"), ("dusk", "dawn-01:00")])), draw(levels))
    lighting = replace(
        only(DimmingProgram("standard", (step,), draw(levels), draw(levels))),
        sun_below_horizon_deg=draw(st.sampled_from([6.0, 0.833])),
        dusk_offset_s=draw(st.sampled_from([0, 3600])),
        dawn_offset_s=draw(st.sampled_from([0, -3600])),
        class_min_pct=draw(st.sampled_from([{}, {"P6": 70.0, "M1": 10.0}])),
        photocell=draw(st.sampled_from(["", "streetlight-1", "nobody"])),
        boost_pct=draw(st.sampled_from([0.0, 5.0, 90.0])),
    )
    return Thresholds(lighting=lighting)


@dataclass(frozen=True)
class Event:
    """After some minutes: another registry or other rules, an order, what the lamp says, or nothing but time."""

    minutes: int
    asset: Asset | None = None
    rules: Thresholds | None = None
    override_pct: float | None = None
    lux: float | None = None
    acks: bool = False


events = st.builds(
    Event,
    st.integers(0, 200),
    st.none() | lamps(1),
    st.none() | rules(),
    st.none() | levels,
    st.none() | st.sampled_from([0.0, 20.0, 30.0, 500.0]),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(lamps(1), rules(), st.integers(0, 24 * 60), st.lists(events, max_size=12))
def test_no_sequence_of_rules_overrides_and_reloads_has_anything_unlawful_sent(
    first: Asset, figures: Thresholds, minute: int, history: list[Event]
) -> None:
    life = Life(city([first], figures))
    now_us = NOON_US + minute * MINUTE_US
    life.step(now_us)
    assert_lawful(life, 0)
    for number, event in enumerate(history):
        known, asset = len(life.sent()), event.asset or first
        first, figures, now_us = asset, event.rules or figures, now_us + event.minutes * MINUTE_US
        if event.asset or event.rules:
            life.city = city([asset], figures, version=2 + number)
        wishes = []
        if event.override_pct is not None:
            wishes = [Override(f"o{number}", 1, Settings(setpoint_pct=event.override_pct), now_us + 5 * HOUR_US)]
        acks = [Acked(0, each.device, each.id, True) for each in life.sent()[-1:]] if event.acks else []
        found = {}
        if event.lux is not None:
            found["streetlight"] = columns("streetlight", [(1, now_us - SECOND_US, 100.0)])
            found["streetlight"].fields["lux"][:], found["streetlight"].fields["motion"][:] = event.lux, 1.0
        life.step(now_us, Inputs(found, acks, wishes))
        assert_lawful(life, known)


def test_a_registered_floor_of_zero_is_no_leave_to_be_dark() -> None:
    dark = Thresholds(lighting=only(DimmingProgram("standard", night_level_pct=0)))
    life = Life(city([lamp(1, min_level_pct=0), lamp(2, min_level_pct=0, ring_sign=True)], dark))
    life.step(MIDNIGHT_US)
    assert {each.asset_id: each.settings.setpoint_pct for each in life.sent()} == {1: 10, 2: 0}


def test_a_program_above_full_light_is_full_light() -> None:
    life = Life(city([lamp(1)], Thresholds(lighting=only(DimmingProgram("standard", night_level_pct=130)))))
    life.step(MIDNIGHT_US)
    assert [each.settings.setpoint_pct for each in life.sent()] == [100]

"""What no registry and no program can bring about: a command that a guard forbids."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.inputs import Inputs, Override
from telemetry.clock import HOUR_US, MINUTE_US
from telemetry.commands import Settings
from telemetry.guards import objection
from telemetry.registry import Asset
from telemetry.thresholds import DimmingProgram, DimmingStep, Lighting, Thresholds
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, city, lamp

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
    )


def only(program: DimmingProgram) -> Lighting:
    """A town of one program."""
    return Lighting(programs=(program,))


def assert_lawful(life: Life, known: int) -> None:
    """Everything sent since so many commands was allowed by the registry of the moment."""
    for each in life.sent()[known:]:
        asset = life.city.asset(each.asset_id)
        assert asset is not None
        assert objection(asset, each.settings, life.city.sun.dark_between(each.at_us, each.expires_us)) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(lamps(1), min_size=2, max_size=4),
    st.tuples(levels, levels, levels),
    st.integers(0, 24 * 60),
    levels,
)
def test_nothing_unlawful_is_sent_whatever_the_registry_holds(
    versions: list[Asset], wanted: tuple[float, float, float], minutes: int, override_pct: float
) -> None:
    step, night, day = wanted
    lighting = only(DimmingProgram("standard", (DimmingStep("22:00", "04:00", step),), night, day))
    life = Life(city(versions[:1], Thresholds(lighting=lighting)))
    now_us = NOON_US + minutes * MINUTE_US
    life.step(now_us)
    assert_lawful(life, 0)
    wish = Override("o", 1, Settings(setpoint_pct=override_pct), now_us + 5 * HOUR_US)
    life.step(now_us + MINUTE_US, Inputs(overrides=[wish]))
    assert_lawful(life, 0)
    for number, changed in enumerate(versions[1:], 2):
        known = len(life.sent())
        life.city = city([changed], Thresholds(lighting=lighting), version=number)
        now_us += 20 * MINUTE_US
        life.step(now_us)
        life.observe(now_us + MINUTE_US, "streetlight", [(1, now_us + MINUTE_US, 100.0)])
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

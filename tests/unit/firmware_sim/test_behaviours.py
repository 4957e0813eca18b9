"""How lamps, drains and bays live."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim import behaviours as b
from firmware_sim.chance import Chance
from firmware_sim.places import LAT, LON, TIMEZONE
from firmware_sim.surroundings import Surroundings
from firmware_sim.weather import Weather
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_us
from telemetry.kinds import KINDS

MONDAY_US = to_us(datetime(2026, 6, 8, tzinfo=UTC))
TOWN = Surroundings(Weather(1), LAT, LON, TIMEZONE)
LAMP = b.LampTraits(Chance.seeded("lamp"), rated_w=50.0, standby_w=0.5, passers_per_h=100.0, astro_offset_s=0.0)
DRAIN = b.DrainTraits(
    Chance.seeded("drain"),
    reports="distance_m",
    sensor_height_m=2.4,
    blind_zone_m=0.25,
    crown_m=0.5,
    ground_m=2.5,
    dry_m=0.06,
    full_at_mm=12.0,
    catchment=1,
    rain_share=1.0,
    travel_us=0,
    has_rain_gauge=True,
    has_flow_meter=True,
)
BAY = b.BayTraits(Chance.seeded("bay"), custom="shops", demand=1.0)


def storm(at_us: int, share: float) -> tuple[Surroundings, b.DrainTraits]:
    """A town with a cloudburst, and a drain that gets so much of it."""
    return replace(TOWN, weather=Weather(1, (at_us,))), replace(DRAIN, rain_share=share, reports="level_m")


def in_range(kind: str, fields: b.Fields) -> bool:
    known = {each.name: each for each in KINDS[kind].properties}
    return all(
        isinstance(value, bool) == (known[name].type is bool)
        and known[name].measure.low <= value <= known[name].measure.high
        for name, value in fields.items()
    )


@settings(deadline=None)
@given(moment_us=st.integers(MONDAY_US, MONDAY_US + 300 * DAY_US), level=st.floats(0, 100))
def test_every_reading_lies_in_the_range_of_its_field(moment_us: int, level: float) -> None:
    lamp = b.LampState(level, 1_000.0, moment_us)
    assert in_range("streetlight", b.lamp_fields(TOWN, LAMP, lamp, moment_us - HOUR_US, moment_us))
    assert in_range("drain_level", b.drain_fields(TOWN, DRAIN, moment_us))
    assert in_range("drain_level", b.drain_fields(*storm(moment_us - HOUR_US, 1.3), moment_us))
    assert in_range("parking_bay", b.bay_fields(TOWN, BAY, True, moment_us))


class TestLamp:
    def test_it_burns_from_dusk_to_dawn(self) -> None:
        assert b.lamp_default_pct(TOWN, LAMP, MONDAY_US + 23 * HOUR_US) == 100
        assert b.lamp_default_pct(TOWN, LAMP, MONDAY_US + 12 * HOUR_US) == 0

    @given(moment_us=st.integers(MONDAY_US, MONDAY_US + 60 * DAY_US), offset_s=st.integers(-60, 60))
    def test_its_next_switch_is_where_its_default_changes(self, moment_us: int, offset_s: int) -> None:
        lamp = replace(LAMP, astro_offset_s=offset_s)
        switch_us = b.lamp_next_default_us(TOWN, lamp, moment_us)
        assert switch_us > moment_us
        before, after = (b.lamp_default_pct(TOWN, lamp, at) for at in (switch_us - 1, switch_us))
        assert before != after
        assert before == b.lamp_default_pct(TOWN, lamp, moment_us)

    def test_dimming_saves_power(self) -> None:
        watts = [b.lamp_power_w(LAMP, b.LampState(level, 0, 0)) for level in (0, 30, 50, 100)]
        assert watts == sorted(watts)
        assert watts[0] == 0.5
        assert watts[-1] == pytest.approx(50.5)

    def test_energy_is_power_times_time(self) -> None:
        lit = b.LampState(100.0, 0.0, MONDAY_US)
        later = b.lamp_set(LAMP, lit, 100.0, MONDAY_US + 2 * HOUR_US, failed=False)
        assert later.energy_wh == pytest.approx(101.0)

    def test_a_dead_light_source_draws_nothing_and_says_so(self) -> None:
        state = b.LampState(100.0, 0.0, MONDAY_US, failed=True)
        fields = b.lamp_fields(TOWN, LAMP, state, MONDAY_US, MONDAY_US)
        assert fields["lamp_fault"] is True
        assert fields["power_w"] < 1

    def test_it_sees_the_day(self) -> None:
        state = b.LampState(0.0, 0.0, MONDAY_US)
        lux = {hour: b.lamp_fields(TOWN, LAMP, state, MONDAY_US, MONDAY_US + hour * HOUR_US)["lux"] for hour in (0, 12)}
        assert lux[12] > 5_000
        assert lux[0] < 1


class TestDrain:
    def test_it_carries_little_in_dry_weather(self) -> None:
        dry = replace(DRAIN, rain_share=0.0)
        levels = [b.drain_level_m(TOWN, dry, MONDAY_US + hour * HOUR_US) for hour in range(24)]
        assert 0 < min(levels) < max(levels) < 0.1

    def test_the_distance_is_what_is_left_below_the_sensor(self) -> None:
        fields = b.drain_fields(TOWN, DRAIN, MONDAY_US)
        assert fields["distance_m"] == pytest.approx(2.4 - b.drain_level_m(TOWN, DRAIN, MONDAY_US), abs=0.02)

    def test_a_cloudburst_brings_einstau_where_the_pipe_is_narrow(self) -> None:
        town, drain = storm(MONDAY_US, 0.7)
        highest = max(b.drain_level_m(town, drain, MONDAY_US + minute * MINUTE_US) for minute in range(0, 180, 5))
        assert drain.crown_m < highest < drain.ground_m

    def test_a_worse_one_brings_ueberstau_and_runs_off_along_the_street(self) -> None:
        town, drain = storm(MONDAY_US, 2.0)
        highest = max(b.drain_level_m(town, drain, MONDAY_US + minute * MINUTE_US) for minute in range(0, 180, 5))
        assert drain.ground_m < highest < drain.ground_m + b.STREET_FLOOD_M

    def test_a_distance_sensor_sees_no_further_than_its_blind_zone(self) -> None:
        town, drain = storm(MONDAY_US, 2.0)
        drain = replace(drain, reports="distance_m")
        nearest = min(
            b.drain_fields(town, drain, MONDAY_US + minute * MINUTE_US)["distance_m"] for minute in range(0, 120, 5)
        )
        assert nearest == drain.blind_zone_m

    @given(level=st.floats(0, 1))
    def test_a_fuller_pipe_carries_more(self, level: float) -> None:
        assert 0 <= b.flow_l_s(level * 0.8, 1.0) <= b.flow_l_s(level * 0.8 + 0.05, 1.0)


class TestBay:
    def visits(self, custom: b.Custom, days: int) -> list[tuple[int, int]]:
        """(arrival, departure) of the stays in a bay."""
        bay = replace(BAY, custom=custom)
        state, stays = b.bay_begins(TOWN, bay, MONDAY_US), []
        while state.until_us < MONDAY_US + days * DAY_US:
            following = b.bay_next(TOWN, bay, state)
            assert following.occupied != state.occupied
            assert following.until_us > state.until_us
            if following.occupied:
                stays.append((state.until_us, following.until_us))
            state = following
        return stays

    def test_cars_come_and_go_in_turns_for_ever(self) -> None:
        assert len(self.visits("shops", 14)) > 50

    def test_shoppers_stay_shorter_than_commuters(self) -> None:
        def median_min(custom: b.Custom) -> float:
            stays = sorted(left - came for came, left in self.visits(custom, 60))
            return stays[len(stays) // 2] / MINUTE_US

        assert 25 < median_min("shops") < 60 < 300 < median_min("commuters") < 600

    def test_nobody_shops_on_a_sunday_as_on_a_friday(self) -> None:
        arrivals = [TOWN.local_hour(came)[0] for came, _ in self.visits("shops", 84)]
        assert arrivals.count(6) < 0.6 * arrivals.count(4)

    def test_commuters_come_in_the_morning(self) -> None:
        hours = [TOWN.local_hour(came)[1] for came, _ in self.visits("commuters", 60)]
        morning = sum(1 for hour in hours if 5 <= hour <= 9)
        assert morning > len(hours) / 2

    def test_the_same_bay_lives_the_same_life(self) -> None:
        assert self.visits("residents", 7) == self.visits("residents", 7)

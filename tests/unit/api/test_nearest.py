"""Which zones are near and have what one needs."""

import math

import pytest

from api.nearest import distance_m, nearest
from tests.parts.zones import bays, zone

HERE = (51.4363, 7.3352)


def test_a_degree_of_latitude() -> None:
    assert distance_m(50, 7, 51, 7) == pytest.approx(111_195, rel=1e-4)


def test_half_round_the_world() -> None:
    assert distance_m(0, 0, 0, 180) == pytest.approx(math.pi * 6_371_008.8)


def test_nearest_first_and_only_with_a_free_bay() -> None:
    zones = [
        zone("far", lat=51.45, lon=7.34),
        zone("near", lat=51.4364, lon=7.3352),
        zone("full", free=0, occupied=5, lat=51.4363, lon=7.3352),
        zone("perhaps", free=0, unknown=5, lat=51.4363, lon=7.3352),
        zone("nowhere", lat=None, lon=None),
    ]
    assert [found.zone for found, _ in nearest(zones, *HERE, limit=10)] == ["near", "far"]
    assert [found.zone for found, _ in nearest(zones, *HERE, limit=1)] == ["near"]


def test_reserved_bays_count_only_where_they_are_needed() -> None:
    zones = [
        zone("disabled", free=0, occupied=3, restricted={"disabled": bays(free=1)}),
        zone("charging", restricted={"charging": bays(free=2), "disabled": bays(occupied=1)}),
        zone("both", restricted={"charging": bays(free=1), "disabled": bays(free=1)}),
    ]
    names = {needs: [z.zone for z, _ in nearest(zones, *HERE, limit=9, needs=needs)] for needs in _NEEDS}
    assert names[()] == ["both", "charging"]
    assert names[("disabled",)] == ["both", "disabled"]
    assert names[("charging",)] == ["both", "charging"]
    assert names[("disabled", "charging")] == ["both"]


_NEEDS: tuple[tuple[str, ...], ...] = ((), ("disabled",), ("charging",), ("disabled", "charging"))

"""The seeded town: a plausible registry, the same for the same seed."""

import csv
import io
from collections import Counter

import msgspec
import pytest

from firmware_sim.city import COLUMNS, City, write_csv
from telemetry import topics
from telemetry.kinds import KINDS

TOWN = City(devices=2_000, seed=7)
ROWS = list(TOWN.rows())
ZONES = {row["asset"] for row in ROWS if row["kind"] == "zone"}
ASSETS = [row for row in ROWS if row["kind"] != "zone"]


def of(kind: str) -> list[dict[str, str]]:
    return [row for row in ASSETS if row["kind"] == kind]


def test_the_same_seed_is_the_same_town() -> None:
    assert list(City(devices=200, seed=7).rows()) == list(City(devices=200, seed=7).rows())
    assert list(City(devices=200, seed=7).members()) == list(City(devices=200, seed=7).members())


def test_another_seed_is_another_town() -> None:
    assert list(City(devices=200, seed=7).members()) != list(City(devices=200, seed=8).members())


def test_a_larger_town_holds_the_smaller_one() -> None:
    large = {row["asset"]: row for row in ROWS}
    assert all(large[row["asset"]] == row for row in City(devices=137, seed=7).rows())
    members = list(TOWN.members())
    assert list(City(devices=137, seed=7).members()) == members[:137]


def test_just_over_half_are_lamps_a_tenth_drains_and_a_third_bays() -> None:
    assert Counter(row["kind"] for row in ASSETS) == {"streetlight": 1_100, "drain_level": 200, "parking_bay": 700}


def test_rows_and_members_name_the_same_devices() -> None:
    assert [(m.device, m.asset, m.kind) for m in TOWN.members()] == [
        (row["device"], row["asset"], row["kind"]) for row in ASSETS
    ]


def test_names_are_valid_and_occur_once() -> None:
    assert len({row["asset"] for row in ROWS}) == len(ROWS)
    assert len({row["device"] for row in ASSETS}) == len(ASSETS)
    assert all(topics.valid_zone(zone) for zone in ZONES)
    assert all(topics.valid_asset(row["asset"]) and topics.valid_device(row["device"]) for row in ASSETS)


def test_every_asset_lies_in_a_zone_of_the_town() -> None:
    assert {row["zone"] for row in ASSETS} <= ZONES
    for row in ROWS:
        assert abs(float(row["lat"]) - TOWN.lat) < 0.05
        assert abs(float(row["lon"]) - TOWN.lon) < 0.08


def test_every_row_has_the_columns_of_the_contract_and_only_its_kinds_attributes() -> None:
    for row in ASSETS:
        assert tuple(row) == COLUMNS
        given = {name for name in COLUMNS[7:] if row[name]}
        assert given <= set(KINDS[row["kind"]].attribute_names)


def test_attributes_are_what_their_kinds_expect() -> None:
    truth = {"true": True, "false": False}
    for row in ASSETS:
        kind = KINDS[row["kind"]]
        given = {name: truth.get(row[name], row[name]) for name in kind.attribute_names if row[name]}
        msgspec.convert(given, kind.wire.attributes, strict=False)


def test_the_heights_of_a_drain_stand_above_each_other() -> None:
    for row in of("drain_level"):
        assert 0 < float(row["crown_m"]) < float(row["ground_m"])
        assert float(row["blind_zone_m"]) < float(row["sensor_height_m"]) < float(row["ground_m"])


def test_drains_name_neighbours_that_exist() -> None:
    names = {row["asset"] for row in of("drain_level")}
    assert {row["upstream"] for row in of("drain_level")} - {""} <= names
    assert {row["rain_from"] for row in of("drain_level")} - {""} <= names


def test_lamps_know_their_class_crossing_sign_and_cabinet() -> None:
    lamps = of("streetlight")
    assert {row["lighting_class"] for row in lamps} >= {"M3", "P4", "P6"}
    assert 0.05 < sum(row["crossing"] == "true" for row in lamps) / len(lamps) < 0.25
    assert all(row["ring_sign"] == "false" for row in lamps if row["crossing"] == "true")
    assert any(row["ring_sign"] == "true" for row in lamps)
    assert all(count <= 14 for count in Counter(row["cabinet"] for row in lamps).values())


def test_some_bays_are_reserved() -> None:
    reserved = Counter(row["reserved_for"] for row in of("parking_bay"))
    assert 20 < reserved["disabled"] < 80
    assert 20 < reserved["charging"] < 90


def test_report_intervals_are_registered_where_they_are_given() -> None:
    town = City(devices=40, report_every_s={"parking_bay": 60})
    assert {row["report_every_s"] for row in town.rows() if row["kind"] == "parking_bay"} == {"60"}
    assert {m.report_every_s for m in town.members() if m.kind == "parking_bay"} == {60}
    assert {m.report_every_s for m in town.members() if m.kind == "drain_level"} == {300}


@pytest.mark.parametrize("devices", [0, 1, 20])
def test_a_town_may_be_small(devices: int) -> None:
    assert len(list(City(devices=devices).members())) == devices


def test_the_registry_can_be_written_as_csv_and_read_again() -> None:
    assert list(csv.DictReader(io.StringIO(write_csv(ROWS)))) == ROWS


@pytest.mark.parametrize("devices", [0, 1, 9, 50, 300])
def test_a_zone_is_there_if_something_stands_in_it(devices: int) -> None:
    rows = list(City(devices=devices).rows())
    zones = {row["asset"] for row in rows if row["kind"] == "zone"}
    assert zones == {row["zone"] for row in rows if row["kind"] != "zone"}

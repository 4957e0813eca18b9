"""Two readings of one data sheet: what the simulator says in makers' bytes the gateway's decoders understand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.behaviours import Fields
from firmware_sim.city import City
from firmware_sim.vendors import bosch_tps110, decentlab_pr26, milesight_em500_udl, nas_ul20xx, product_of
from firmware_sim.vendors.decentlab_pr26 import crc
from firmware_sim.vendors.product import Circumstances, Product, Wish
from gateway.codecs.catalogue import catalogue

PRODUCTS = NAS, BOSCH, MILESIGHT, DECENTLAB = (
    nas_ul20xx.PRODUCT,
    bosch_tps110.PRODUCT,
    milesight_em500_udl.PRODUCT,
    decentlab_pr26.PRODUCT,
)
EUI = "02abcdef01000007"
RESOLUTION = {
    NAS.model: {"level_pct": 0.5, "power_w": 0.5, "energy_kwh": 5e-4, "voltage_v": 0.5, "temp_c": 0.5},
    BOSCH.model: {"temp_c": 0.5},
    MILESIGHT.model: {"distance_m": 5e-4, "battery_pct": 0.5},
    DECENTLAB.model: {"level_m": 2e-4, "temp_c": 2e-3},
}
"""By how much a value may differ: half of the last digit that the maker's format has."""

states = st.fixed_dictionaries(
    {
        "level_pct": st.sampled_from([0.0, 100.0]) | st.floats(2, 100),
        "lamp_fault": st.booleans(),
        "power_w": st.floats(0, 2_000),
        "energy_kwh": st.floats(0, 4_000_000),
        "voltage_v": st.floats(0, 255),
        "lux": st.floats(0.001, 120_000),
        "occupied": st.booleans(),
        "distance_m": st.floats(0.3, 9.9),
        "level_m": st.floats(0, 9.9),
        "temp_c": st.floats(-49, 99),
        "battery_pct": st.floats(0, 100),
    }
)
moments = st.builds(Circumstances, st.integers(1_500_000_000, 4_000_000_000).map((1_000_000).__mul__), st.just(EUI))


def read(product: Product, fields: Fields, about: Circumstances, which: str) -> dict[str, float | int | bool]:
    """What the gateway makes of all payloads together."""
    observation: dict[str, float | int | bool] = {}
    for payload in getattr(product, which)(fields, about):
        observation |= catalogue()[product.model].decode(payload.port, payload.octets).observation
    return observation


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.model)
@given(fields=states, about=moments, which=st.sampled_from(["hello", "report", "edge"]))
def test_the_gateway_reads_what_the_device_says(
    product: Product, fields: Fields, about: Circumstances, which: str
) -> None:
    seen = read(product, fields, about, which)
    for name, value in seen.items():
        if name == "lux":
            assert math.isclose(value, fields[name], rel_tol=2e-3, abs_tol=1e-3)
        elif isinstance(fields[name], bool):
            assert value is fields[name]
        else:
            assert abs(value - fields[name]) <= RESOLUTION[product.model][name] * 1.001


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.model)
def test_a_report_says_all_that_the_maker_measures(product: Product) -> None:
    fields: Fields = dict.fromkeys(("level_pct", "power_w", "energy_kwh", "voltage_v", "lux"), 60.0)
    fields |= {"distance_m": 1.2, "level_m": 0.4, "temp_c": 12.0, "battery_pct": 80.0}
    fields |= {"occupied": True, "lamp_fault": False}
    seen = read(product, fields, Circumstances(1_800_000_000_000_000, EUI, daily=True), "report")
    assert seen.keys() - {"lux", "lamp_fault", "occupied"} == RESOLUTION[product.model].keys()


def test_a_dead_lamp_is_seen_as_one() -> None:
    fields = {"level_pct": 80.0, "lux": 4.0, "temp_c": 9.0, "lamp_fault": True}
    assert read(NAS, fields, Circumstances(1_800_000_000_000_000, EUI), "edge")["lamp_fault"] is True


def test_the_milesight_names_its_battery_once_a_day_and_a_lost_echo_out_of_range() -> None:
    fields = {"distance_m": 12.0, "battery_pct": 80.0}
    assert read(MILESIGHT, fields, Circumstances(0, EUI, daily=True), "report") == {"battery_pct": 80.0}
    assert read(MILESIGHT, fields, Circumstances(0, EUI), "report") == {}


@given(level=st.integers(0, 100), lease_s=st.integers(60, 255 * 60))
def test_a_lamp_obeys_what_the_gateway_encodes(level: int, lease_s: int) -> None:
    encode = catalogue()[NAS.model].encode
    assert encode is not None
    downlink = encode({"setpoint_pct": level, "lease_s": lease_s})
    wish = NAS.obey(downlink.port, downlink.payload)
    assert wish is not None
    assert wish.setpoint_pct == level
    assert wish.for_s is not None
    assert abs(wish.for_s - lease_s) < 60


@pytest.mark.parametrize("product", [NAS, MILESIGHT, DECENTLAB], ids=lambda product: product.model)
@given(interval_s=st.integers(60, 64_800))
def test_a_device_reports_as_often_as_the_gateway_tells_it(product: Product, interval_s: int) -> None:
    encode = catalogue()[product.model].encode
    assert encode is not None
    downlink = encode({"report_every_s": interval_s})
    wish = product.obey(downlink.port, downlink.payload)
    assert wish is not None
    assert wish.report_every_s == interval_s


def test_downlinks_that_are_none_are_refused_in_the_makers_way() -> None:
    refused = NAS.obey(60, b"\x01\xfe\xc8")
    assert refused is not None
    assert refused.answer is not None
    assert refused.answer.octets == b"\x13\x3c\x05"
    assert NAS.obey(60, b"\x09\xfe\xff\x05") == Wish(resume=True)
    assert (BOSCH.obey(1, b"\x00"), MILESIGHT.obey(85, b"\xff\x04"), DECENTLAB.obey(1, bytes(6))) == (None,) * 3
    assert crc(bytes.fromhex("00020e10")) == 0x48A4, "an example of the maker's"


def test_every_device_of_a_town_has_a_makers_product() -> None:
    kinds = {(member.kind, product_of(member).model) for member in City(200, 1).members()}
    assert kinds == {
        ("streetlight", NAS.model),
        ("parking_bay", BOSCH.model),
        ("drain_level", MILESIGHT.model),
        ("drain_level", DECENTLAB.model),
    }

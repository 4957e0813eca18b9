"""Mapping files: a codec's output in our fields and units, and every mistake with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs.codec import Undecodable, Unencodable
from gateway.scripts.mapping_file import MappingMistakes, understand
from gateway.scripts.units import UNITS, Conversion, unit_of

DRAIN = """
kind = "drain_level"
[observation]
distance_m = { from = "data.distance", unit = "mm", none = [65535, "no echo"] }
temp_c = { from = "data.temps.1", unit = "°F" }
[extra]
battery_v = { from = ["data", "batt.mv"], unit = "mV" }
message = "data.type"
"""
BAY = """
kind = "parking_bay"
[observation]
occupied = { from = "status", %s }
"""


def test_values_come_in_our_units_under_our_names() -> None:
    output = {"data": {"distance": 2799, "temps": [0, 68], "batt.mv": 3601, "type": "measurement"}}
    reading = understand(DRAIN).reading(output)
    assert reading.observation == {"distance_m": 2.799, "temp_c": 20.0}
    assert reading.extra == {"battery_v": 3.601, "message": "measurement"}


@pytest.mark.parametrize("distance", [None, 65535, "no echo"])
def test_what_stands_for_no_value_leaves_the_field_out(distance: object) -> None:
    assert understand(DRAIN).reading({"data": {"distance": distance}}).observation == {}


@pytest.mark.parametrize("output", [None, 1, "x", [], {}, {"data": []}, {"data": {"temps": [1]}}])
def test_a_path_that_leads_nowhere_leaves_the_field_out(output: object) -> None:
    assert understand(DRAIN).reading(output).observation == {}


@pytest.mark.parametrize("distance", ["2799", "2799 mm", " 2.799e3mm ", 2799.0])
def test_a_number_may_be_a_text_with_its_unit(distance: object) -> None:
    assert understand(DRAIN).reading({"data": {"distance": distance}}).observation == {"distance_m": 2.799}


@pytest.mark.parametrize("distance", ["2799 cm", "far", "", True, [1], {}, "1e999", "nan", 1e308 * 10])
def test_what_is_no_number_in_the_unit_is_refused(distance: object) -> None:
    with pytest.raises(Undecodable, match=r"data\.distance is .*, where a number is expected"):
        understand(DRAIN).reading({"data": {"distance": distance}})


@pytest.mark.parametrize(
    ("rule", "status", "occupied"),
    [
        ('true = ["occupied", 1]', "occupied", True),
        ('true = ["occupied", 1]', 1, True),
        ('true = ["occupied", 1]', "free", False),
        ('true = ["occupied", 1]', True, False),  # true is not 1
        ("true = [true], false = [false]", True, True),
        ('true = ["taken"], false = ["free"], none = ["unknown"]', "unknown", None),
        ("none = [255]", False, False),
    ],
)
def test_a_truth(rule: str, status: object, occupied: bool | None) -> None:
    assert understand(BAY % rule).reading({"status": status}).observation.get("occupied") is occupied


@pytest.mark.parametrize(("rule", "status"), [('true = ["a"], false = ["b"]', "c"), ("none = [255]", 1)])
def test_what_is_neither_true_nor_false_is_refused(rule: str, status: object) -> None:
    with pytest.raises(Undecodable, match="neither true nor false"):
        understand(BAY % rule).reading({"status": status})


@pytest.mark.parametrize("errors", [["too short", 3], "too short"])
def test_an_output_that_reports_errors_is_refused(errors: object) -> None:
    with pytest.raises(Undecodable, match="the codec says: too short"):
        understand(DRAIN).reading({"data": {"distance": 1}, "errors": errors})


MISTAKES = """kind = "drain_level"
speed = 1
[observation]
distance_m = { from = "d", unit = "kg" }
occupied = "o"
level_m = { from = "l", unit = "V" }
temp_c = { unit = "K" }
flow_l_s = { from = [], tru = 1 }
rain_mm_h = { from = "r", true = [1] }
battery_pct = { from = "b", none = 255 }
[extra]
Bad = "a"
foo = { from = "a", unit = "m" }
[variables]
x = [1]
"""


def test_every_mistake_is_told_with_its_line() -> None:
    with pytest.raises(MappingMistakes) as found:
        understand(MISTAKES)
    lines = [int(each.split(":")[0].removeprefix("Line ")) for each in found.value.mistakes]
    assert lines == [2, 4, 5, 6, 7, 8, 8, 9, 10, 12, 13, 14]
    assert all(each.endswith(".") and each.count("\n") == 0 for each in found.value.mistakes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "drain_level"\n[observation', "Line 2: this is no TOML"),
        ("[observation]\n", "Line 1: kind is None"),
        ('kind = "drain_level"', r"no field is mapped"),
        ('\nkind = "weather"\n[observation]\nx = "y"', "Line 2: kind is 'weather'"),
        (
            'kind = "parking_bay"\n[observation]\n[observation.occupied]\nfrom = "x"\nfalse = [0]',
            "Line 3: .* means true",
        ),
        ('kind = "drain_level"\nobservation = 1', "Line 2: observation is no table"),
        ("a = " + "[" * 5000, "Line 1: this is no TOML"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(MappingMistakes, match=words):
        understand(text)


@pytest.mark.parametrize(
    ("source", "target", "value", "converted"),
    [
        ("mm", "m", 3, 0.003),
        ("ft", "m", 10, 3.048),
        ("in", "m", 1, 0.0254),
        ("mV", "V", 3601, 3.601),
        ("°F", "°C", -40, -40.0),
        ("°F", "°C", 32, 0.0),
        ("K", "°C", 273.15, 0.0),
        ("fraction", "%", 0.5, 50.0),
        ("1/254", "%", 254, 100.0),
        ("Wh", "kWh", 1500, 1.5),
        ("m³/h", "l/s", 36, 10.0),
        ("in/h", "mm/h", 1, 25.4),
        ("V", "mV", 3.3, 3300.0),
    ],
)
def test_units(source: str, target: str, value: float, converted: float) -> None:
    assert Conversion(source, target)(value) == pytest.approx(converted, rel=1e-15, abs=1e-13)


@given(st.sampled_from(sorted(UNITS)), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same(unit: str, value: float) -> None:
    base = UNITS[unit][0]
    assert Conversion(base, unit)(Conversion(unit, base)(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "unit"), [("battery_v", "V"), ("rain_mm_h", "mm/h"), ("flow_l_s", "l/s"), ("v", None), ("message", None)]
)
def test_a_name_ends_with_its_unit(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


LAMP = """
kind = "streetlight"
[observation]
level_pct = "data.level"
[downlink]
setpoint_pct = { to = "data.brightness", unit = "1/255", whole = true, with = { "data.command" = "dim", fPort = 7 } }
lease_s = { to = ["data", "how.long"], unit = "min", whole = true }
report_every_s = "data.interval"
"""


def test_our_settings_go_into_the_codecs_input_in_its_units() -> None:
    mapping = understand(LAMP)
    wanted = mapping.wanted({"setpoint_pct": 40, "lease_s": 3_629})
    assert wanted == {"data": {"brightness": 102, "command": "dim", "how.long": 60}, "fPort": 7}
    assert mapping.wanted({"report_every_s": 600}) == {"data": {"interval": 600}}


@pytest.mark.parametrize("value", [True, "40", None, float("nan")])
def test_a_setting_that_is_no_number_is_not_told(value: object) -> None:
    with pytest.raises(Unencodable, match="setpoint_pct"):
        understand(LAMP).wanted({"setpoint_pct": value})


def test_a_setting_that_is_not_mapped_is_not_told() -> None:
    with pytest.raises(Unencodable, match="says nothing of setpoint_pct"):
        understand(DRAIN).wanted({"setpoint_pct": 40})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('setpoint_pct = "data.x"', "drain_level takes no 'setpoint_pct': it takes report_every_s"),
        ("report_every_s = 3", 'report_every_s needs { to = "path" }'),
        ('report_every_s = { to = "" }', "report_every_s has a path that is none: ''"),
        ('report_every_s = { to = "a", unit = "mV" }', "report_every_s: s cannot be converted to 'mV'"),
        ('report_every_s = { to = "a", unit = ["min"] }', "report_every_s: s cannot be converted to ['min']"),
        ('report_every_s = { to = "a", whole = 1 }', "whole is neither true nor false"),
        ('report_every_s = { to = "a", with = [1] }', "'with' that is no table"),
        ('report_every_s = { to = "a", from = "b" }', "a member 'from', which is none of to, unit, whole, with"),
    ],
)
def test_mistakes_of_downlinks_are_told_with_their_line(line: str, words: str) -> None:
    with pytest.raises(MappingMistakes) as caught:
        understand(f'kind = "drain_level"\n[observation]\nlevel_m = "a"\n[downlink]\n{line}\n')
    assert caught.value.mistakes[0].startswith("Line 5: ")
    assert words in caught.value.mistakes[0]

"""Stage series: feet become metres, gages become drains."""

from pathlib import Path

import pytest

from firmware_sim.replay import open_replay
from firmware_sim.series.recording import BadRecording

ONE = "time_utc,discharge_ft3_s,discharge_qualifier,gage_height_ft,gage_qualifier\n"
TWO = "time_utc,usgs_1_gage_height_ft_qualifiers,usgs_1_gage_height_ft,usgs_2_gage_height_ft\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "water_usgs_01589330_flood.csv"


def test_a_stage_in_feet_is_a_level_in_metres(file: Path) -> None:
    file.write_text(ONE + "2018-06-01T04:00:00Z,10,A,3.28,A\n")
    ((moment_us, kind, device, fields),) = list(open_replay(file))
    assert moment_us == 1_527_825_600_000_000
    assert (kind, device) == ("drain_level", "usgs_01589330")
    assert fields == {"level_m": pytest.approx(0.999744), "flow_l_s": pytest.approx(283.168)}


def test_the_gage_is_a_drain_with_the_heights_of_the_contracts_replay(file: Path) -> None:
    file.write_text(ONE + "2018-06-01T04:00:00Z,,,3.28,A\n")
    replay = open_replay(file)
    zone, drain = replay.registry
    assert zone["kind"] == "zone"
    assert (drain["asset"], drain["device"], drain["zone"]) == ("usgs_01589330", "usgs_01589330", zone["asset"])
    assert (drain["crown_m"], drain["ground_m"], drain["report_every_s"]) == ("1.00", "1.50", "300")


def test_two_gages_are_two_drains_at_the_same_times(file: Path) -> None:
    file.write_text(TWO + "2019-05-01T04:00:00Z,P,1.0,2.0\n2019-05-01T04:05:00Z,P,1.1,\n")
    replay = open_replay(file)
    assert [row["asset"] for row in replay.registry[1:]] == ["usgs_1", "usgs_2"]
    assert [(device, fields["level_m"]) for _, _, device, fields in replay] == [
        ("usgs_1", 0.3048),
        ("usgs_2", 0.6096),
        ("usgs_1", 0.33528),
    ]


def test_what_the_survey_marks_as_missing_is_left_out(file: Path) -> None:
    file.write_text(ONE + "2018-06-01T04:00:00Z,-999999,A,-999999,A\n2018-06-01T04:05:00Z,-999999,A,1.0,A\n")
    assert [fields for *_, fields in open_replay(file)] == [{"level_m": 0.3048}]


def test_a_discharge_that_the_platform_would_refuse_is_left_out(file: Path) -> None:
    file.write_text(ONE + "2018-06-01T04:00:00Z,9999,A,20.0,A\n")
    assert [fields for *_, fields in open_replay(file)] == [{"level_m": 6.096}]


def test_lines_out_of_order_come_in_order(file: Path) -> None:
    file.write_text(ONE + "2018-06-01T04:05:00Z,,,2,A\n2018-06-01T04:00:00Z,,,1,A\n")
    replay = open_replay(file)
    assert [fields["level_m"] for *_, fields in replay] == [0.3048, 0.6096]
    assert replay.start_us < replay.end_us


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ONE + "2018-06-01T04:00:00Z,1,A,high,A\n", "line 2: gage_height_ft 'high' is not a number."),
        (ONE + "2018-06-01T04:00:00Z,1,A,nan,A\n", "line 2: gage_height_ft 'nan' is not a number."),
        (ONE + "2018-06-01T04:00:00Z,1,A,1,A\nyesterday,1,A,1,A\n", "line 3: time_utc 'yesterday' is not a time."),
        (ONE + "2018-06-01T04:00:00,1,A,1,A\n", "line 2: time_utc 2018-06-01T04:00:00 has no offset from UTC."),
        (ONE + "2018-06-01T04:00:00Z,1,A\n", "line 2: there are 3 cells, not 5."),
        ("time_utc,gage_height_ft,colour\n", "line 1: column colour is unknown; a gage series has"),
        ("time_utc,discharge_ft3_s\n", "line 1: discharge_ft3_s stands there without a gage_height_ft."),
        ("time_utc\n", "line 1: there is no column gage_height_ft."),
        (ONE, "holds no observations."),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_with_the_line(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(BadRecording) as refused:
        open_replay(file)
    assert str(refused.value).startswith(file.name)
    assert words in str(refused.value)

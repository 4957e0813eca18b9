"""Plain series: one observation a line, of any kind."""

from pathlib import Path

import pytest

from firmware_sim.replay import open_replay
from firmware_sim.series.recording import BadRecording

T = "2026-03-01T00:00:00Z"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "series.csv"


def test_the_kind_is_deduced_from_the_marked_field(file: Path) -> None:
    file.write_text(f"time,asset,level_pct,power_w\n{T},lamp-1,40,12.5\n")
    ((moment_us, kind, device, fields),) = list(open_replay(file))
    assert moment_us == 1_772_323_200_000_000
    assert (kind, device) == ("streetlight", "lamp-1")
    assert fields == {"level_pct": 40.0, "power_w": 12.5}


def test_kinds_may_be_mixed_line_by_line(file: Path) -> None:
    file.write_text(f"time,asset,level_m,occupied,temp_c\n{T},d-1,0.4,,11\n{T},b-1,,yes,9\n")
    assert [(kind, fields) for _, kind, _, fields in open_replay(file)] == [
        ("drain_level", {"level_m": 0.4, "temp_c": 11.0}),
        ("parking_bay", {"occupied": True, "temp_c": 9.0}),
    ]


def test_a_column_may_name_kind_and_device(file: Path) -> None:
    file.write_text(f"time,asset,kind,device,temp_c\n{T},d-1,drain_level,DEV:1,11\n")
    ((_, kind, device, fields),) = list(open_replay(file))
    assert (kind, device, fields) == ("drain_level", "DEV:1", {"temp_c": 11.0})


def test_each_asset_gets_a_row_with_what_the_file_says_of_it(file: Path) -> None:
    file.write_text(f"time,asset,level_m,zone,crown_m,ground_m\n{T},d-1,0.4,north,,1.5\n{T},d-1,0.5,,1.0,\n")
    zone, drain = open_replay(file).registry
    assert (zone["asset"], zone["kind"]) == ("north", "zone")
    assert {name: value for name, value in drain.items() if value} == {
        "asset": "d-1",
        "kind": "drain_level",
        "device": "d-1",
        "zone": "north",
        "crown_m": "1.0",
        "ground_m": "1.5",
    }


def test_a_time_is_kept_to_the_microsecond_and_its_offset_heeded(file: Path) -> None:
    file.write_text("time,asset,level_m\n2026-03-01T01:00:00.000001+01:00,d-1,0.4\n")
    assert open_replay(file).start_us == 1_772_323_200_000_001


def test_a_value_out_of_range_is_for_the_platform_to_refuse(file: Path) -> None:
    file.write_text(f"time,asset,level_m\n{T},d-1,99\n")
    assert [fields for *_, fields in open_replay(file)] == [{"level_m": 99.0}]


def test_lines_by_asset_come_by_time(file: Path) -> None:
    file.write_text(
        "time,asset,level_m\n"
        "2026-03-01T00:00:00Z,a,1\n2026-03-01T02:00:00Z,a,3\n2026-03-01T01:00:00Z,b,2\n2026-03-01T03:00:00Z,b,4\n"
    )
    assert [fields["level_m"] for *_, fields in open_replay(file)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"time,asset,level_m,colour\n{T},a,1,red\n", "line 1: column colour is unknown;"),
        (f"time,asset,level_m,level_m\n{T},a,1,1\n", "line 1: column level_m is there twice."),
        (f"time,asset,level_m,\n{T},a,1,\n", "line 1: column 4 has no name."),
        (f"time,asset,level_m\n{T},a,deep\n", "line 2: level_m 'deep' is not a number."),
        (f"time,asset,level_m\n{T},a,inf\n", "line 2: level_m 'inf' is not a number."),
        (f"time,asset,level_m\n{T},a,1\n\n2026-03-01,a,1\n", "line 4: time 2026-03-01 has no offset from UTC."),
        ("time,asset,level_m\n1969-01-01T00:00:00Z,a,1\n", "line 2: time 1969-01-01T00:00:00Z lies before 1970."),
        (f"time,asset,occupied\n{T},a,2\n", "line 2: occupied '2' is neither true nor false."),
        (f"time,asset,level_pct,motion\n{T},a,2,1.5\n", "line 2: motion 1.5 is not a whole number."),
        (f"time,asset,level_m,level_pct\n{T},a,2,3\n", "line 2: the kind is not clear"),
        (f"time,asset,temp_c\n{T},a,2\n", "line 2: the kind is not clear"),
        (f"time,asset,level_m,lux\n{T},a,2,3\n", "line 2: lux is no field of drain_level."),
        (f"time,asset,kind,level_m\n{T},a,puddle,2\n", "line 2: kind 'puddle' is none of"),
        (f"time,asset,level_m\n{T},a b,2\n", "line 2: 'a b' is no name of an asset."),
        (f"time,asset,device,level_m\n{T},a,d/1,2\n", "line 2: 'd/1' is no name of a device."),
        (f"time,asset,level_m,zone\n{T},a,2,nearest\n", "line 2: 'nearest' is no name of a zone."),
        (f"time,asset,level_m,cabinet\n{T},a,2,K1\n", "line 2: cabinet is no attribute of drain_level."),
        (f"time,asset,device,level_m\n{T},a,d,2\n{T},b,d,2\n", "line 3: device d serves a already."),
        (f"time,asset,device,level_m\n{T},a,d,2\n{T},a,e,2\n", "line 3: a is served by d elsewhere and by e here."),
        (f"time,asset,level_m,occupied\n{T},a,2,\n{T},a,,1\n", "line 3: a is a drain_level elsewhere"),
        ("time,asset,level_m\n", "holds no observations."),
        ("", "is empty."),
        ("Date,Head\n2000-01-27,8.57\n", "line 1: this header is of no known series;"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_with_the_line(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(BadRecording) as refused:
        open_replay(file)
    assert str(refused.value).startswith("series.csv")
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(BadRecording, match=r"cannot be read: No such file"):
        open_replay(file)


def test_bytes_that_are_no_text_are_refused_with_the_line(file: Path) -> None:
    file.write_bytes(b"time,asset,level_m\n2026-03-01T00:00:00Z,a,\xff\xfe\n")
    with pytest.raises(BadRecording, match=r"line \d: this is no CSV in UTF-8"):
        open_replay(file)


def test_a_byte_order_mark_is_no_part_of_the_header(file: Path) -> None:
    file.write_text(f"\ufefftime,asset,level_m\n{T},a,1\n", encoding="utf-8")
    assert open_replay(file).lines == 1

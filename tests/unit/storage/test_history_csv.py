"""A line of history as its device would have sent it, or what is wrong with it."""

import io
import json
from typing import Any

import pytest

from storage.history_csv import BadLine, HistoryFile, Observed
from telemetry.decoding import Decoder
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Installation, Registry

NOW_US = 1_790_000_000_000_000


def registry(*served: tuple[str, str, str]) -> Registry:
    """Of (asset, kind, device)."""
    assets = [
        Asset(number, asset, kind, "", None, None, None, KINDS[kind].wire.attributes(), device)
        for number, (asset, kind, device) in enumerate(served, 1)
    ]
    installations = [Installation(each.device or "", each.kind, each.asset_id) for each in assets]
    return Registry.build(1, [], assets, installations, ["idle"])


TOWN = registry(
    ("lamp-1", "streetlight", "L1"), ("shaft-1", "drain_level", "M1"), ("bay-1", "parking_bay", "M1")
)  # fmt: skip


def read(text: str, asset: str | None = None) -> list[Observed | BadLine]:
    file = HistoryFile(io.StringIO(text), TOWN, asset)
    assert not file.faults
    return list(file)


def said(text: str, asset: str | None = None) -> tuple[str, dict[str, Any]]:
    (one,) = read(text, asset)
    assert isinstance(one, Observed), one
    return one.topic.decode().split("/", 2)[2], json.loads(one.payload)


def words(text: str) -> str:
    (one,) = read(text)
    return str(one)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("7", 7), ("7.5", 7.5), ("+7.5", 7.5), ("07", 7.0), (".5", 0.5), ("7.", 7.0), ("-0.5E1", -5.0), (" 7 ", 7)],
)
def test_numbers_as_people_write_them(cell: str, value: float) -> None:
    assert said(f"asset,ts,level_pct\nlamp-1,0,{cell}\n")[1] == {"ts": 0, "level_pct": value}


@pytest.mark.parametrize("cell", ["seven", "nan", "inf", "1_000", "1e", "0x10", "1.234,5", "٣"])
def test_what_is_no_number(cell: str) -> None:
    assert words(f'asset,ts,level_pct\nlamp-1,0,"{cell}"\n') == f"line 2: level_pct '{cell}' is no number (wrong_type)"


@pytest.mark.parametrize("cell", ["1e999", "+1e999", "9" * 400])
def test_a_number_too_great_for_any_is_out_of_range(cell: str) -> None:
    (one,) = read(f"device,ts,level_pct\nL1,0,{cell}\n")
    assert isinstance(one, Observed)
    (refused,) = Decoder(TOWN).decode([one.topic], [one.payload], NOW_US).refused
    assert refused.refusal.reason == "out_of_range"


def test_german_spreadsheets_write_decimal_commas_and_their_own_truth() -> None:
    assert said("asset;ts;level_pct;lamp_fault\nlamp-1;2025-01-01T00:00:00+01:00;7,5;WAHR\n")[1] == {
        "ts": "2025-01-01T00:00:00+01:00", "level_pct": 7.5, "lamp_fault": True,
    }  # fmt: skip


def test_a_line_is_addressed_to_what_it_names() -> None:
    assert said("asset,ts,level_m\nshaft-1,0,1\n")[0] == "drain_level/shaft-1/telemetry"
    assert said("ts,level_m\n0,1\n", "shaft-1")[0] == "drain_level/shaft-1/telemetry"
    assert said("device,ts,level_pct\nL1,0,1\n")[0] == "streetlight/L1/telemetry"


def test_the_kind_of_a_device_with_several_is_what_it_says_or_what_it_measures() -> None:
    assert said("device,kind,ts,level_m,temp_c\nM1,drain_level,0,,5\n")[0] == "drain_level/M1/telemetry"
    assert said("device,ts,level_m,occupied\nM1,0,,true\n")[0] == "parking_bay/M1/telemetry"
    asked = "line 2: device 'M1' serves drain_level and parking_bay: a column kind says which is meant (kind_mismatch)"
    assert words("device,ts,level_m,temp_c\nM1,0,,5\n") == asked


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("asset,kind,ts\nlamp-1,lantern,0\n", f"'lantern' is no kind: the kinds are {', '.join(KINDS)} (unknown_kind)"),
        ("asset,kind,ts\nlamp-1,drain_level,0\n", "asset 'lamp-1' is a streetlight, no drain_level (kind_mismatch)"),
        ("device,kind,ts\nL1,drain_level,0\n", "device 'L1' serves streetlight, no drain_level (kind_mismatch)"),
        ("device,ts\nidle,0\n", "device 'idle' serves nothing (kind_mismatch)"),
        ("asset,ts,level_pct\n,0,1\n", "asset is empty (unknown_device)"),
        ("asset,ts,level_pct,level_m\nlamp-1,0,1,1\n", "level_m is no field of a streetlight (wrong_type)"),
    ],
)  # fmt: skip
def test_a_line_that_says_nothing_lawful(text: str, wanted: str) -> None:
    assert words(text) == f"line 2: {wanted}"


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("asset,device,ts", "there are both asset and device: one of them says whose a line is"),
        ("asset,ts,observed_at", "there are both ts and observed_at: one of them is the time"),
        ("asset,ts,ts", "the column 'ts' is there twice"),
        ('asset,"ts', "the CSV is broken: unexpected end of data"),
    ],
)
def test_a_header_that_is_not_clear(header: str, fault: str) -> None:
    assert HistoryFile(io.StringIO(header), TOWN).faults == [fault]


def test_the_option_and_a_column_do_not_both_say_whose_it_is() -> None:
    (fault,) = HistoryFile(io.StringIO("asset,ts\n"), TOWN, "lamp-1").faults
    assert fault == "the column 'asset' says whose a line is: leave the option --asset out"

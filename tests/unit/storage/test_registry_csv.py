"""Reading a registry file: every mistake with its line, values with their types."""

import io
import tracemalloc

import pytest

from storage.registry_csv import Mistake, Row, read_csv

HEADER = "asset,kind,name,zone,lat,lon,device"


def mistakes(*lines: str) -> list[str]:
    return [str(each) for each in read_csv(io.StringIO("\n".join(lines) + "\n")) if isinstance(each, Mistake)]


def rows(text: str) -> list[Row]:
    return [each for each in read_csv(io.StringIO(text)) if isinstance(each, Row)]


def test_a_row_holds_typed_values() -> None:
    (row,) = rows(f"{HEADER},crown_m,report_every_s\nshaft-1,drain_level,Shaft 1,ruhr,51.43,7.33,d-1,0.8,300\n")
    assert (row.asset, row.kind, row.device) == ("shaft-1", "drain_level", "d-1")
    assert row.given == {
        "name": "Shaft 1",
        "zone": "ruhr",
        "lat": 51.43,
        "lon": 7.33,
        "crown_m": 0.8,
        "report_every_s": 300,
    }


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", True), ("0", False), ("", None)])
def test_a_flag(text: str, value: bool | None) -> None:
    (row,) = rows(f"asset,kind,crossing\nlamp-1,streetlight,{text}\n")
    assert row.given == {"crossing": value}


def test_what_has_no_column_is_not_said_and_an_empty_cell_is() -> None:
    (row,) = rows("asset,kind,zone\nlamp-1,streetlight,\n")
    assert row.given == {"zone": None}


def test_an_attribute_of_another_kind_may_stand_empty() -> None:
    (row,) = rows("asset,kind,crown_m\nlamp-1,streetlight,\n")
    assert row.given == {}


def test_spreadsheets_write_semicolons_and_a_byte_order_mark() -> None:
    (row,) = rows("\ufeffasset;kind;name\r\nlamp-1;streetlight;Lampe, groß\r\n")
    assert row.given == {"name": "Lampe, groß"}


@pytest.mark.parametrize("text", ["sep=;\r\nasset;kind;name\r\n{}", "asset\tkind\tname\n{}"])
def test_spreadsheets_name_their_separator_or_write_tabs(text: str) -> None:
    separator = "\t" if "\t" in text else ";"
    (row,) = rows(text.format(separator.join(["lamp-1", "streetlight", "Lampe, groß"])))
    assert row.given == {"name": "Lampe, groß"}
    assert row.place.line == text.count("\n") + 1


def test_an_unknown_column_is_one_sentence_and_hides_no_row() -> None:
    words, other = mistakes(f"{HEADER},colour", "lamp-1,streetlight,,,,,,red", "lamp-2,lantern,,,,,,red")
    assert words.startswith("line 1: unknown column 'colour': the columns are asset, kind, name")
    assert other.startswith("line 3: 'lantern' is no kind")


def test_all_mistakes_are_told_at_once_by_line() -> None:
    assert mistakes(
        "asset,kind,zone,lat,lon,device,crown_m,reserved_for",
        "-bad,streetlight,,,,,,",
        "lamp 2,lantern,,,,,,",
        "nearest,zone,,,,,,",
        "shaft-1,drain_level,stream,91,7,d/1,high,",
        "shaft-2,drain_level,,51.4,,,high,",
        "bay-1,parking_bay,,,,,0.8,family",
        "lamp-3,streetlight",
    ) == [
        "line 2: '-bad' is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first",
        "line 3: 'lantern' is no kind: the kinds are drain_level, parking_bay, streetlight, zone",
        "line 3: 'lamp 2' is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first",
        "line 4: 'nearest' is no name for a zone: it is a word of the public API",
        "line 5: 'stream' is no name for a zone: it is a word of the public API",
        "line 5: 'd/1' is no name for a device: 1 to 64 letters, digits, _ . : -",
        "line 5: lat '91' is no number of degrees from -90 to 90",
        "line 5: crown_m 'high' is no number from 0 to 100",
        "line 6: crown_m 'high' is no number from 0 to 100",
        "line 6: lat and lon go together",
        "line 7: crown_m is no attribute of a parking_bay",
        "line 7: reserved_for 'family' is none of charging, disabled",
        "line 8: 2 cells, but the header has 8",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("shaft-1,drain_level,nan", "line 2: crown_m 'nan' is no number from 0 to 100"),
        ("shaft-1,drain_level,101", "line 2: crown_m '101' is no number from 0 to 100"),
        ("lamp-1,zone,1", "line 2: crown_m is no attribute of a zone"),
    ],
)
def test_a_value_that_says_nothing(line: str, words: str) -> None:
    assert mistakes("asset,kind,crown_m", line) == [words]


@pytest.mark.parametrize("lat", ["north", "nan", "90.1", "-inf"])
def test_a_place_is_on_the_globe(lat: str) -> None:
    assert mistakes("asset,kind,lat,lon", f"lamp-1,streetlight,{lat},7.3") == [
        f"line 2: lat '{lat}' is no number of degrees from -90 to 90"
    ]


def test_broken_csv_says_where() -> None:
    assert mistakes("asset,kind,name", 'lamp-1,streetlight,"Lamp') == [
        "line 2: the CSV is broken: unexpected end of data"
    ]


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_lacks_its_columns(text: str) -> None:
    assert mistakes(text) == [
        "line 1: the column 'asset' is missing",
        "line 1: the column 'kind' is missing",
    ]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("report_every_s", "1.5", "line 2: report_every_s '1.5' is no whole number from 1 to 604800"),
        ("crossing", "ja", "line 2: crossing 'ja' is neither true nor false"),
        ("min_level_pct", "150", "line 2: min_level_pct '150' is no number from 0 to 100"),
        (
            "lighting_class",
            "P7",
            "line 2: lighting_class 'P7' is none of M1, M2, M3, M4, M5, M6, P1, P2, P3, P4, P5, P6",
        ),
    ],
)
def test_a_lamps_attributes_have_bounds(column: str, value: str, words: str) -> None:
    assert mistakes(f"asset,kind,{column}", f"lamp-1,streetlight,{value}") == [words]


def test_german_spreadsheets_write_decimal_commas() -> None:
    (row,) = rows("asset;kind;lat;lon;name;crown_m\nshaft-1;drain_level;51,43;7,33;Ruhr, links;0,8\n")
    assert row.given == {"lat": 51.43, "lon": 7.33, "name": "Ruhr, links", "crown_m": 0.8}


def test_a_model_is_said_of_a_device() -> None:
    first, second = rows("asset,kind,device,model\nbay-1,parking_bay,d-1,Bosch/TPS110\nbay-2,parking_bay,d-2,\n")
    assert (first.model, second.model) == ("bosch/tps110", None)


def test_a_broken_line_does_not_hide_the_next_ones() -> None:
    assert mistakes(
        "asset,kind,name",
        'lamp-1,streetlight,"Lamp "one""',
        "lamp-2,streetlight,L\udce4mpchen",
        "lamp-3,streetlight,La\0mp",
        "lamp-4,lantern,",
    ) == [
        "line 2: the CSV is broken: ',' expected after '\"'",
        "line 3: it holds bytes that are no UTF-8: save the file as UTF-8",
        "line 4: a cell holds the character NUL",
        "line 5: 'lantern' is no kind: the kinds are drain_level, parking_bay, streetlight, zone",
    ]


def test_a_quote_left_open_is_told_where_it_opens() -> None:
    lines = 'lamp-1,streetlight,"Lamp', "lamp-2,streetlight,L", 'lamp-3,streetlight,"M"', "-bad,zone,"
    broken, after = mistakes("asset,kind,name", *lines)
    assert broken == "line 2: the CSV is broken: ',' expected after '\"', read up to line 4: is a quote left open?"
    assert after.startswith("line 5: '-bad' is no name for a zone")


def test_utf16_is_told_at_the_header() -> None:
    text = "asset,kind\nlamp-1,streetlight\n".encode("utf-16").decode("utf-8", "surrogateescape")
    (words,) = read_csv(io.StringIO(text))
    assert str(words) == "line 1: it holds bytes that are no UTF-8: save the file as UTF-8"


@pytest.mark.parametrize("text", ["x" * 2_000_000, "asset,kind\n" + "x" * 2_000_000])
def test_an_endless_line_ends_the_reading(text: str) -> None:
    (words,) = mistakes(text)
    assert words.endswith("the line has more than 1,048,576 characters; nothing behind it was read")


def test_memory_does_not_grow_with_the_town() -> None:
    lines = "".join(f"lamp-{n},streetlight,{'x' * 200}\n" for n in range(5_000))
    text = io.StringIO(f"asset,kind,name\n{lines}")
    tracemalloc.start()
    assert sum(isinstance(each, Row) for each in read_csv(text)) == 5_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000 < text.tell()

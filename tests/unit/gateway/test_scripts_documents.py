"""What docs/makers_codecs.md says is all there is."""

import re
from pathlib import Path

import pytest

from gateway.scripts.bounds import SOURCE_BYTES_MAX, Bounds
from gateway.scripts.mapping_file import understand
from gateway.scripts.sandbox import FORKED_CHARACTERS_MIN
from gateway.scripts.units import UNITS

PAGE = (Path(__file__).parents[3] / "docs" / "makers_codecs.md").read_text()


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_documented(unit: str) -> None:
    assert f"`{unit}`" in PAGE


def test_the_bounds_are_those_of_the_code() -> None:
    bounds = Bounds()
    said = (
        f"| {bounds.call_s * 1000:.0f} ms a message",
        f"| heap | {bounds.heap_bytes >> 20} MiB |",
        f"| stack | {bounds.stack_bytes >> 20} MiB |",
        f"| answer | {bounds.output_characters_max >> 10} Ki characters",
        f"| file | {SOURCE_BYTES_MAX >> 20} MiB, UTF-8 |",
        f"more than {FORKED_CHARACTERS_MIN >> 10} KiB is parsed once",
    )
    assert [each for each in said if each not in PAGE] == []


def test_the_mapping_file_in_it_is_one() -> None:
    text = re.search(r"^    kind = (?:.*\n)+?(?=\n`kind`)", PAGE, re.MULTILINE)
    assert text is not None
    assert understand(text[0].replace("\n    ", "\n").strip()).variables == {"tank": "B"}

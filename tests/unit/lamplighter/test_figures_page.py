"""`docs/figures.md` is what the sections of the rule file say."""

from pathlib import Path

from lamplighter.figures_page import page

FILE = Path(__file__).parents[3] / "docs" / "figures.md"


def test_the_page_is_written_from_the_code() -> None:
    assert FILE.read_text() == page(), "write it with `make docs`"

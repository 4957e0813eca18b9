"""The project's own copy of the contract is what the code says."""

from pathlib import Path

from lamplighter.contract_page import page


def test_the_committed_page_is_what_the_code_says() -> None:
    committed = Path(__file__).parents[3] / "docs" / "contract.md"
    assert committed.read_text() == page(), "run `make docs`"

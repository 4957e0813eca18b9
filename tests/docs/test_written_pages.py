"""Reference pages are what the code says."""

import pytest

from gateway.codecs.catalogue import catalogue
from lamplighter.docs import devices, tables
from lamplighter.docs.__main__ import PAGES
from storage.pool import connect
from tests.docs.pages import ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / f"docs/{name}.md").read_text() == PAGES[name](), "write it with `make docs`"


def test_every_model_is_among_the_supported_devices() -> None:
    page = devices.page()
    assert [model for model in catalogue() if f"`{model}`" not in page] == []


async def test_tables(database: str) -> None:
    async with await connect(database) as connection:
        assert (ROOT / "docs/tables.md").read_text() == await tables.page(connection), "write it with `make docs`"

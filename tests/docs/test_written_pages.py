"""Reference pages are what the code says."""

from lamplighter import http_page, tables_page
from storage.pool import connect
from tests.docs.pages import ROOT


def test_http() -> None:
    assert (ROOT / "docs/http.md").read_text() == http_page.page(), "write it with `make docs`"


async def test_tables(database: str) -> None:
    async with await connect(database) as connection:
        assert (ROOT / "docs/tables.md").read_text() == await tables_page.page(connection), "write it with `make docs`"

"""Links within the repository lead somewhere; those that leave it are listed here, and not followed."""

from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT, Page

OUTSIDE = {
    "docs.influxdata.com",
    "docs.openremote.io",
    "github.com",
    "leafletjs.com",
    "nodered.org",
    "thingsboard.io",
}
"""The hosts that pages link to."""


def inside(page: Page) -> list[str]:
    return [link for link in page.links if not urlsplit(link).scheme]


def leads_somewhere(page: Page, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = (page.path.parent / path).resolve() if path else page.path
    if not target.exists() or ROOT not in target.parents:
        return False
    return not anchor or target.suffix != ".md" or anchor in Page(target).anchors


@pytest.mark.parametrize("page", [page for page in PAGES if inside(page)], ids=str)
def test_what_a_page_links_to_is_there(page: Page) -> None:
    assert [link for link in inside(page) if not leads_somewhere(page, link)] == []


def test_hosts_outside_are_known() -> None:
    links = {link for page in PAGES for link in page.links if urlsplit(link).scheme}
    assert all(link.startswith("https://") for link in links), links
    assert {urlsplit(link).hostname for link in links} == OUTSIDE

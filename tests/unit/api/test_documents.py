"""Entity tags and what a client already has."""

import pytest

from api.documents import document, entity_tag, matches


def test_the_tag_follows_the_bytes() -> None:
    assert entity_tag(b"a") == entity_tag(b"a") != entity_tag(b"b")


@pytest.mark.parametrize(
    ("header", "has_it"),
    [
        (None, False),
        ("", False),
        ("*", True),
        ('"x"', True),
        ('W/"x"', True),
        ('"a", W/"x" , "b"', True),
        ('"a", "b"', False),
        ("x", False),
    ],
)
def test_if_none_match_is_compared_weakly(header: str | None, has_it: bool) -> None:
    assert matches(header, '"x"') is has_it


def test_a_document_says_for_how_long_it_may_be_kept_and_by_whom() -> None:
    assert (b"cache-control", b"public, max-age=60") in document(b"", "text/plain", 60).headers
    assert (b"cache-control", b"private, max-age=60") in document(b"", "text/plain", 60, shared=False).headers

"""Entity tags, what a client already has, and the rest in fewer bytes."""

import gzip

import pytest

from api.documents import GZIP_BYTES_MIN, document, entity_tag, matches


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
    for shared, scope in ((True, b"public"), (False, b"private")):
        lifetime = (b"cache-control", scope + b", max-age=60, stale-if-error=300")
        assert lifetime in document(b"", "text/plain", 60, shared=shared).headers


def test_a_compressed_document_is_the_same_under_a_tag_of_its_own() -> None:
    body = b"free " * GZIP_BYTES_MIN
    plain = document(body, "text/plain", 60)
    packed = plain.fitting("gzip")
    assert gzip.decompress(packed.body) == body
    assert len(packed.body) < len(body) / 10
    assert packed.etag != plain.etag
    described = dict(packed.headers)
    assert described[b"content-encoding"] == b"gzip"
    assert described[b"content-length"] == str(len(packed.body)).encode()
    assert described[b"etag"] == dict(packed.unchanged)[b"etag"] == packed.etag.encode()
    assert all((b"vary", b"accept-encoding") in each.unchanged for each in (plain, packed))


def test_what_would_not_shrink_is_sent_as_it_is() -> None:
    for body, media_type in ((b"x" * (GZIP_BYTES_MIN - 1), "text/plain"), (b"x" * GZIP_BYTES_MIN, "font/woff2")):
        plain = document(body, media_type, 60)
        assert plain.fitting("gzip") is plain
        assert b"vary" not in dict(plain.headers)

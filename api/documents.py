"""Documents that are serialised once and sent many times, and the entity tags by which a client says it has one."""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property

from api.accepting import takes_gzip

RawHeaders = list[tuple[bytes, bytes]]

GEOJSON = "application/geo+json"
STALE_IF_ERROR_S = 300
"""For so long a cache that cannot reach us may give out what has grown old; every document says when it was true."""
GZIP_BYTES_MIN = 1_000
"""Less than fits one packet is not compressed."""
_PACKED_ALREADY = ("font/", "image/png")


@dataclass(frozen=True)
class Document:
    """A body ready to send. `headers` are those of a 200, `unchanged` those of a 304."""

    body: bytes
    etag: str
    headers: RawHeaders
    unchanged: RawHeaders
    packable: bool

    def fitting(self, accept_encoding: str | None) -> "Document":
        """The document as this client takes it; `None` is no header."""
        return self.packed if self.packable and accept_encoding and takes_gzip(accept_encoding) else self

    @cached_property
    def packed(self) -> "Document":
        """The same in gzip, with a tag of its own, for it is other bytes (RFC 9110 §8.8.3.3)."""
        body = gzip.compress(self.body, compresslevel=6, mtime=0)
        etag = f'{self.etag[:-1]}-gzip"'
        new = {b"etag": etag.encode(), b"content-length": str(len(body)).encode()}
        headers, unchanged = (
            [(name, new.get(name, value)) for name, value in each] for each in (self.headers, self.unchanged)
        )
        return Document(body, etag, [*headers, (b"content-encoding", b"gzip")], unchanged, packable=False)


def document(
    body: bytes,
    media_type: str,
    max_age_s: int,
    *,
    shared: bool = True,
    vary: tuple[bytes, ...] = (),
    more: RawHeaders | None = None,
) -> Document:
    """Dress a body for sending.

    Args:
        body: the bytes to send.
        media_type: its `Content-Type`.
        max_age_s: for how long a cache may give it out unasked.
        shared: whether a cache between us and the client may keep it; False where the request says where somebody is.
        vary: headers of the request on which it depends, beside what we find out ourselves.
        more: other headers that it bears; `None` means none.
    """
    etag = entity_tag(body)
    packable = len(body) >= GZIP_BYTES_MIN and not media_type.startswith(_PACKED_ALREADY)
    scope = "public" if shared else "private"
    lifetime = f"{scope}, max-age={max_age_s}, stale-if-error={STALE_IF_ERROR_S}"
    common = [(b"etag", etag.encode()), (b"cache-control", lifetime.encode()), *(more or ())]
    if depends := (*vary, *([b"accept-encoding"] if packable else [])):
        common.append((b"vary", b", ".join(depends)))
    described = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    return Document(body, etag, described + common, common, packable)


def entity_tag(body: bytes) -> str:
    """A strong entity tag (RFC 9110 §8.8.3) that depends on the bytes alone."""
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:15]).decode()}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, compared weakly as RFC 9110 §13.1.2 demands; `None` is no header."""
    if not if_none_match:
        return False
    if if_none_match.strip() in ("*", etag):
        return True
    return any(given.strip().removeprefix("W/") == etag for given in if_none_match.split(","))

"""Documents that are serialised once and sent many times, and the entity tags by which a client says it has one."""

import base64
import hashlib
from dataclasses import dataclass

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Document:
    """A body ready to send. `headers` are those of a 200, `unchanged` those of a 304."""

    body: bytes
    etag: str
    headers: RawHeaders
    unchanged: RawHeaders


def document(body: bytes, media_type: str, max_age_s: int, *, shared: bool = True) -> Document:
    """Dress a body for sending.

    Args:
        body: the bytes to send.
        media_type: its `Content-Type`.
        max_age_s: for how long a cache may give it out unasked.
        shared: whether a cache between us and the client may keep it; False where the request says where somebody is.
    """
    etag = entity_tag(body)
    scope = "public" if shared else "private"
    common = [(b"etag", etag.encode()), (b"cache-control", f"{scope}, max-age={max_age_s}".encode())]
    described = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    return Document(body, etag, described + common, common)


def entity_tag(body: bytes) -> str:
    """A strong entity tag (RFC 9110 §8.8.3) that depends on the bytes alone."""
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:15]).decode()}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, compared weakly as RFC 9110 §13.1.2 demands; `None` is no header."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(given.strip().removeprefix("W/") == etag for given in if_none_match.split(","))

"""The headers that answers bear whoever gives them: what a browser may do with them, and which pages may read them."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.documents import RawHeaders

CLOSED = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
"""For whatever is no page."""
EVERYWHERE: RawHeaders = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
OPEN: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Retry-After"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
"""For what is public: any page of anybody may read it."""
OWN: RawHeaders = [(b"cross-origin-resource-policy", b"same-origin")]
PREFLIGHT: RawHeaders = [
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"If-None-Match, Last-Event-ID, Cache-Control"),
    (b"access-control-max-age", b"86400"),
]


def borne(given: RawHeaders, reach: RawHeaders) -> RawHeaders:
    """All headers of an answer that gives these itself; `reach` is `OPEN` or `OWN`."""
    policy = [] if any(name == b"content-security-policy" for name, _ in given) else [CLOSED]
    return [*given, *policy, *EVERYWHERE, *reach]


def head(status: int, headers: RawHeaders) -> bytes:
    """An answer up to its body, as it goes over the wire."""
    return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"

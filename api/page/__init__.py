"""The residents' page: static files of our own, served with a strict policy and no cookie.

The page asks for `/public/v1/parking`, then listens to its stream. Nothing of a visitor reaches us but those requests:
where somebody is stays in the browser. The map is loaded when somebody comes to see it, and asks nobody else for
anything unless the town names a server of tiles. The files lie under a path that names their content, so that they may
be kept for ever; an old page in a cache that asks for an old path gets the new file, not to be kept.
"""

import hashlib
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.documents import Document, document
from api.problems import not_found
from api.public import answer
from api.settings import ApiSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src $images; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OUR_IMAGES = "'self'"
PERMISSIONS = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()"
MEDIA_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "reference.css": "text/css; charset=utf-8",
    "alarm.css": "text/css; charset=utf-8",
    "alarm.js": "text/javascript; charset=utf-8",
    "figures.js": "text/javascript; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
    "map.js": "text/javascript; charset=utf-8",
    "map.css": "text/css; charset=utf-8",
    "leaflet.js": "text/javascript; charset=utf-8",
    "leaflet.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "public-sans.woff2": "font/woff2",
}
PAGE_MAX_AGE_S = 60
FILE_MAX_AGE_S = 365 * 24 * 3600

_FILES = {name: (files("api.page") / name).read_bytes() for name in MEDIA_TYPES}
VERSION = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
"""Names the content of all files together."""


def file_path(name: str) -> str:
    """Where a file of the page is served."""
    return f"/page/{VERSION}/{name}"


def html(text: str, max_age_s: int = PAGE_MAX_AGE_S, images: str = OUR_IMAGES) -> Document:
    """An HTML page of ours, with the policies that each bears; `images` says whose images it may show."""
    policy = Template(POLICY).substitute(images=images)
    policies = [
        (b"content-security-policy", policy.encode()),
        (b"permissions-policy", PERMISSIONS.encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    return document(text.encode(), "text/html; charset=utf-8", max_age_s, more=policies)


def page_router(settings: ApiSettings) -> APIRouter:
    """`/` and the files of the page."""
    router = APIRouter(include_in_schema=False)
    page = html(_page(settings), images=_images(settings.map_tiles))
    kept = {name: document(body, MEDIA_TYPES[name], FILE_MAX_AGE_S) for name, body in _FILES.items()}
    passing = {name: document(body, MEDIA_TYPES[name], 0) for name, body in _FILES.items()}

    @router.get("/")
    async def residents_page(request: Request) -> Response:
        return answer(request, page)

    @router.get("/page/{version}/{name}")
    async def file(request: Request, version: str, name: str) -> Response:
        ready = (kept if version == VERSION else passing).get(name)
        if ready is None:
            raise not_found("file of this name")
        return answer(request, ready)

    return router


def _page(settings: ApiSettings) -> str:
    """The page with what a town sets; everything set is escaped."""
    links = [
        f'<a href="{escape(url)}" data-say="{words}">{german}</a>'
        for url, words, german in (
            (settings.imprint_url, "imprint", "Impressum"),
            (settings.privacy_url, "dataProtection", "Datenschutz"),
            (settings.accessibility_url, "accessibility", "Barrierefreiheit"),
        )
        if url
    ]
    return Template((files("api.page") / "index.html").read_text(encoding="utf-8")).substitute(
        version=VERSION,
        timezone=escape(settings.timezone),
        city=escape(settings.city_name),
        tiles=escape(settings.map_tiles),
        links=" ".join(links),
    )


def _images(map_tiles: str) -> str:
    """Whose images the residents' page may show; Leaflet turns a tile that is no longer wanted into a `data:` image."""
    tiles = urlsplit(map_tiles.partition(" ")[0])
    return f"{OUR_IMAGES} data: {tiles.scheme}://{tiles.netloc}" if tiles.netloc else OUR_IMAGES

"""The residents' page as it is delivered: small, ours alone, and safe in what a town sets."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

import httpx

from api import page
from api.settings import ApiSettings
from tests.unit.api.conftest import MakeApp, open_client

PAGE_BYTES_MAX = 70_000


class Links(HTMLParser):
    """What a page asks for by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("link", "img", "iframe"):
            self.asked.append(given.get("href") or given.get("src") or "")
        if tag == "script":
            self.asked.append(given.get("src") or "")
        self.inline += tag == "style" or any(name.startswith("on") or name == "style" for name in given)


async def test_the_page_and_all_it_asks_for_are_ours_and_small(client: httpx.AsyncClient) -> None:
    html = await client.get("/")
    found = Links()
    found.feed(html.text)
    modules = [page.file_path(name) for name in ("words.js", "public-sans.woff2")]
    total = len(html.content)
    for path in {*found.asked, *modules}:
        assert path.startswith("/page/"), path
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert "max-age=31536000" in answer.headers["cache-control"]
        total += len(answer.content)
    assert total < PAGE_BYTES_MAX
    assert found.inline == 0


async def test_the_policy_allows_nothing_but_ours(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert set(re.findall(r"\w+-src (.+?);", policy)) == {"'none'", "'self'"}


async def test_of_others_only_the_server_of_tiles_is_let_in(make_app: MakeApp) -> None:
    for tiles, images in (
        ("https://tiles.example:8443/{z}/{x}/{y}.png © maker", "'self' data: https://tiles.example:8443"),
        ("/tiles/{z}/{x}/{y}.png © maker", "'self'"),
    ):
        async with open_client(make_app(ApiSettings(map_tiles=tiles))) as client:
            residents, others = (await client.get("/")), (await client.get("/docs"))
        assert f"; img-src {images}; " in residents.headers["content-security-policy"]
        assert f'data-tiles="{tiles}"' in residents.text
        assert "tiles.example" not in others.headers["content-security-policy"]
        assert "<h2>SensorThings</h2>" in others.text


async def test_leaflet_is_as_published_and_comes_with_its_licence(client: httpx.AsyncClient) -> None:
    """1.9.4 from npm; the digest of the script is the one that its site names."""
    script = await client.get(page.file_path("leaflet.js"), headers={"accept-encoding": "gzip"})
    assert base64.b64encode(hashlib.sha256(script.content).digest()) == b"20nQCchB9co0qIjJZRGuk2/Z9VM+kNiyxNV1lvTlZBo="
    assert int(script.headers["content-length"]) < 50_000
    assert "Redistribution and use" in (files("api.page") / "leaflet.BSD-2-Clause.txt").read_text()


async def test_a_page_from_a_cache_still_gets_its_files(client: httpx.AsyncClient) -> None:
    answer = await client.get("/page/0123456789ab/page.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("public, max-age=0,")


async def test_only_files_of_the_page_are_served(client: httpx.AsyncClient) -> None:
    for name in ("__init__.py", "..%2f__init__.py", "index.html"):
        assert (await client.get(f"/page/{page.VERSION}/{name}")).status_code == 404


async def test_what_a_town_sets_is_escaped(make_app: MakeApp) -> None:
    settings = ApiSettings(city_name='<b>"Witten"', imprint_url='https://city.example/?a="><script>')
    async with open_client(make_app(settings)) as client:
        html = (await client.get("/")).text
    assert "<b>" not in html
    assert "&lt;b&gt;&quot;Witten&quot;" in html
    assert "<script>" not in html
    assert "Impressum" in html
    assert "Datenschutz" not in html


def test_every_language_says_the_same_things() -> None:
    words = page._FILES["words.js"].decode()
    german, english, simple = (
        set(re.findall(r"^  (\w+):", words.split(f"const {name} = {{")[1].split("\n};")[0], re.MULTILINE))
        for name in ("de", "en", "simple")
    )
    assert german == english
    assert simple < german  # what it does not say more plainly it says as German does
    linked = ApiSettings(imprint_url="x", privacy_url="y", accessibility_url="z")
    assert set(re.findall(r'data-say="(\w+)"', page._page(linked))) <= german

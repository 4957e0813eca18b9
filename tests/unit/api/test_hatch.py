"""The hatch: what it hands out is to the byte what the door gives, and everything else goes to the door."""

import asyncio
import itertools
import re
import socket
from collections import Counter

import pytest
import structlog
from prometheus_client import generate_latest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api.board import PATH, Board
from api.door import Door
from api.hatch import Hatch
from api.settings import ApiSettings
from api.standards import RENDERINGS, Rendering, Shown, parkapi
from lamplighter.http_server import HttpServer
from tests.parts.zones import message, zone
from tests.unit.api.conftest import Clock, MakeApp, app_on

DOCUMENTS = [PATH, f"{PATH}.geojson", f"{PATH}/market", f"{PATH}/market/forecast", *RENDERINGS]
DATE = [(b"date", b"Sun, 22 Nov 2026 20:15:10 GMT")]
LAST = "Connection: close\r\n"


@pytest.fixture(scope="module", autouse=True)
def zones(shown: Board) -> None:
    for n in range(3):
        shown.receive(*message(zone(f"zone-{n}")))
    shown.receive(*message(zone("market")))


@pytest.fixture(scope="module")
def settings() -> ApiSettings:
    """All tests ask from one address."""
    return ApiSettings(requests_burst=10_000)


@pytest.fixture(scope="module")
def twin(shown: Board, settings: ApiSettings) -> Door:
    """As `app`, with figures of its own."""
    return app_on(shown, Clock(), settings)


class Server:
    """The application on a port of its own, behind uvicorn's protocol or, by default, the one that residents meet."""

    def __init__(self, app: Door, protocol: type[HttpToolsProtocol] | None = None) -> None:
        with socket.socket() as unused:
            self._config = HttpServer(app, unused)._server.config
        ours = self._config.http
        assert isinstance(ours, type)
        assert issubclass(ours, Hatch)
        self._protocol = protocol or ours
        self.state = ServerState()
        self.state.default_headers = list(DATE)

    async def __call__(self, *requests: str) -> bytes:
        """All that is answered to these requests, sent in one piece over one connection, until that is closed."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._protocol(self._config, self.state, {}), "127.0.0.1", 0)
        async with server, asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write("".join(requests).encode())
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer


def ask(path: str, more: str = "", method: str = "GET", version: str = "1.1") -> str:
    """A request as it is written."""
    return f"{method} {path} HTTP/{version}\r\nHost: city.example\r\n{more}\r\n"


async def nobody(*_: object) -> None:
    raise AssertionError("the framework was asked")


def counted(app: Door) -> Counter[str]:
    """How many requests were counted, by all that the figures tell them apart by."""
    figures = generate_latest(app._metrics.registry).decode()
    lines = re.findall(r"^lamplighter_http_requests_total.*|^.*seconds_count.*", figures, re.M)
    return Counter({name: int(float(count)) for name, count in (line.rsplit(" ", 1) for line in lines)})


def statuses(answer: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+)", answer)


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_it_answers_as_the_door_does(
    app: Door, twin: Door, shown: Board, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(twin, "_app", nobody)
    door, hatch = Server(app, HttpToolsProtocol), Server(twin)
    before = [counted(app), counted(twin)]
    ready = shown.document(path)
    assert ready is not None
    tags = ["", "*", '"another"', ready.etag, f"W/{ready.etag}", f'"x", {ready.fitting("gzip").etag}']
    for method, tag, coding in itertools.product(("GET", "HEAD"), tags, ("", "gzip, br", "gzip;q=0")):
        more = f"If-None-Match: {tag}\r\n" * bool(tag) + f"Accept-Encoding: {coding}\r\n" * bool(coding)
        request = ask(path, more + LAST, method)
        assert await hatch(request) == await door(request), (method, tag, coding)
    old = ask(path if path == parkapi.SITES_PATH else f"{path}?of=old", version="1.0")
    assert await hatch(old) == await door(old)
    assert counted(app) - before[0] == counted(twin) - before[1] != Counter()


async def test_answers_keep_the_order_of_the_requests(app: Door) -> None:
    mixed = [ask(PATH), ask("/healthz"), ask(PATH), ask("/nowhere"), ask(f"{PATH}/market"), ask("/", LAST)]
    answer = await Server(app)(*mixed)
    assert statuses(answer) == [b"200", b"200", b"200", b"404", b"200", b"200"]
    marks = [b'"updated_at"', b'"status"', b'"updated_at"', b"problem+json", b'"zone":"market"', b"<!doctype html>"]
    places = [0]
    for mark in marks:
        places.append(answer.index(mark, places[-1] + 1))


async def test_an_address_pays_once_wherever_it_asks(make_app: MakeApp) -> None:
    server = Server(make_app(ApiSettings(requests_per_s=0.1, requests_burst=3)))
    answer = await server(ask(PATH), ask("/"), ask(PATH), ask(PATH), ask("/", LAST))
    assert statuses(answer) == [b"200", b"200", b"200", b"429", b"429"]
    assert b"retry-after: " in answer


async def test_behind_a_trusted_proxy_each_client_pays_for_itself(make_app: MakeApp) -> None:
    settings = ApiSettings(requests_per_s=0.1, requests_burst=1, trusted_proxies=("127.0.0.1",))
    clients = [f"X-Forwarded-For: 203.0.113.{n}\r\n" for n in (1, 1, 2)]
    answer = await Server(make_app(settings))(*(ask(PATH, each) for each in clients[:2]), ask(PATH, clients[2] + LAST))
    assert statuses(answer) == [b"200", b"429", b"200"]


async def test_what_changes_is_handed_out_at_once(make_app: MakeApp, board: Board) -> None:
    board.receive(*message(zone("market")))
    server = Server(make_app(ApiSettings()))
    before = await server(ask(f"{PATH}/market", LAST))
    board.receive(*message(zone("market", free=1)))
    after = await server(ask(f"{PATH}/market", LAST))
    assert b'"free":1,' not in before
    assert b'"free":1,' in after
    server.state.default_headers = [(b"date", b"Sun, 22 Nov 2026 20:15:11 GMT")]
    assert b"20:15:11" in await server(ask(f"{PATH}/market", LAST))
    assert b"HTTP/1.1 404" in await server(ask(f"{PATH}/nobody", LAST))


@pytest.mark.parametrize("request_", [
    ask(PATH, "Content-Length: 2\r\n") + "{}",
    ask(PATH, "Transfer-Encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n\r\n",
    ask(PATH, "Expect: 100-continue\r\nContent-Length: 2\r\n") + "{}",
    ask(PATH, method="POST"),
    ask(PATH, method="OPTIONS"),
    ask("//public/v1/parking"),
    ask("http://city.example/public/v1/parking"),
])  # fmt: skip
async def test_what_is_no_plain_request_goes_to_the_door(app: Door, request_: str) -> None:
    """The next request on the connection is understood as well."""
    both = [await Server(app, each)(request_, ask(PATH, LAST)) for each in (HttpToolsProtocol, None)]
    assert both[0] == both[1]
    assert len(statuses(both[0])) >= 2


async def test_a_failure_of_ours_is_said_to_be_ours(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(shown: Shown) -> bytes:
        raise ArithmeticError

    monkeypatch.setattr("api.board.RENDERINGS", {parkapi.SITES_PATH: Rendering("application/json", broken)})
    with structlog.testing.capture_logs() as recorded:
        answer = await Server(make_app(ApiSettings()))(ask(parkapi.SITES_PATH), ask(PATH, LAST))
    assert statuses(answer) == [b"500", b"200"]
    assert b"application/problem+json" in answer
    assert [each["event"] for each in recorded] == ["request failed"]


async def test_another_application_is_served_as_ever() -> None:
    async def plain(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"as ever"})  # type: ignore[operator]

    assert b"as ever" in await Server(plain)(ask(PATH, LAST))  # type: ignore[arg-type]


async def test_a_query_of_a_list_that_has_pages_is_not_answered_with_the_whole(app: Door) -> None:
    refused, page = [await Server(app)(ask(f"{parkapi.SITES_PATH}?limit={each}", LAST)) for each in ("abc", "1")]
    assert refused.startswith(b"HTTP/1.1 422 ")
    assert b'"next_path"' in page

"""What strangers may put on the wire: tricks with paths, headers and bodies are answered as problems, or not at all."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
from psycopg_pool import AsyncConnectionPool

from api import wire
from api.app import create_app
from api.board import PATH, Board
from lamplighter.http_server import HttpServer, listen
from storage.pool import Pool
from tests.integration.api.conftest import real_now
from tests.parts.tasks import running
from tests.parts.zones import message, zone

POST = b"POST /ops/v1/commands HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n"
JSON = b"content-type: application/json\r\n"
CHUNKED = POST + JSON + b"transfer-encoding: chunked\r\n\r\n"
CHUNK = b"8000\r\n" + b" " * 0x8000 + b"\r\n"


def get(target: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"host: a", *headers, b"", b""])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose database is away for good."""
    pool: Pool = AsyncConnectionPool("", open=False)
    board = Board(real_now)
    board.receive(*message(zone("market")))
    app = create_app(pool=pool, board=board, now=real_now, real_now=real_now, dark=lambda begin, end: False)
    taken = listen("127.0.0.1", 0)
    server = HttpServer(app, taken)
    async with running(server.serve()):
        await server.until_started()
        yield taken.getsockname()[1]


async def said(port: int, *pieces: bytes, pause_s: float = 0.0) -> tuple[int, bytes, bytes]:
    """Status, head and body of the answer; status 0 where there is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        writer.write_eof()
        async with asyncio.timeout(10):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    except OSError:
        return 0, b"", b""
    finally:
        writer.close()
    return int(head.split(b" ")[1]) if head else 0, head, body


TRICKS = {
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", 400),
    "NUL in the path": (get(b"/ops/v1/assets/\x00"), 400),
    "a second length": (POST + JSON + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", 400),
    "length and chunks": (POST + JSON + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a line within a header": (get(b"/public/v1/parking", b"x: a\rset-cookie: b"), 400),
    "encoded NUL": (get(PATH.encode() + b"/%00"), 404),
    "up and out": (get(b"/public/../ops/v1/alarms"), 404),
    "encoded up and out": (get(b"/public/%2e%2e%2fops/v1/alarms"), 404),
    "encoded slash": (get(b"/public/v1%2Fparking%2Fmarket"), 200),
    "twice a slash": (get(b"//ops//v1//alarms"), 404),
    "an address in full": (get(b"http://evil.example/ops/v1/alarms"), 401),
    "not UTF-8": (get(PATH.encode() + b"/%ff%fe"), 404),
    "two tokens": (get(b"/ops/v1/alarms", b"authorization: Bearer x", b"authorization: Bearer y"), 503),
    "another method": (b"BREW /public/v1/parking HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "an overlong address": (get(b"/public/v1/" + b"a" * wire.URL_BYTES_MAX), 414),
    "a body announced too large": (POST + JSON + b"content-length: 99999999\r\n\r\n", 413),
    "a packed body": (POST + JSON + b"content-encoding: gzip\r\ncontent-length: 39\r\n\r\n" + gzip.compress(b"0"), 415),
    "a form": (POST + b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 2\r\n\r\n{}", 415),
    "an upgrade": (get(b"/ops/v1/alarms", b"connection: upgrade", b"upgrade: websocket"), 401),
}


async def test_tricks_are_answered_as_problems_without_a_word_on_our_insides(port: int) -> None:
    for name, (request, status) in TRICKS.items():
        found, head, body = await said(port, request)
        assert found == status, (name, head, body)
        if status != 200:
            assert b"content-type: application/problem+json" in head, name
            assert json.loads(body)["status"] == status, name
        for leak in (b"Traceback", b"uvicorn", b"starlette", b"psycopg", b".py"):
            assert leak not in head + body, name


async def test_an_endless_head_is_cut_off(port: int) -> None:
    pieces = [get(b"/")[:-2], *([b"x: " + b"y" * 16_000] * 6)]
    status, _, body = await said(port, *pieces, pause_s=0.05)
    assert (status, json.loads(body or b"{}").get("status")) in [(431, 431), (0, None)]


async def test_a_body_of_any_length_is_cut_off(port: int) -> None:
    status, _, _ = await said(port, CHUNKED, *([CHUNK] * 20))
    assert status in (401, 413, 0)


async def test_nobody_dawdles(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "REQUEST_S_MAX", 0.2)
    for begun, status in ((b"", 0), (b"GET / HTT", 408), (POST + JSON + b"content-length: 9\r\n\r\n{", 408)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        assert int(answer.split(b" ")[1] if answer else 0) in (status, 401), begun

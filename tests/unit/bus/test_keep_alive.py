"""How often a broker is asked for a sign of life: at least as often as we promise ourselves."""

import asyncio
from typing import Any

import pytest

from bus.address import parse_address
from bus.connection import KEEP_ALIVE_S, Connection, Terms


class Line(asyncio.Transport):
    """Takes what is written."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False


def connack(server_keep_alive_s: int | None) -> bytes:
    properties = b"" if server_keep_alive_s is None else b"\x13" + server_keep_alive_s.to_bytes(2, "big")
    return bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties


@pytest.mark.parametrize(
    ("server_s", "keep_alive_s"),
    [(None, KEEP_ALIVE_S), (0, KEEP_ALIVE_S), (0xFFFF, KEEP_ALIVE_S), (10, 10)],
    ids=["ours", "none", "longer", "shorter"],
)
async def test_the_smaller_keep_alive_holds(
    server_s: int | None, keep_alive_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay, *_: asked.append(delay))
    connection = Connection(5, parse_address("mqtt://127.0.0.1"), Terms("c"), lambda _, __: None)
    connection.connection_made(Line())
    connection.data_received(connack(server_s))
    assert asked == [keep_alive_s / 2]

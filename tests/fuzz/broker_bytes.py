"""What a broker might send, bent and broken: `python -m tests.fuzz.broker_bytes --for 60s --seed 1` (`make fuzz`).

Coverage-guided: streams that reach new lines, or new pairs of them, are kept and bent further. Every stream is fed
whole, in pieces and packet by packet, to the parser and to a connection. What must hold: nothing is raised but
`Malformed`, the pieces do not matter, what waits in memory stays under its bound, and a connection ends with a reason
or lives on.
"""

import argparse
import asyncio
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from types import FrameType
from typing import Any
from unittest.mock import patch

from bus import connection, packets
from bus.address import Address
from bus.packets import Arrivals, Malformed, Parser, Version
from tests.fuzz.spelling import duration_s

BOUND = 20_000
"""Stands in for `PACKET_BYTES_MAX`, so that short streams get beyond it."""
STREAM_BYTES_MAX = 60_000
CORPUS_MAX = 2_000
VERSIONS: tuple[Version, Version] = (4, 5)
SEEDS = (
    b"\x20\x02\x01\x00",
    b"\x20\x03\x00\x00\x00",
    b"\x20\x13\x00\x00\x10\x21\x00\x14\x12\x00\x02id\x13\x00\x3c\x2a\x01\x24\x01",
    b"\x90\x04\xff\xff\x00\x01",
    b"\x90\x03\xff\xff\x01",
    b"\x40\x02\x00\x07",
    b"\xd0\x00",
    b"\xe0\x02\x8e\x00",
    b"\x32\x0b\x00\x01t\x00\x01\x00hello",
    b"\x32\x06\x00\x01t\x00\x01\x00",
    b"\x30\x0d\x00\x03a/b\x03\x26\x00\x00hello",
    b"\x3b\x85\x01\x00\x01t\x00\x01\x00" + b"p" * 128,
    b"\x32\xe0\xd4\x03\x00\x01t\x00\x01\x00" + b"x" * 60_000,
)
"""A packet of each sort."""
BYTES = b"\x00\x01\x02\x05\x10\x20\x30\x32\x34\x3a\x40\x7f\x80\x90\xd0\xe0\xff"
"""Bytes that mean something."""

_RUNNER = asyncio.Runner()


@dataclass
class Fuzzer:
    """Bends streams and tries them. `broken` is told of each stream for which a promise does not hold."""

    chance: random.Random
    broken: Callable[[bytes, Version, str], None]
    corpus: list[bytes] = field(default_factory=lambda: list(SEEDS))
    reached: set[tuple[int, int]] = field(default_factory=set)
    tried: int = 0
    _arcs: set[tuple[int, int]] = field(default_factory=set)
    _line: int = 0

    def round(self, guided: bool) -> None:
        """Bend one stream and try it; keep it if it got somewhere new."""
        stream, version = self._bent(), self.chance.choice(VERSIONS)
        if guided:
            self._arcs = set()
            sys.settrace(self._trace)
        try:
            complaint = try_out(stream, version, self._cuts(stream))
        finally:
            sys.settrace(None)
        self.tried += 1
        if complaint:
            self.broken(stream, version, complaint)
        if not self._arcs <= self.reached and len(self.corpus) < CORPUS_MAX:
            self.reached |= self._arcs
            self.corpus.append(stream)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != packets.__file__:
            return None
        self._arcs.add((self._line, frame.f_lineno))
        self._line = frame.f_lineno
        return self._trace

    def _bent(self) -> bytes:
        chance = self.chance
        stream = bytearray(b"".join(chance.choices(self.corpus, k=chance.choice((1, 1, 2, 3)))))
        for _ in range(chance.choice((0, 1, 1, 2, 4, 8))):
            at = min(chance.choice(_borders(stream)) + int(chance.expovariate(1 / 5)), len(stream))
            match chance.randrange(5):
                case 0:
                    stream[at : at + 1] = bytes([chance.choice(BYTES)])
                case 1:
                    stream[at : at + 1] = bytes(
                        [(each + chance.randrange(-4, 5)) % 256 for each in stream[at : at + 1]]
                    )
                case 2:
                    stream[at:at] = chance.choice(SEEDS)[: chance.randrange(1, 40)]
                case 3:
                    del stream[at : at + chance.randrange(1, 8)]
                case _:
                    stream[at : at + 4] = packets.length(int(2 ** chance.uniform(0, 28)) - 1)
        return bytes(stream[:STREAM_BYTES_MAX])

    def _cuts(self, stream: bytes) -> list[int]:
        near = [min(len(stream), int(self.chance.expovariate(1 / 15))) for _ in range(self.chance.randrange(6))]
        far = [self.chance.randrange(len(stream) + 1) for _ in range(self.chance.randrange(4))]
        return sorted(near + far)


def try_out(stream: bytes, version: Version, cuts: Sequence[int]) -> str | None:
    """Feed a stream whole and in pieces; what does not hold, if anything."""
    pieces = _pieces(stream, cuts)
    with patch.multiple(packets, PACKET_BYTES_MAX=BOUND, _CUT_BYTES=BOUND - 5):
        try:
            whole = _fed(version, [stream])
            if whole != _fed(version, pieces):
                return f"cut at {cuts} it means something else"
            if whole != _fed(version, _pieces(stream, _borders(stream))):
                return "a packet alone means something else than among its neighbours"
            _RUNNER.run(_connected(version, pieces))
        except Exception as error:
            return repr(error)
    return None


def _pieces(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def _borders(stream: bytes | bytearray) -> list[int]:
    """Where one packet ends and the next begins."""
    borders, at = [0], 0
    while found := re.compile(rb".[\x80-\xff]{0,3}[\x00-\x7f]", re.DOTALL).match(stream, at):
        length = sum((byte & 0x7F) << 7 * index for index, byte in enumerate(found[0][1:]))
        at = found.end() + length
        borders.append(at)
    return [border for border in borders if border <= len(stream)]


def _fed(version: Version, pieces: Sequence[bytes]) -> tuple[list[Any], ...] | None:
    """What arrives, `None` if the stream is refused."""
    parser, whole = Parser(version), Arrivals()
    for piece in pieces:
        try:
            arrivals = parser.feed(piece)
        except Malformed:
            return None
        waiting = sum(map(len, parser._pieces))
        assert waiting < BOUND + len(piece), f"{waiting} bytes wait"
        assert all(len(payload) < BOUND for payload in arrivals.payloads), "a message beyond the bound arrived whole"
        for name in set(Arrivals.__slots__) - {"size"}:  # which the connection counts
            getattr(whole, name).extend(getattr(arrivals, name))
    return astuple(whole)


class _Transport(asyncio.Transport):
    """Takes what is written to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    close = abort

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


async def _connected(version: Version, pieces: Sequence[bytes]) -> None:
    transport, terms = _Transport(), connection.Terms("fuzz", ("t",), keep_alive_s=0)
    lives = connection.Connection(version, Address("", 0), terms, lambda _, __: None)
    lives.connection_made(transport)
    for piece in pieces:
        if not transport.closed:
            lives.data_received(piece)
    lives.connection_lost(None)
    assert lives.closed.result(), "the connection ended without a reason"
    lives.opened.exception()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="for_s", default="60s", type=duration_s, metavar="60s", help="how long")
    parser.add_argument("--seed", type=int, default=None, help="the same seed bends the same streams")
    options = parser.parse_args()
    seed = random.randrange(10**9) if options.seed is None else options.seed
    found: list[str] = []

    def tell(stream: bytes, version: Version, complaint: str) -> None:
        found.append(complaint)
        print(f"version {version}: {stream[:200]!r}{'…' if len(stream) > 200 else ''}: {complaint}", flush=True)

    fuzzer, end_s = Fuzzer(random.Random(seed), tell), time.monotonic() + options.for_s
    while time.monotonic() < end_s and len(found) < 10:
        fuzzer.round(guided=True)
    print(
        f"seed {seed}: {fuzzer.tried} streams, {len(fuzzer.reached)} steps between lines reached, {len(found)} findings"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

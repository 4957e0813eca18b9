"""Recorded series played through a broker again, with their own timestamps, paced by the city clock.

`open_replay` recognises a file by its header and checks all of it; `run` publishes its observations strictly in the
order of their time. Where the broker cannot keep pace with the clock, the order still holds.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bus.device import Line
from firmware_sim import elsewhere
from firmware_sim.behaviours import Fields
from firmware_sim.city import Row
from firmware_sim.firmware import KEEP_S
from firmware_sim.series import car_parks, gages, plain
from firmware_sim.series.lines import header_of
from firmware_sim.series.recording import BadRecording, Reading, Recording
from telemetry import topics
from telemetry.clock import SECOND_US, Now, to_rfc3339

FORMATS = (gages, car_parks, plain)
"""What a file may be, in the order in which it is tried."""
RECENT_MAX = 200_000
"""Observations of the last 60 s that are remembered for a torn connection; at the bound the oldest are forgotten."""
DRAIN_S = 5.0
"""A replay that is stopped early gives the broker this real time to take what is in flight."""
_BREATH = 64
_SLEEP_S_MAX = 0.2

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Replay:
    """A checked series.

    Args:
        name: the file's name.
        registry: zones and assets as lines of a registry CSV, with the devices that speak in the series.
        start_us: time of the first observation.
        end_us: time of the last.
        lines: lines of data in the file.
    """

    name: str
    registry: tuple[Row, ...]
    start_us: int
    end_us: int
    lines: int
    _recording: Recording

    def __iter__(self) -> Iterator[Reading]:
        return self._recording.readings()


def open_replay(path: Path | str) -> Replay:
    """Recognise and check a recorded series.

    Raises:
        BadRecording: it cannot be replayed; one sentence that names the file and, where there is one, the line.
    """
    path = Path(path)
    header = header_of(path)
    for each in FORMATS:
        if each.is_mine(header):
            found = each.open_recording(path)
            return Replay(path.name, found.registry, found.start_us, found.end_us, found.lines, found)
    raise BadRecording(
        f"{path.name} line 1: this header is of no known series; it has neither time_utc, nor SystemCodeNumber, nor "
        "time and asset."
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """A replay's figures since its start.

    Args:
        published: observations handed to the broker for the first time, of which `in_flight` are not yet taken.
        resent: observations sent again after a torn connection.
        reconnects: connections that came back.
        position_us: city time of the newest published observation, shifted as the replay is; `None` before the first.
        lag_s: real seconds by which publishing is behind the city clock, and its greatest value so far.
    """

    published: int
    in_flight: int
    resent: int
    reconnects: int
    position_us: int | None
    lag_s: float
    lag_s_max: float


async def run(
    replay: Replay,
    url: str,
    now: Now,
    *,
    speed: float = 1.0,
    stop: asyncio.Event | None = None,
    shift_to_now: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    progress_every_s: float = 1.0,
) -> Progress:
    """Play a series to its end, or until `stop` is set; returns when the broker has taken all that was published.

    Args:
        replay: the series.
        url: the broker, with a user who may publish as any device.
        now: the platform's city clock, which runs `speed` times as fast as real time.
        speed: see `now`.
        stop: ends the replay early; `None` plays to the end.
        shift_to_now: move all timestamps so that the first observation is of this moment.
        on_progress: told the figures about every `progress_every_s` real seconds.
        progress_every_s: see `on_progress`.

    Raises:
        ClockElsewhere: the clock does not stand where the series begins, and it is not to be shifted.
    """
    now_us = now()
    if not shift_to_now:
        elsewhere.refuse_elsewhere(replay.name, replay.start_us, now_us, speed)
    shift_us = now_us - replay.start_us if shift_to_now else 0
    stop = stop or asyncio.Event()
    player = _Player(replay, now, speed, shift_us, stop)
    async with player.open(url):
        playing = asyncio.ensure_future(player.play(on_progress, progress_every_s))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({playing}, timeout=DRAIN_S)
            if playing.done():
                playing.result()
        finally:
            playing.cancel()
            stopping.cancel()
            await asyncio.gather(playing, stopping, return_exceptions=True)
    return player.progress()


class _Player:
    """One pass through a series. As devices do, it sends its last 60 s again after a torn connection."""

    def __init__(self, replay: Replay, now: Now, speed: float, shift_us: int, stop: asyncio.Event) -> None:
        self._replay, self._now, self._speed, self._shift_us, self._stop = replay, now, speed, shift_us, stop
        self._recent: deque[tuple[float, str, bytes]] = deque()
        """(real monotonic time, topic, payload) of what went out, the oldest first."""
        self._line: Line
        self._torn = False
        self._published = self._resent = 0
        self._position_us: int | None = None
        self._lag_s = self._lag_s_max = 0.0
        self._topics: dict[tuple[str, str], str] = {}

    def open(self, url: str) -> Line:
        """The line that everything goes over, not yet connected."""
        self._line = Line(url, f"replay-{secrets.token_hex(4)}", on_up=self._up)
        return self._line

    async def play(self, on_progress: Callable[[Progress], None] | None, progress_every_s: float) -> None:
        """Publish everything in its order, each not before its time."""
        loop = asyncio.get_running_loop()
        told_s = loop.time()
        for nth, reading in enumerate(self._replay):
            moment_us = reading[0] + self._shift_us
            if nth % _BREATH == 0 or moment_us > self._now():
                await asyncio.sleep(0)
                while moment_us > self._now() and not self._stop.is_set():
                    await asyncio.sleep(min(_SLEEP_S_MAX, (moment_us - self._now()) / SECOND_US / self._speed))
                    told_s = self._tell(on_progress, told_s, progress_every_s)
                self._lag_s = max(0.0, (self._now() - moment_us) / SECOND_US / self._speed)
                self._lag_s_max = max(self._lag_s_max, self._lag_s)
                told_s = self._tell(on_progress, told_s, progress_every_s)
            if self._stop.is_set():
                break
            await self._publish(moment_us, *reading[1:])
        await self._settle()

    def progress(self) -> Progress:
        """The figures of this moment."""
        return Progress(
            published=self._published,
            in_flight=self._line.in_flight,
            resent=self._resent,
            reconnects=max(0, self._line.connections - 1),
            position_us=self._position_us,
            lag_s=round(self._lag_s, 3),
            lag_s_max=round(self._lag_s_max, 3),
        )

    async def _publish(self, moment_us: int, kind: str, device: str, fields: Fields) -> None:
        topic = self._topics.get((kind, device))
        if topic is None:
            topic = self._topics[kind, device] = topics.telemetry(kind, device)
        payload = _encode({"ts": _timestamp(moment_us), **fields})
        await self._ready()
        self._send(topic, payload)
        self._published += 1
        self._position_us = moment_us

    async def _ready(self) -> None:
        """Wait for room on the line; after a torn connection say the last 60 s again first."""
        while self._torn or not self._line.has_room:
            await self._line.room()
            if self._torn:
                self._torn = False
                await self._repeat()

    async def _repeat(self) -> None:
        again, self._recent = self._recent, deque()
        while again:
            await self._line.room()
            if self._torn:
                break
            _, topic, payload = again.popleft()
            self._send(topic, payload)
            self._resent += 1
        self._recent.extend(again)

    def _send(self, topic: str, payload: bytes) -> None:
        self._line.send(topic, payload)
        sent_s = asyncio.get_running_loop().time()
        recent = self._recent
        recent.append((sent_s, topic, payload))
        while len(recent) > self._line.in_flight and (recent[0][0] < sent_s - KEEP_S or len(recent) > RECENT_MAX):
            recent.popleft()

    async def _settle(self) -> None:
        """Wait until the broker has taken everything, over as many connections as that takes."""
        while self._recent:
            await self._ready()
            await self._line.settled()
            if self._line.up and not self._line.in_flight and not self._torn:
                return

    def _up(self, torn: bool) -> None:
        self._torn = self._torn or torn

    def _tell(self, on_progress: Callable[[Progress], None] | None, told_s: float, every_s: float) -> float:
        now_s = asyncio.get_running_loop().time()
        if on_progress is None or now_s - told_s < every_s:
            return told_s
        on_progress(self.progress())
        return now_s


def _timestamp(moment_us: int) -> int | str:
    """`ts` on the wire: whole milliseconds as a number, finer times as RFC 3339."""
    return to_rfc3339(moment_us) if moment_us % 1_000 else moment_us // 1_000

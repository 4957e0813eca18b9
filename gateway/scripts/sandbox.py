"""The owner of one codec's worker process: starts it, asks it, ends one that hangs, and replaces one that died.

Messages are asked in order and several ahead. If the worker dies or says nothing, the message it was at is refused;
those behind it are asked again of its successor, so that one message cannot spoil its neighbours.
"""

import asyncio
import contextlib
import importlib.util
import os
import re
import signal
import struct
import sys
from collections import deque
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import msgspec

from gateway.codecs.codec import Undecodable
from gateway.scripts.bounds import Bounds

Fault = Literal["time", "memory", "stack", "output", "promise", "nothing", "entry", "threw", "syntax", "died"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
_LENGTH = struct.Struct("<I")
_AHEAD_MAX = 16
"""Requests a worker has before it answers. Nobody waits until they are written, so that no side waits for the other."""
FORKED_CHARACTERS_MIN = 24 * 1024
"""A codec at least as large costs more to parse than its process to copy."""
_START_S = 20.0
_DEATHS_MAX = 2
"""Workers that one message may cost."""
_ROOT = Path(__file__).parents[2]
_BUFFER = re.compile(r"\bBuffer\b")


class ScriptFault(Undecodable):
    """The codec did not answer, or not as a codec does; `fault` is the word for it."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class NoWorker(RuntimeError):
    """A worker process cannot be started here; no fault of any message."""


@dataclass(slots=True)
class _Asked:
    request: bytes
    answer: "asyncio.Future[bytes]"
    deaths: int = 0


class Sandbox:
    """One codec, asked by any number of tasks of one event loop.

    Args:
        source: the codec's own text.
        bounds: what a message may use.
        reuse: keep one context for many messages: faster, but what one message leaves behind the next one finds.
    """

    def __init__(self, source: str, bounds: Bounds | None = None, *, reuse: bool = False) -> None:
        self.bounds = bounds or Bounds()
        self.deaths = 0
        self._setup = _framed(_setup(source, self.bounds, reuse))
        self._room = asyncio.Semaphore(self.bounds.waiting_max)
        self._waiting: deque[_Asked] = deque()
        self._sent = 0
        self._is_ready = False
        self._worker: asyncio.subprocess.Process | None = None
        self._tending: asyncio.Task[None] | None = None

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker; `None` while there is none."""
        return None if self._worker is None else self._worker.pid

    async def ask(self, request: bytes) -> bytes:
        """The codec's own output for a request, as JSON.

        Raises:
            ScriptFault: there is none; whatever the codec does, nothing else is raised.
            NoWorker: no process can be started, or the codec was put away meanwhile.
        """
        async with self._room:
            asked = _Asked(_framed(request), asyncio.get_running_loop().create_future())
            self._waiting.append(asked)
            if self._tending is None or self._tending.done():
                self._tending = asyncio.create_task(self._tend())
            else:
                self._send()
            answer = await asked.answer
        if not answer.startswith(b"!"):
            return answer
        word, _, detail = answer[1:].decode(errors="replace").partition(" ")
        raise _fault(word, detail, self.bounds)

    async def close(self) -> None:
        """End the worker; whoever still waits gets a `NoWorker`."""
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
        while self._waiting:
            _give(self._waiting.popleft().answer, NoWorker("the codec was put away"))
        await self._end()

    async def _tend(self) -> None:
        """Read answers until nobody waits."""
        try:
            while self._waiting:
                if self._worker is None:
                    await self._start()
                self._send()
                await self._settle(await self._answer())
        except (NoWorker, OSError) as error:
            await self._end()
            while self._waiting:
                _give(self._waiting.popleft().answer, error if isinstance(error, NoWorker) else NoWorker(str(error)))

    async def _settle(self, answer: bytes | None) -> None:
        """Give the first of those who wait the answer, or bury the worker."""
        asked = self._waiting[0]
        self._sent -= 1
        if answer is None:
            self.deaths += 1
            asked.deaths += 1
            code = await self._end()
            if code == -signal.SIGPROF:
                answer = b"!time "
            elif asked.deaths < _DEATHS_MAX:  # perhaps the system ended it, for no fault of the message
                return
            else:
                answer = b"!died "
        self._waiting.popleft()
        _give(asked.answer, answer)

    async def _start(self) -> None:
        try:
            self._worker = await asyncio.create_subprocess_exec(
                *_command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
                limit=self.bounds.output_characters_max * 4,
            )
        except OSError as error:
            raise NoWorker(f"no process can be started for a codec: {error.strerror}") from error
        self._write(self._setup)
        if await self._answer(_START_S) is None:
            await self._end()
            raise NoWorker("the process of a codec ended before it was ready: is `quickjs-ng` installed?")
        self._is_ready = True

    def _send(self) -> None:
        """Hand the worker what it may have ahead."""
        if not self._is_ready:
            return
        for asked in islice(self._waiting, self._sent, _AHEAD_MAX):
            self._write(asked.request)
            self._sent += 1

    def _write(self, frame: bytes) -> None:
        assert self._worker is not None
        assert self._worker.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):  # it has died: reading will tell
            self._worker.stdin.write(frame)

    async def _answer(self, seconds: float | None = None) -> bytes | None:
        """The worker's next frame; `None` if it died or said nothing."""
        assert self._worker is not None
        assert self._worker.stdout is not None
        source = self._worker.stdout
        try:
            async with asyncio.timeout(self.bounds.answer_s if seconds is None else seconds):
                (length,) = _LENGTH.unpack(await source.readexactly(_LENGTH.size))
                if length > 8 * self.bounds.output_characters_max:
                    return None
                return await source.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return None

    async def _end(self) -> int | None:
        """End the worker; returns how it ended, if it had done so by itself."""
        worker, self._worker, self._sent, self._is_ready = self._worker, None, 0, False
        if worker is None:
            return None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)  # it leads a session of its own
        return await worker.wait()


def _give(answer: "asyncio.Future[bytes]", value: bytes | Exception) -> None:
    if answer.done():  # whoever asked has gone
        return
    if isinstance(value, bytes):
        answer.set_result(value)
    else:
        answer.set_exception(value)


def _fault(word: str, detail: str, bounds: Bounds) -> ScriptFault:
    sentences: dict[Fault, str] = {
        "time": f"the codec takes longer than {bounds.call_s * 1000:.0f} ms",
        "memory": f"the codec needs more than {bounds.heap_bytes >> 20} MiB{f' ({detail})' if detail else ''}",
        "stack": f"the codec calls itself too deeply (its stack has {bounds.stack_bytes >> 20} MiB)",
        "output": f"the codec's answer is larger than {bounds.output_characters_max >> 10} KiB",
        "promise": "the codec answers with a promise, where an answer at once is expected",
        "nothing": f"the codec answers with nothing that JSON can say ({detail})",
        "entry": "the codec has none of the functions that makers' codecs have for this",
        "threw": f"the codec failed: {detail}",
        "syntax": f"the codec cannot be read: {detail}",
        "died": "the codec's process ended, or said nothing for too long",
    }
    fault: Fault = word if word in FAULTS else "died"
    return ScriptFault(fault, sentences[fault])


def _framed(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _setup(source: str, bounds: Bounds, reuse: bool) -> bytes:
    way = "reused" if reuse else "forked" if len(source) > FORKED_CHARACTERS_MIN else "fresh"
    shims = [_text("buffer.js")] if _BUFFER.search(source) else []
    return msgspec.json.encode(
        {"source": source, "prelude": _text("prelude.js"), "shims": shims, "way": way, **asdict(bounds)}
    )


@cache
def _text(name: str) -> str:
    return (files("gateway.scripts") / name).read_text(encoding="utf-8").rstrip()


def _command() -> tuple[str, ...]:
    """The worker's command line: nothing of the environment, no site packages but the engine's folder."""
    folders = [str(_ROOT), _engine_folder()]
    start = f"import sys; sys.path += {folders!r}; from gateway.scripts.worker import main; main({os.getpid()})"
    return (sys.executable, "-I", "-S", "-c", start)


@cache
def _engine_folder() -> str:
    """Where the engine is installed.

    Raises:
        NoWorker: it is not.
    """
    engine = importlib.util.find_spec("_quickjs")
    if engine is None or engine.origin is None:
        raise NoWorker("makers' codecs need the package `quickjs-ng`, which is not installed")
    return str(Path(engine.origin).parent)

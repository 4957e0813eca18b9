"""The process in which one maker's codec runs: requests come in by standard input, answers go out by standard output.

Both are JSON texts, each behind its length (4 bytes, little-endian). The first request holds the bounds, the prelude,
shims and the codec's source. The process imports nothing of the project but its neighbour `confine`, and no site
packages but the engine itself, of which only the compiled half: the other half starts a thread.
"""

import gc
import json
import os
import re
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import _quickjs

from gateway.scripts.confine import confine, no_processes

_PLACE = re.compile(r"<input>:(\d+)")
_LENGTH = struct.Struct("<I")
_DETAIL_CHARACTERS_MAX = 300
_SECONDS_LEFT_MIN = 0.001
_INTERRUPTION_S = 0.1
"""CPU time beyond a call's own in which the engine has to have interrupted it."""
_FAILURES = (_quickjs.JSException, ValueError, TypeError, MemoryError)


class Stage:
    """The codec in its context, parsed once."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._source = setup["source"] + "\n;void 0;"
        self._prelude = f"{setup['prelude']}(globalThis, {setup['output_characters_max']})"
        self._shims = [f"{shim}(globalThis)" for shim in setup["shims"]]
        self._heap_bytes = setup["heap_bytes"]
        self._stack_bytes = setup["stack_bytes"]
        self._call_s = setup["call_s"]
        self._output_max = setup["output_characters_max"]
        self._context: Any = None
        self._driver: Any = None

    @property
    def is_loaded(self) -> bool:
        """Whether the codec is parsed."""
        return self._driver is not None

    def load(self) -> str | None:
        """Have the codec parsed; what is answered instead of asking it if that is impossible."""
        if self._driver is not None:
            return None
        began_s = time.process_time()
        self._context = context = _quickjs.Context()
        context.set_memory_limit(self._heap_bytes)
        context.set_max_stack_size(self._stack_bytes)
        try:
            with self._ended_in_time():
                driver = context.eval(self._prelude)
                for text in (*self._shims, self._source):
                    context.set_time_limit(max(_SECONDS_LEFT_MIN, self._call_s - (time.process_time() - began_s)))
                    context.eval(text)
        except _FAILURES as error:
            return _failure(error, "syntax")
        context.set_time_limit(self._call_s)
        self._driver = driver
        return None

    def answer(self, request: str) -> str:
        """The codec's output as JSON, or `!`, the word for what went wrong, a blank and a detail."""
        try:
            with self._ended_in_time():
                answer = self._driver(request)
        except _FAILURES as error:
            return _failure(error, "threw")
        if not isinstance(answer, str) or len(answer) > self._output_max + _DETAIL_CHARACTERS_MAX:
            return "!output "
        return _sorted(answer) if answer.startswith("!threw") else answer

    def clear(self) -> None:
        """Let go of the codec, and of all that it has left behind."""
        self._driver = self._context = None

    @contextmanager
    def _ended_in_time(self) -> Iterator[None]:
        """Have the system end the process if the engine is not interrupted, as within a long native call."""
        signal.setitimer(signal.ITIMER_PROF, self._call_s + _INTERRUPTION_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def fresh(stage: Stage, request: str, sink: BinaryIO) -> None:
    """Answer a request in a context of its own."""
    answer = stage.load() or stage.answer(request)
    stage.clear()
    _write(sink, answer)


def forked(stage: Stage, request: str, sink: BinaryIO) -> None:
    """Have a request answered by a copy of this process that ends with it.

    The copy's context is as fresh as one of its own, whatever requests before have done. It costs a fork, but the codec
    is parsed only once: the lesser cost for a large one.
    """
    failure = stage.load()
    if failure is not None:
        stage.clear()
        _write(sink, failure)
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            no_processes()
            _write(sink, stage.answer(request))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status != 0:
        _write(sink, "!time " if os.waitstatus_to_exitcode(status) == -signal.SIGPROF else "!died ")


def reused(stage: Stage, request: str, sink: BinaryIO) -> None:
    """Answer a request with what earlier ones have left behind; after a failure all begins anew."""
    was_kept = stage.is_loaded
    answer = stage.load() or stage.answer(request)
    if was_kept and answer.startswith("!memory"):  # what it had kept was too much, perhaps not this request
        stage.clear()
        answer = stage.load() or stage.answer(request)
    if answer.startswith("!"):
        stage.clear()
    _write(sink, answer)


WAYS = {"fresh": fresh, "forked": forked, "reused": reused}


def _failure(error: BaseException, stage: str) -> str:
    if isinstance(error, _quickjs.StackOverflow):
        return "!stack "
    words = str(error).strip() or type(error).__name__
    if "interrupted" in words:
        return "!time "
    if isinstance(error, MemoryError) or "Failed obtaining" in words:
        return "!memory "
    if stage == "syntax" and "SyntaxError" not in words:
        stage = "threw"
    place = _PLACE.findall(words)
    return _sorted(f"!{stage} {words.splitlines()[0]}{f' in line {place[-1]}' if place else ''}")


def _sorted(answer: str) -> str:
    """A failure whose detail tells of a bound, under the word for that bound."""
    if "out of memory" in answer:
        return "!memory "
    if "stack overflow" in answer or "call stack size exceeded" in answer:
        return "!stack "
    if answer == "!threw null":  # all that the engine could say once there was no memory left for an error
        return "!memory or the codec threw null"
    return answer[: _DETAIL_CHARACTERS_MAX + 8]


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    return source.read(length)


def _write(sink: BinaryIO, text: str) -> None:
    data = text.encode(errors="replace")
    sink.write(_LENGTH.pack(len(data)) + data)
    sink.flush()


def main(parent: int) -> None:
    """Serve requests until standard input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    first = _read(source)
    if first is None:
        return
    setup = json.loads(first)
    stage, answer = Stage(setup), WAYS[setup["way"]]
    confine(setup["room_bytes"], parent)
    if answer is not forked:
        no_processes()
    gc.disable()  # nothing here is cyclic, and a collection would write to every page that copies share
    gc.freeze()
    _write(sink, "ready")
    while (request := _read(source)) is not None:
        answer(stage, request.decode(), sink)

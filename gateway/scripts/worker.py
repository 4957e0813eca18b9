"""The process in which one maker's codec runs: requests come in by standard input, answers go out by standard output.

Both are JSON texts, each behind its length (4 bytes, little-endian). The first request holds the bounds, the prelude,
shims and the codec's source. The process imports nothing of the project but its neighbour `confine`, and no site
packages but the engine itself, of which only the compiled half: the other half starts a thread.
"""

import gc
import json
import re
import signal
import struct
import sys
import time
from typing import Any, BinaryIO

import _quickjs

from gateway.scripts.confine import confine

_PLACE = re.compile(r"<input>:(\d+)")
_LENGTH = struct.Struct("<I")
_DETAIL_CHARACTERS_MAX = 300
_SECONDS_LEFT_MIN = 0.001
_TEARDOWN_S = 0.15
"""CPU time beyond a call's own in which it has to be interrupted and cleared away; then the system ends the process."""


class Stage:
    """The codec in its context: a fresh one for each request, or one for many."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._source = setup["source"] + "\n;void 0;"
        self._prelude = f"{setup['prelude']}(globalThis, {setup['output_characters_max']})"
        self._shims = [f"{shim}(globalThis)" for shim in setup["shims"]]
        self._heap_bytes = setup["heap_bytes"]
        self._stack_bytes = setup["stack_bytes"]
        self._call_s = setup["call_s"]
        self._output_max = setup["output_characters_max"]
        self._is_reused = setup["reuse"]
        self._kept: tuple[Any, Any] | None = None

    def answer(self, request: str) -> str:
        """The codec's output as JSON, or `!`, the word for what went wrong, a blank and a detail."""
        signal.setitimer(signal.ITIMER_PROF, self._call_s + _TEARDOWN_S)
        try:
            was_kept = self._kept is not None
            answer = self._played(request)
            if was_kept and answer.startswith("!memory"):  # what it had kept was too much, perhaps not this message
                answer = self._played(request)
            return answer
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _played(self, request: str) -> str:
        began_s = time.process_time()
        stage = "syntax"
        try:
            if self._kept is None:
                context = _quickjs.Context()
                context.set_memory_limit(self._heap_bytes)
                context.set_max_stack_size(self._stack_bytes)
                self._bound(context, began_s)
                driver = context.eval(self._prelude)
                for shim in self._shims:
                    context.eval(shim)
                context.eval(self._source)
            else:
                context, driver = self._kept
            stage = "threw"
            self._bound(context, began_s)
            answer = driver(request)
        except (_quickjs.JSException, ValueError, TypeError, MemoryError) as error:
            self._kept = None
            return _failure(error, stage)
        self._kept = (context, driver) if self._is_reused else None
        if not isinstance(answer, str) or len(answer) > self._output_max + _DETAIL_CHARACTERS_MAX:
            return "!output "
        if answer.startswith("!threw"):
            self._kept = None
            return _sorted(answer)
        return answer

    def _bound(self, context: Any, began_s: float) -> None:
        """Let the engine interrupt what follows once the CPU time since the beginning is spent."""
        context.set_time_limit(max(_SECONDS_LEFT_MIN, self._call_s - (time.process_time() - began_s)))


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
    stage = Stage(setup)
    given_up = confine(setup["room_bytes"], parent)
    gc.disable()  # nothing here is cyclic, and a collection would look at every context
    _write(sink, json.dumps(given_up))
    while (request := _read(source)) is not None:
        _write(sink, stage.answer(request.decode()))

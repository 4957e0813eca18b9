"""Running several services as one: started in order, watched, and ended in reverse order by one signal.

Infrastructure (children, pools) goes into an exit stack, a watcher of each service and child into a task group. A
service or a child that ends by itself takes everything else down, with its name in the error. The first SIGINT,
SIGTERM or SIGHUP asks for an orderly end. More of them do no harm to that, until it has taken `PATIENCE_S` seconds:
then another one ends at once, and the kernel takes the children along.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import Any, TypeVar

import structlog

from lamplighter.embedded.children import Child
from lamplighter.errors import Failure

_log = structlog.get_logger(__name__)

T = TypeVar("T")

END_GRACE_S = 15.0
"""How long one service may take to end before it is left behind."""
PATIENCE_S = 5.0
"""Whoever presses Ctrl-C again within so many seconds does not mean to leave everything lying about."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_AT_ONCE = 130
"""Exit code of an end at once, as a shell reports an interrupted command."""


class Interrupted(Failure):
    """A signal came before everything was up."""

    exit_code = EXIT_AT_ONCE


class Crew:
    """Services and what they stand on; made by `crew`."""

    def __init__(self, stack: AsyncExitStack, group: asyncio.TaskGroup, stop: "_Stop") -> None:
        self._stack, self._group, self._stop = stack, group, stop
        self._services: dict[str, asyncio.Task[object]] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    async def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Open something that the services stand on; it is closed after them, the last one first."""
        return await self._stack.enter_async_context(context)

    def hold(self, context: AbstractContextManager[T]) -> T:
        """The same for what is closed without waiting, such as a folder that is removed."""
        return self._stack.enter_context(context)

    def watch(self, child: Child) -> None:
        """Take everything down if `child` dies before it is asked to end."""
        self._watchers[child.name] = self._group.create_task(child.must_live(), name=f"watch {child.name}")

    def serve(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run a service that ends only by being cancelled."""
        service = asyncio.create_task(work, name=name)
        self._services[name] = service
        self._watchers[name] = self._group.create_task(_must_go_on(name, service), name=f"watch {name}")
        _log.debug("service started", service=name)

    async def end(self, name: str) -> None:
        """End one service in order, and wait for it up to `END_GRACE_S` seconds."""
        self._watchers.pop(name).cancel()
        service = self._services.pop(name)
        service.cancel()
        _, pending = await asyncio.wait({service}, timeout=END_GRACE_S)
        if pending:
            _log.warning("service left behind", service=name, after_s=END_GRACE_S)
        else:
            _log.debug("service ended", service=name)

    def ask_to_stop(self) -> None:
        """Let `until_asked_to_stop` return, as a signal does."""
        self._stop.asked.set()

    async def until_asked_to_stop(self, for_s: float | None = None) -> None:
        """Wait for a signal, or for `for_s` seconds of real time; None waits for a signal alone."""
        self._stop.is_up = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.asked.wait(), for_s)

    async def end_all(self) -> None:
        """End all services, the one started last first; children may end now too."""
        for name in reversed(list(self._services)):
            await self.end(name)
        for watcher in self._watchers.values():
            watcher.cancel()


async def _must_go_on(name: str, service: asyncio.Task[object]) -> None:
    """A service that returns without being cancelled has failed as much as one that raises."""
    await asyncio.wait({service})
    error = None if service.cancelled() else service.exception()
    if error is None:
        raise Failure(f"The service {name} ended by itself")
    if isinstance(error, Failure):
        raise error
    _log.debug("service failed", service=name, exc_info=error)
    raise Failure(f"The service {name} failed: {type(error).__name__}: {error}") from error


@asynccontextmanager
async def crew() -> AsyncIterator[Crew]:
    """A crew whose services end, and whose infrastructure is closed, when the block does.

    Raises:
        Failure: a service or a child ended by itself.
        Interrupted: a signal came before `until_asked_to_stop` was awaited.
    """
    stop = _Stop()
    with _signals(stop):
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.TaskGroup() as group:
                    members = Crew(stack, group, stop)
                    try:
                        yield members
                    finally:
                        await members.end_all()
            except BaseExceptionGroup as several:
                raise _first_cause(several) from several


class _Stop:
    """What a signal does: before everything `is_up` it interrupts, afterwards it sets `asked`."""

    def __init__(self) -> None:
        self.is_up = False
        self.asked = asyncio.Event()


@contextmanager
def _signals(stop: _Stop) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None
    heard_s: list[float] = []

    def hear(number: signal.Signals) -> None:
        heard_s.append(loop.time())
        if len(heard_s) > 1:
            if heard_s[-1] - heard_s[0] > PATIENCE_S:
                os._exit(EXIT_AT_ONCE)
            if len(heard_s) == 2:
                _log.warning("ending in order; a signal later on ends at once", later_s=PATIENCE_S)
            return
        _log.info("stopping", signal=number.name)
        if stop.is_up:
            stop.asked.set()
        else:
            main.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    except asyncio.CancelledError:
        if not heard_s:
            raise
        main.uncancel()
        raise Interrupted("Interrupted before everything was up.") from None
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)


def _first_cause(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; the rest are its consequences."""
    first = several.exceptions[0]
    return _first_cause(first) if isinstance(first, BaseExceptionGroup) else first

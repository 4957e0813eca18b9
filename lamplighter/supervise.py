"""Running several services as one: started in order, watched, and ended in reverse order by one signal.

Infrastructure (children, pools) goes into an exit stack, services into a task group. A service or a child that ends by
itself takes everything else down, with its name in the error. The first SIGINT or SIGTERM asks for an orderly end; a
second one ends at once, and the kernel takes the children along.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import structlog

from lamplighter.embedded.children import Child
from lamplighter.errors import Failure

_log = structlog.get_logger(__name__)

T = TypeVar("T")

END_GRACE_S = 15.0
"""How long one service may take to end before it is left behind."""
EXIT_AT_ONCE = 130
"""Exit code after a second signal, as a shell reports an interrupted command."""


class Interrupted(Failure):
    """A signal came before everything was up."""

    exit_code = EXIT_AT_ONCE


class Crew:
    """Services and what they stand on; made by `crew`."""

    def __init__(self, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        self._stack = stack
        self._group = group
        self._services: dict[str, asyncio.Task[None]] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._asked_to_stop = asyncio.Event()
        self.is_up = False

    async def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Open something that the services stand on; it is closed after them, the last one first."""
        return await self._stack.enter_async_context(context)

    def on_close(self, close: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Call and await `close` once the services have ended, in reverse order with what `enter` opened."""
        self._stack.push_async_callback(close)

    def watch(self, child: Child) -> None:
        """Take everything down if `child` dies before it is asked to end."""
        self._watchers.append(self._group.create_task(child.must_live(), name=f"watch {child.name}"))

    def serve(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run a service that ends only by being cancelled."""
        self._services[name] = self._group.create_task(_forever(name, work), name=name)
        _log.debug("service started", service=name)

    async def end(self, name: str) -> None:
        """End one service in order, and wait for it up to `END_GRACE_S` seconds."""
        task = self._services.pop(name)
        task.cancel()
        _, pending = await asyncio.wait({task}, timeout=END_GRACE_S)
        _log.log(30 if pending else 10, "service left behind" if pending else "service ended", service=name)

    def ask_to_stop(self) -> None:
        """Let `until_asked_to_stop` return."""
        self._asked_to_stop.set()

    async def until_asked_to_stop(self, for_s: float | None = None) -> None:
        """Wait for a signal, or for `for_s` seconds of real time; None waits for a signal alone."""
        self.is_up = True
        try:
            await asyncio.wait_for(self._asked_to_stop.wait(), for_s)
        except TimeoutError:
            _log.debug("time is up", seconds=for_s)

    async def end_all(self) -> None:
        """End all services, the one started last first, and stop watching the children."""
        for name in reversed(list(self._services)):
            await self.end(name)
        for watcher in self._watchers:
            watcher.cancel()


async def _forever(name: str, work: Coroutine[Any, Any, object]) -> None:
    """A service that returns without being cancelled has failed as much as one that raises."""
    try:
        await work
    except Failure:
        raise
    except Exception as error:
        _log.debug("service failed", service=name, exc_info=True)
        raise Failure(f"The service {name} failed: {type(error).__name__}: {error}") from error
    raise Failure(f"The service {name} ended by itself")


@asynccontextmanager
async def crew() -> AsyncIterator[Crew]:
    """A crew whose services end, and whose infrastructure is closed, when the block does.

    Raises:
        Failure: a service or a child ended by itself.
        Interrupted: a signal came before `until_asked_to_stop` was awaited.
    """
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.TaskGroup() as group:
                members = Crew(stack, group)
                with _signals(members):
                    yield members
                    await members.end_all()
        except BaseExceptionGroup as several:
            raise _first_cause(several) from several


@contextmanager
def _signals(members: Crew) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None
    heard: list[signal.Signals] = []

    def hear(number: signal.Signals) -> None:
        heard.append(number)
        if len(heard) > 1:
            os._exit(EXIT_AT_ONCE)
        _log.info("stopping", signal=number.name)
        if members.is_up:
            members.ask_to_stop()
        else:
            main.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    except asyncio.CancelledError:
        if not heard:
            raise
        main.uncancel()
        raise Interrupted("Interrupted before everything was up.") from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _first_cause(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; the rest are its consequences."""
    first = several.exceptions[0]
    return _first_cause(first) if isinstance(first, BaseExceptionGroup) else first

"""Publishing many messages to a broker, and knowing when it has them, over as many connections as that takes."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bus.device import Line
from gateway.events import Message


class _Wanted:
    """Messages of one call that the broker has not taken."""

    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.done = asyncio.get_running_loop().create_future()


class Outlet:
    """A session that publishes at QoS 1: `async with` it, then `publish` from anywhere in the loop.

    What waits for the broker's word is bounded by the line's own bound; callers wait for their turn.

    Raises:
        BadAddress: the URL is none.
    """

    def __init__(self, url: str, client_id: str) -> None:
        self._line = Line(url, client_id, on_up=self._up, on_taken=self._taken)
        self._pending: dict[int, tuple[Message, _Wanted]] = {}
        self._number = 0
        self._turn = asyncio.Lock()
        self._resending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._line.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._resending is not None:
            self._resending.cancel()
        await self._line.close()

    @property
    def up(self) -> bool:
        """Whether the connection stands."""
        return self._line.up

    async def publish(self, messages: Sequence[Message], timeout_s: float | None = None) -> bool:
        """Whether the broker has taken all of them, in their order; `None` waits for ever.

        After the time is up those that it has not taken are given up; they may have been delivered all the same.
        """
        if not messages:
            return True
        wanted, numbers = _Wanted(len(messages)), []
        try:
            async with asyncio.timeout(timeout_s):
                async with self._turn:
                    for message in messages:
                        await self._line.room()
                        self._number += 1
                        numbers.append(self._number)
                        self._pending[self._number] = message, wanted
                        self._line.send(message.topic, message.payload, retain=message.retain, token=self._number)
                await wanted.done
        except TimeoutError:
            return False
        finally:
            for number in numbers:
                self._pending.pop(number, None)
        return True

    def _taken(self, token: object) -> None:
        assert isinstance(token, int)
        pending = self._pending.pop(token, None)
        if pending is not None:
            wanted = pending[1]
            wanted.left -= 1
            if not wanted.left and not wanted.done.done():
                wanted.done.set_result(None)

    def _up(self, torn: bool) -> None:
        if self._resending is not None:
            self._resending.cancel()
        if self._pending:
            self._resending = asyncio.create_task(self._resend(list(self._pending)), name="resend")

    async def _resend(self, numbers: list[int]) -> None:
        """What the last connection left unanswered is sent again."""
        for number in numbers:
            await self._line.room()
            if number in self._pending:
                message, _ = self._pending[number]
                self._line.send(message.topic, message.payload, retain=message.retain, token=number)

"""Sessions at a human rate: publish and know that the broker has it, listen to a few topics, reconnect by oneself."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NoReturn, Self

import aiomqtt
import structlog

from bus.address import parse_address
from bus.connection import KEEP_ALIVE_S
from bus.packets import Will
from bus.reconnecting import Lost, Stands, stay_connected

PENDING_MAX = 200
"""Publishes that wait for the broker's word at a time; further callers wait for their turn."""
UNHEARD_MAX = 10_000
"""Messages that wait for the listener; beyond it the newest are dropped, and the log says so."""
FAREWELL_S = 2.0
"""The broker's answer to a farewell is waited for so long."""
REPUBLISH_S = 1.0
"""A publish that the connection does not take is tried again after this time."""

_log = structlog.get_logger(__name__)
_library_log = logging.getLogger("bus.aiomqtt")

OnMessage = Callable[[str, bytes, bool], None]
"""Takes (topic, payload, retained); it returns soon and raises nothing."""


class Unreachable(Exception):
    """The broker did not confirm the message within the time given."""


class Publisher:
    """A session that publishes: `async with` it, then `publish` from anywhere in the loop.

    `on_connected` is called after each connection, when the subscriptions stand. The session is clean: the broker
    forgets it with the connection.

    Raises:
        BadAddress: the URL is none.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        will: Will | None = None,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        self._address = parse_address(url)
        self._client_id, self._will = client_id, will
        self._on_connected = on_connected
        self._filters: list[tuple[str, int]] = []
        self._on_message: OnMessage | None = None
        self._connected = asyncio.Event()
        self._client: aiomqtt.Client | None = None
        self._lost: asyncio.Future[None] | None = None
        self._turns = asyncio.Semaphore(PENDING_MAX)
        self._task: asyncio.Task[NoReturn] | None = None

    async def __aenter__(self) -> Self:
        staying = stay_connected(self._client_id, self._address, self._live)
        self._task = asyncio.create_task(staying, name=f"session {self._client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether the session stands at this moment."""
        return self._connected.is_set()

    async def ready(self) -> None:
        """Wait until the session stands."""
        await self._connected.wait()

    async def close(self) -> None:
        """Say farewell to the broker: it publishes no Will."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()  # once more if need be: before Python 3.12 `wait_for`, inside the library, may swallow it
            await asyncio.wait({task}, timeout=FAREWELL_S)

    async def publish(
        self,
        topic: str,
        payload: bytes | str,
        qos: int = 1,
        retain: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        """Publish at least once: returns when the broker has it, over as many connections as that takes.

        Raises:
            Unreachable: not confirmed within `timeout_s`; it may still have been delivered. `None` waits for ever.
        """
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                while not await self._try_publish(topic, payload, qos, retain):
                    pass
        except TimeoutError:
            raise Unreachable(f"the broker did not confirm {topic} within {timeout_s} s") from None

    async def _try_publish(self, topic: str, payload: bytes | str, qos: int, retain: bool) -> bool:
        """Whether the broker confirmed it on the present connection, or the next one if there is none.

        The library keeps what it was given until the broker has it or the connection ends: it is given that once.
        """
        await self._connected.wait()
        client, lost = self._client, self._lost
        assert client is not None
        assert lost is not None
        attempt = asyncio.ensure_future(client.publish(topic, payload, qos, retain, timeout=math.inf))
        try:
            await asyncio.wait([attempt, lost], return_when=asyncio.FIRST_COMPLETED)
            if attempt.done():
                attempt.result()
                return True
        except aiomqtt.MqttError as error:
            _log.warning("publish not taken", client=self._client_id, topic=topic, reason=str(error))
            await asyncio.wait({lost}, timeout=REPUBLISH_S)
        finally:
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        return False

    async def _live(self, stands: Stands) -> str:
        """One connection, until it is lost."""
        try:
            async with self._new_client() as client:
                if self._filters:
                    await self._subscribe(client)
                self._client, self._lost = client, asyncio.get_running_loop().create_future()
                self._connected.set()
                stands()
                if self._on_connected is not None:
                    self._on_connected()
                await self._listen(client)
            return "the broker hung up"
        except aiomqtt.MqttError as error:
            raise Lost(str(error)) from error
        finally:
            self._connected.clear()
            self._client = None
            if self._lost is not None and not self._lost.done():
                self._lost.set_result(None)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        codes = await client.subscribe(self._filters)
        refused = [name for (name, _), code in zip(self._filters, codes, strict=True) if _code(code) >= 0x80]
        if refused:
            raise aiomqtt.MqttError(f"the broker refuses the subscription {', '.join(refused)}")

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Hand messages over until the connection is lost, which raises."""
        async for message in client.messages:
            if self._on_message is not None:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self._on_message(message.topic.value, payload, bool(message.retain))

    def _new_client(self) -> aiomqtt.Client:
        address, will = self._address, self._will
        client = _Client(
            address.path or address.host,
            address.port or 1,  # of a Unix socket: the library wants one
            transport="tcp" if address.path is None else "unix",
            username=address.user_of(self._client_id),
            password=address.password,
            identifier=self._client_id,
            clean_session=True,
            keepalive=KEEP_ALIVE_S,
            tls_context=address.tls,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, 1, will.retain),
            max_queued_incoming_messages=UNHEARD_MAX,
            logger=_library_log,
        )
        client.pending_calls_threshold = PENDING_MAX
        return client


class Watcher(Publisher):
    """A session that also hears: `on_message` gets what `filters` bring, after each connection the retained first."""

    def __init__(
        self,
        url: str,
        client_id: str,
        filters: Sequence[str],
        on_message: OnMessage,
        *,
        will: Will | None = None,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(url, client_id, will=will, on_connected=on_connected)
        self._filters, self._on_message = [(each, 1) for each in filters], on_message


class _Client(aiomqtt.Client):
    """The library's client, of which nothing is left however early it ends.

    The library connects in a thread, which cannot be called back; what that made after a cancellation outlived the
    loop.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._dialled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_dialling = self._has_line = False

    async def __aenter__(self) -> Self:
        """Connect, or leave nothing behind."""
        entering = asyncio.ensure_future(super().__aenter__())
        try:
            return await asyncio.shield(entering)
        except aiomqtt.MqttCodeError:  # the broker has refused us, and hung up
            raise
        except BaseException:
            while not self._dialled.done() and (self._is_dialling or not entering.done()):
                waiting: set[asyncio.Future[Any]] = {self._dialled} if entering.done() else {self._dialled, entering}
                with suppress(asyncio.CancelledError):
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await self._hang_up(entering)
            raise

    def _client_connect(self) -> None:
        self._is_dialling = True
        try:
            super()._client_connect()
            self._has_line = True
        finally:
            self._loop.call_soon_threadsafe(self._dialled.set_result, None)

    async def _hang_up(self, entering: asyncio.Future[Self]) -> None:
        """End a connection that never stood, without waiting for the broker."""
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        if self._has_line:
            leaving = asyncio.ensure_future(self.__aexit__(None, None, None))  # closes the socket, then would wait
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


def _code(code: object) -> int:
    """The number of a reason code, which the library gives as a number or an object."""
    return code if isinstance(code, int) else int(getattr(code, "value", 0))

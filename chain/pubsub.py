"""A PubSub client that reconnects, over one or several endpoints. The bookkeeping is in `subscriptions`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from chain.subscriptions import Book, Event, Refused, Resumed
from chain.tasks import stop

_log = logging.getLogger(__name__)
_QUEUE = 10_000


class Subscription:
    """Iterate over it: `Resumed` after every (re)connection, then `Notification`s. `Refused` is the last event."""

    def __init__(self, owner: PubSub, key: int) -> None:
        self._owner = owner
        self.key = key
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.overflowed = False

    def put(self, event: Event) -> None:
        """Queue an event. A reader that falls far behind loses everything up to the next `Resumed`."""
        if isinstance(event, Resumed):
            self.overflowed = False
        if self.overflowed:
            return
        if self._queue.qsize() >= _QUEUE:
            while not self._queue.empty():
                self._queue.get_nowait()
            self.overflowed = True
            self._owner.restart(f"the reader of subscription {self.key} is {_QUEUE} events behind")
            return
        self._queue.put_nowait(event)

    def end(self) -> None:
        """Let the reader finish."""
        self._queue.put_nowait(None)

    async def get(self) -> Event | None:
        """Return the next event, None when the subscription is closed."""
        return await self._queue.get()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._queue.get()) is not None:
            yield event
            if isinstance(event, Refused):
                return

    async def close(self) -> None:
        """Unsubscribe."""
        await self._owner.drop(self)


class PubSub:
    """Use as an async context manager; it connects in the background and again whenever the connection is lost.

    `heartbeat_s`: reconnect when the cluster has announced no slot for so long. Leave it None where the clock
    may stand still (a localnet with a manual clock).
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        first_pause_s: float = 0.1,
        longest_pause_s: float = 5.0,
        heartbeat_s: float | None = None,
    ) -> None:
        if not urls:
            raise ValueError("PubSub needs at least one endpoint")
        self._urls = list(urls)
        self._pauses = (first_pause_s, longest_pause_s)
        self._heartbeat_s = heartbeat_s
        self._book = Book()
        self._subscriptions: dict[int, Subscription] = {}
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._restart = asyncio.Event()
        self._connected = asyncio.Event()
        self.connections = 0

    async def __aenter__(self) -> PubSub:
        if self._heartbeat_s is not None:
            self._book.add("slotSubscribe", ())  # nobody reads it: any message within the time will do
        self._task = asyncio.create_task(self._run(), name="pubsub")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stop(self._task)
        for subscription in self._subscriptions.values():
            subscription.end()

    async def connected(self) -> None:
        """Wait until a connection is open."""
        await self._connected.wait()

    def restart(self, reason: str) -> None:
        """Give up the current connection and make a new one."""
        _log.warning("pubsub: reconnecting: %s", reason)
        self._restart.set()

    # --- subscribing ----------------------------------------------------------------------------

    async def subscribe(self, method: str, params: Sequence[Any] = ()) -> Subscription:
        """Subscribe with the JSON-RPC form of the parameters; holds across reconnections."""
        key, frames = self._book.add(method, params)
        subscription = self._subscriptions[key] = Subscription(self, key)
        await self._send(frames)
        return subscription

    async def account(self, address: Pubkey, commitment: str = "confirmed") -> Subscription:
        """Subscribe to an account, data in base64."""
        return await self.subscribe(
            "accountSubscribe", [str(address), {"encoding": "base64", "commitment": commitment}]
        )

    async def program(
        self, program: Pubkey, filters: Sequence[dict[str, Any]] = (), commitment: str = "confirmed"
    ) -> Subscription:
        """Subscribe to the accounts of a program."""
        config = {"encoding": "base64", "commitment": commitment, "filters": list(filters)}
        return await self.subscribe("programSubscribe", [str(program), config])

    async def logs(self, mentions: Pubkey | None = None, commitment: str = "confirmed") -> Subscription:
        """Subscribe to the logs of transactions, all or those that mention an address."""
        wanted: Any = "all" if mentions is None else {"mentions": [str(mentions)]}
        return await self.subscribe("logsSubscribe", [wanted, {"commitment": commitment}])

    async def signature(self, signature: Signature, commitment: str = "confirmed") -> Subscription:
        """Subscribe to the end of one transaction; it has one notification."""
        return await self.subscribe("signatureSubscribe", [str(signature), {"commitment": commitment}])

    async def slots(self) -> Subscription:
        """Subscribe to slots."""
        return await self.subscribe("slotSubscribe")

    async def drop(self, subscription: Subscription) -> None:
        """Unsubscribe and let the reader finish."""
        self._subscriptions.pop(subscription.key, None)
        subscription.end()
        await self._send(self._book.remove(subscription.key))

    # --- the connection -------------------------------------------------------------------------

    async def _send(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            if self._socket is not None:
                with contextlib.suppress(WebSocketException, OSError):
                    await self._socket.send(frame.decode())

    async def _run(self) -> None:
        pause, longest = self._pauses
        attempt = 0
        while True:
            url = self._urls[attempt % len(self._urls)]
            attempt += 1
            try:
                async with connect(url, max_size=None, open_timeout=5, ping_interval=10, ping_timeout=10) as socket:
                    pause = self._pauses[0]
                    await self._serve(url, socket)
            except (WebSocketException, OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
                _log.info("pubsub: %s: %s", url, error)
            finally:
                self._socket = None
                self._connected.clear()
                self._book.closed()
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    async def _serve(self, url: str, socket: ClientConnection) -> None:
        self._socket = socket
        self.connections += 1
        self._restart.clear()
        await self._send(self._book.opened(url))
        self._connected.set()
        closing = asyncio.create_task(self._close_on_restart(socket))
        try:
            while True:
                async with asyncio.timeout(self._heartbeat_s):
                    text = await socket.recv()
                events, frames = self._book.received(text)
                for key, event in events:
                    subscription = self._subscriptions.get(key)
                    if subscription is not None:
                        subscription.put(event)
                await self._send(frames)
        finally:
            closing.cancel()

    async def _close_on_restart(self, socket: ClientConnection) -> None:
        await self._restart.wait()
        await socket.close()

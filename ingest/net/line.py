"""Lines that stay open: a long chunked HTTP response, and a WebSocket. Each opens, gives messages, and closes."""

from __future__ import annotations

import asyncio
import logging
import zlib
from typing import Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from ingest.events import FeedError
from ingest.net.fetch import CONNECT_S, MAX_REDIRECTS, Request, redirect
from ingest.net.network import Network
from ingest.net.plan import PING_MS, FeedPlan, Phase, Push
from ingest.net.secret import Secret
from ingest.net.split import MAX_MESSAGE_BYTES, Splitter


class LineError(Exception):
    """The line does not open or is gone. ``status`` is the HTTP status that refused it, 0 otherwise."""

    def __init__(self, note: str, status: int = 0, retry_after: str = "") -> None:
        super().__init__(note)
        self.status = status
        self.retry_after = retry_after


class Line(Protocol):
    """An open line."""

    async def receive(self) -> list[bytes] | None:
        """The next messages, perhaps none (bytes came, but no whole message); None: alive, and nothing to say.
        Raises LineError at the end."""
        ...

    async def close(self) -> None:
        """Hang up. Idempotent."""
        ...


class HttpLine:
    """One long response of JSON objects."""

    def __init__(self, response: httpx.Response, network: Network) -> None:
        self._response = response
        self._network = network
        self._chunks = response.aiter_raw()  # a chunk size would wait until so much has come
        self._splitter = Splitter()
        gzip = "gzip" in response.headers.get("content-encoding", "").lower()
        self._unpack = zlib.decompressobj(wbits=31) if gzip else None

    async def receive(self) -> list[bytes] | None:
        """See `Line`."""
        try:
            chunk = await anext(self._chunks)
            if self._unpack is not None:
                chunk = self._unpack.decompress(chunk, MAX_MESSAGE_BYTES)
                while self._unpack.unconsumed_tail and len(chunk) < 4 * MAX_MESSAGE_BYTES:
                    chunk += self._unpack.decompress(self._unpack.unconsumed_tail, MAX_MESSAGE_BYTES)
                if self._unpack.unconsumed_tail:
                    raise LineError("more came than can be read")
        except StopAsyncIteration:
            raise LineError("the provider ended the response") from None
        except (httpx.HTTPError, httpx.StreamError, OSError, zlib.error) as error:
            raise LineError(self._network.redactor.clean(f"{type(error).__name__}: {error}")[:200]) from None
        before = self._splitter.dropped
        messages = self._splitter.feed(chunk)
        self._network.counts["push_dropped"] += self._splitter.dropped - before
        return messages

    async def close(self) -> None:
        """See `Line`."""
        await self._response.aclose()


async def open_http(plan: FeedPlan, push: Push, network: Network, phase: Phase) -> Line:
    """Open the response, following the provider to its push host. Raises LineError, and FeedError for a refused
    token."""
    authoriser = network.authoriser(plan)
    await network.gate(plan).admit(plan.match_id, phase)
    sent = await _headers(network, plan)
    request = Request(push.address, {"Accept": "application/json"}, sent, authoriser.query)
    asked = request.build(network.client)
    # The read timeout is ours: a silent line is judged by its heartbeats.
    quiet = httpx.Timeout(None, connect=CONNECT_S, write=CONNECT_S, pool=CONNECT_S)
    for _ in range(MAX_REDIRECTS + 1):
        asked.extensions["timeout"] = quiet.as_dict()
        try:
            async with asyncio.timeout(push.silence_ms / 1000):
                response = await network.client.send(asked, stream=True, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise LineError(network.redactor.clean(f"{type(error).__name__}: {error}")[:200]) from None
        if response.status_code == 200:
            return HttpLine(response, network)
        await response.aclose()
        if response.is_redirect:
            target = redirect(asked.url, response.headers.get("location", ""), push.hosts)
            if target is None:
                raise LineError("the answer points to a host that is not the provider's")
            asked = request.build(network.client, target)
            continue
        network.counts[f"status_{response.status_code}"] += 1
        after = response.headers.get("retry-after", "")
        raise LineError(f"status {response.status_code}", response.status_code, after)
    raise LineError(f"more than {MAX_REDIRECTS} redirects")


class _Straight(connect):
    """A connection that follows no redirect: our key would go along."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Keep the refusal."""
        return exc


class SocketLine:
    """A WebSocket; text and binary frames alike are messages."""

    def __init__(self, socket: ClientConnection, network: Network, asks: bool) -> None:
        """``asks``: whether silence is answered with a ping, where the provider sends no heartbeats."""
        self._socket = socket
        self._network = network
        self._asks = asks

    async def receive(self) -> list[bytes] | None:
        """See `Line`."""
        try:
            async with asyncio.timeout(PING_MS / 1000 if self._asks else None):
                return [await self._socket.recv(decode=False)]
        except TimeoutError:
            await self._ask()
            return None
        except ConnectionClosed as error:
            raise LineError(self._network.redactor.clean(f"{error}")[:200]) from None

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(PING_MS / 1000):
                await (await self._socket.ping())
        except TimeoutError:
            raise LineError("no answer to a ping") from None
        except ConnectionClosed as error:
            raise LineError(self._network.redactor.clean(f"{error}")[:200]) from None

    async def close(self) -> None:
        """See `Line`."""
        await self._socket.close()


async def open_socket(plan: FeedPlan, push: Push, network: Network, phase: Phase) -> Line:
    """Open the socket and subscribe; redirects are not followed. Raises like `open_http`."""
    authoriser = network.authoriser(plan)
    await network.gate(plan).admit(plan.match_id, phase)
    sent = await _headers(network, plan)
    url = httpx.URL(push.address.reveal())
    for name, secret in authoriser.query.items():
        url = url.copy_set_param(name, secret.reveal())
    logger = logging.getLogger("ingest.net.socket")
    network.redactor.guard("ingest.net.socket")
    try:
        socket = await _Straight(
            str(url),
            additional_headers={name: secret.reveal() for name, secret in sent.items()},
            open_timeout=CONNECT_S,
            close_timeout=1,
            ping_interval=(push.beat_ms or PING_MS) / 1000,
            ping_timeout=push.silence_ms / 1000,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
            logger=logger,
            process_exception=lambda error: error,
        )
        if push.subscribe:
            await socket.send(push.subscribe)
    except InvalidStatus as error:
        status, after = error.response.status_code, error.response.headers.get("Retry-After", "")
        raise LineError(f"status {status}", status, after) from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ConnectionClosed, EOFError) as error:
        raise LineError(network.redactor.clean(f"{type(error).__name__}: {error}")[:200]) from None
    return SocketLine(socket, network, asks=not push.beat_ms)


async def _headers(network: Network, plan: FeedPlan) -> dict[str, Secret]:
    try:
        return await network.authoriser(plan).headers()
    except FeedError as error:
        if error.code != "token_unavailable":
            raise
        raise LineError(str(error)) from None

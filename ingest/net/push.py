"""A line that stays open: messages as they come, heartbeats watched, and the whole document behind it.

A push line has no memory: what was sent while it was down is gone, and a withdrawn event may never be told. So the
document is fetched when the line opens, after every break, and once in a while; the session compares it. A document
made before the last message would withdraw that message's event, so one is handed on only when the line was silent
for ``settle_ms`` before it was asked for and until it came, the opening of the line being a message as well; after
`SETTLE_TRIES` it is handed on with the messages of that time after it. Only the very first document, which can
withdraw nothing, is handed on as it comes, and again when it is settled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import orjson

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.backoff import Backoff, retry_after_ms
from ingest.net.fetch import Reply
from ingest.net.line import Line, LineError, open_http, open_socket
from ingest.net.network import Network
from ingest.net.plan import FeedPlan, Phase, Push, Transport
from ingest.net.poll import PollCore, Then, Verdict, refused

SETTLE_TRIES = 5
REMEMBERED_MS = 60_000
"""Messages are kept so long: longer than a document may take to come, with the quiet before it."""
QUEUED_ARRIVALS = 1_024
"""A consumer that is further behind than this holds the line back: the kernel's buffers fill, nothing is lost."""

Opener = Callable[[FeedPlan, Push, Network, Phase], Awaitable[Line]]


class Message:
    """What a message is. A provider's ``client.classify`` returns one of these."""

    FRAGMENT = "fragment"
    HEARTBEAT = "heartbeat"
    OTHER_MATCH = "other_match"  # an unfiltered line carries all of them
    UNKNOWN = "unknown"


Classify = Callable[[object, str], str]


@dataclass(slots=True)
class PushCore:
    """What messages mean, and whether a document may be believed. Times are the event loop's ms."""

    match_id: str
    classify: Classify
    settle_ms: int
    pushed_ms: int = -(10**15)
    recent: deque[tuple[int, bytes]] = field(default_factory=deque)

    def opened(self, now_ms: int) -> None:
        """A line is open: what happened just before may be in no document yet."""
        self.pushed_ms = now_ms

    def sort(self, messages: list[bytes], now_ms: int) -> tuple[bytes, dict[str, int]]:
        """The fragments among ``messages``, one a line, and how many there were of each class."""
        lines: list[bytes] = []
        counts: dict[str, int] = {}
        for message in messages:
            try:
                doc = orjson.loads(message)
            except orjson.JSONDecodeError:
                doc = None
            kind = self.classify(doc, self.match_id) if isinstance(doc, dict) else Message.UNKNOWN
            counts[kind] = counts.get(kind, 0) + 1
            if kind == Message.FRAGMENT:
                lines.append(orjson.dumps(doc) + b"\n")
        if lines:
            self.pushed_ms = now_ms
            self.recent.extend((now_ms, line) for line in lines)
            while self.recent[0][0] < now_ms - REMEMBERED_MS:
                self.recent.popleft()
        return b"".join(lines), counts

    def settled(self, asked_ms: int) -> bool:
        """Whether a document asked for at ``asked_ms``, here now, holds everything that was pushed."""
        return self.pushed_ms <= asked_ms - self.settle_ms

    def since(self, asked_ms: int) -> bytes:
        """The messages that such a document may lack."""
        return b"".join(line for at_ms, line in self.recent if at_ms > asked_ms - self.settle_ms)


class PushSource:
    """See `arrival.Source`. After LOST: reconnect, fetch the document, RESTORED."""

    def __init__(
        self,
        plan: FeedPlan,
        network: Network,
        classify: Classify,
        phase: Callable[[int], Phase | None] | None = None,
        opener: Opener | None = None,
    ) -> None:
        """``classify(message, match id)`` tells what a message is; ``opener`` is for another kind of line."""
        if plan.push is None or not plan.documents:
            raise FeedError("bad_plan", f"the plan of {plan.provider} has no line or no document to recover from")
        self.plan = plan
        self._push: Push = plan.push
        self._endpoint = plan.documents[0]
        self._network = network
        self._phase = phase or plan.span.phase
        self._open = opener or (open_socket if plan.transport is Transport.WEBSOCKET else open_http)
        self._core = PushCore(plan.match_id, classify, plan.push.settle_ms)
        self._poll = PollCore(self._endpoint, Backoff(network.child_rng()), 0)
        self._backoff = Backoff(network.child_rng())
        self._queue: asyncio.Queue[Arrival | FeedError | None] = asyncio.Queue(QUEUED_ARRIVALS)
        self._run: asyncio.Task[None] | None = None
        self._lost = False
        self._renewed = False
        self._checked_ms = -(10**15)

    def forget(self) -> None:
        """The last document was broken or doubted: ask for all of it next time, not whether it changed."""
        self._poll.forget()

    async def close(self) -> None:
        """Stop. Idempotent."""
        if self._run is not None and not self._run.done():
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        self._run = asyncio.get_running_loop().create_task(self._live())
        try:
            while (item := await self._queue.get()) is not None:
                if isinstance(item, FeedError):
                    raise item
                yield item
                del item
        finally:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)

    async def _live(self) -> None:
        """The life of the feed: one line after the other until it is over."""
        try:
            while (phase := self._phase(self._network.now_ms())) is not None:
                try:
                    await self._one_line(phase)
                    break
                except LineError as error:
                    await self._put(ArrivalKind.LOST, note=str(error))
                    least_ms = retry_after_ms(error.retry_after, self._network.now_ms())
                    await asyncio.sleep(max(self._backoff.next_ms(), least_ms) / 1000)
            await self._queue.put(None)
        except FeedError as error:
            await self._queue.put(error)

    async def _one_line(self, phase: Phase) -> None:
        """Open a line and stay on it. Returns when the match is over; raises LineError when the line is gone."""
        try:
            line = await self._open(self.plan, self._push, self._network, phase)
        except LineError as error:
            if error.status in (401, 403):
                await self._refused(error)
            raise
        self._renewed = False
        self._core.opened(self._network.monotonic_ms())
        reading = asyncio.get_running_loop().create_task(self._read(line))
        checking = asyncio.get_running_loop().create_task(self._check())
        try:
            await asyncio.wait((reading, checking), return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, checking):
                if task.done():
                    task.result()
        except LineError as error:
            await self._put(ArrivalKind.LOST, note=str(error))  # told before hanging up, which may take its time
            raise
        finally:
            reading.cancel()
            checking.cancel()
            await asyncio.gather(reading, checking, return_exceptions=True)
            await line.close()

    async def _refused(self, error: LineError) -> None:
        if self._renewed:
            raise refused(self.plan, "the push line", str(error)) from None
        self._renewed = True
        self._network.counts["token_renewed"] += 1
        await self._network.renew(self.plan, self._network.authoriser(self.plan).held())

    async def _read(self, line: Line) -> None:
        """Hand messages on. Raises LineError when the line ends or falls silent."""
        network = self._network
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(heard + self._push.silence_ms / 1000):
                    messages = await line.receive()
            except TimeoutError:
                network.counts["heartbeat_lost"] += 1
                raise LineError(f"no heartbeat for {self._push.silence_ms / 1000:g} s") from None
            if messages is None:
                heard = loop.time()
                await self._put(ArrivalKind.HEARTBEAT)
            if not messages:
                continue
            heard = loop.time()
            body, counts = self._core.sort(messages, network.monotonic_ms())
            for kind, count in counts.items():
                network.counts[f"push_{kind}"] += count
            if body:
                await self._put(ArrivalKind.FRAGMENTS, body)
            elif counts.keys() - {Message.UNKNOWN}:
                await self._put(ArrivalKind.HEARTBEAT)

    async def _check(self) -> None:
        """The document at once, and then once in a while. Returns when the match is over."""
        while (phase := self._phase(self._network.now_ms())) is not None:
            wait_ms = await self._document(phase)
            await asyncio.sleep(wait_ms / 1000)

    async def _document(self, phase: Phase) -> int:
        """Fetch the document and hand it on once it is settled; how long until the next one."""
        for attempt in range(1, SETTLE_TRIES + 1):
            if self._core.pushed_ms > self._checked_ms:
                self._poll.forget()  # an unchanged document would not tell that what was pushed is withdrawn
            asked_ms = self._network.monotonic_ms()
            verdict, body = await self._ask(phase)
            if verdict.kind is None:
                return verdict.wait_ms
            if verdict.kind is ArrivalKind.DOCUMENT and not self._core.settled(asked_ms) and attempt < SETTLE_TRIES:
                self._network.counts["document_unsettled"] += 1
                if self._checked_ms < 0:
                    self._checked_ms = asked_ms
                    await self._put(verdict.kind, body, verdict.note)
                self._poll.forget()
                del verdict, body  # many lines wait here at once after a provider's restart
                await asyncio.sleep(self._push.settle_ms / 1000)
                continue
            self._checked_ms = asked_ms
            await self._hand_on(verdict, body, asked_ms)
            break
        return self._push.audit_ms if phase is Phase.IN_PLAY else max(self._push.audit_ms, verdict.wait_ms)

    async def _ask(self, phase: Phase) -> tuple[Verdict, bytes]:
        """One answer of the document's address, and its body. Raises FeedError when it is refused for good."""
        network = self._network
        answer, sent = await network.get(self.plan, self._endpoint.address, self._poll.headers(), phase)
        verdict = self._poll.answered(answer, phase, network.monotonic_ms(), network.now_ms())
        if verdict.then is Then.STOP:
            raise refused(self.plan, self._endpoint.name, verdict.note)
        if verdict.then is Then.RENEW:
            network.counts["token_renewed"] += 1
            await network.renew(self.plan, sent)
        if verdict.kind is None and isinstance(answer, Reply):
            network.counts["document_refused"] += answer.status == 200
        body = answer.body if verdict.kind is ArrivalKind.DOCUMENT and isinstance(answer, Reply) else b""
        return verdict, body

    async def _hand_on(self, verdict: Verdict, body: bytes, asked_ms: int) -> None:
        assert verdict.kind is not None
        await self._put(verdict.kind, body, verdict.note)
        if verdict.kind is ArrivalKind.DOCUMENT and (missed := self._core.since(asked_ms)):
            await self._put(ArrivalKind.FRAGMENTS, missed, "told again: the document before may be older")
        self._backoff.reset()
        if self._lost:
            await self._put(ArrivalKind.RESTORED)

    async def _put(self, kind: ArrivalKind, body: bytes = b"", note: str = "") -> None:
        if kind is ArrivalKind.LOST:
            if self._lost:
                return
            self._lost = True
        elif kind is ArrivalKind.RESTORED:
            self._lost = False
        await self._queue.put(Arrival(self._network.now_ms(), kind, body, note))

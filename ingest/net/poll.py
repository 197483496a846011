"""Polling a whole document: what an answer means and when to ask again (`PollCore`, pure), and the loop around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.backoff import Backoff, retry_after_ms
from ingest.net.fetch import Failure, Reply
from ingest.net.network import Network
from ingest.net.plan import Endpoint, FeedPlan, Phase

STALE_PERIODS = 3
"""Without a good answer for so many periods the feed is lost, but not sooner than `STALE_LEAST_MS`."""
STALE_LEAST_MS = 5_000
MAX_VALIDATOR = 512


class Then(Enum):
    """What to do next."""

    WAIT = "wait"
    RENEW = "renew"  # renew the token, then ask again at once
    STOP = "stop"  # refused for good


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. ``kind`` is None for a failure; ``wait_ms`` is from now."""

    kind: ArrivalKind | None
    wait_ms: int
    then: Then = Then.WAIT
    note: str = ""


class PollCore:
    """Decides from answers and a clock. Times are the event loop's ms, except where ``unix`` is said.

    The schedule is a grid, so that slow answers do not shift it; slots that passed while a
    request was under way are dropped, never made up for, so that polls do not overlap or bunch.
    """

    def __init__(self, endpoint: Endpoint, backoff: Backoff, now_ms: int, shift: float = 0.0) -> None:
        """``shift`` moves the grid by that share of the period, so that many matches do not ask in one moment."""
        self.endpoint = endpoint
        self._backoff = backoff
        self._origin_ms = now_ms
        self._shift = shift
        self._good_ms = now_ms
        self._etag = ""
        self._modified = ""
        self._renewed = False
        self.lost = False

    def headers(self) -> dict[str, str]:
        """What makes the request conditional."""
        headers = {"Accept": ", ".join(self.endpoint.content_types)}
        if self._etag:
            headers["If-None-Match"] = self._etag
        if self._modified:
            headers["If-Modified-Since"] = self._modified
        return headers

    def forget(self) -> None:
        """Ask for the whole document next time: what came last was no use."""
        self._etag = self._modified = ""

    def stale_at(self, phase: Phase) -> int:
        """When the feed counts as lost unless a good answer comes before."""
        return self._good_ms + max(STALE_LEAST_MS, STALE_PERIODS * self.endpoint.cadence.of(phase))

    def answered(self, answer: Reply | Failure, phase: Phase, now_ms: int, unix_ms: int) -> Verdict:
        """What ``answer``, complete at ``now_ms``, means."""
        if isinstance(answer, Failure):
            return self._failed(f"{answer.trouble}: {answer.note}" if answer.note else answer.trouble, 0)
        if answer.status in (401, 403):
            return self._refused(answer.status)
        self._renewed = False
        if answer.status == 304:
            if not (self._etag or self._modified):
                return self._failed("unchanged (304) though nothing was known", 0)
            return self._good(ArrivalKind.UNCHANGED, phase, now_ms)
        if answer.status == 200:
            return self._document(answer, phase, now_ms)
        if answer.status == 204 or (answer.status in (404, 410) and phase is not Phase.IN_PLAY):
            # Providers make a match's document shortly before the kick-off.
            return self._good(ArrivalKind.HEARTBEAT, phase, now_ms, f"no document yet ({answer.status})")
        return self._failed(f"status {answer.status}", retry_after_ms(answer.headers.get("retry-after"), unix_ms))

    def _document(self, answer: Reply, phase: Phase, now_ms: int) -> Verdict:
        kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind and kind not in self.endpoint.content_types:
            return self._failed(f"content type {kind[:40]}", 0)
        if not answer.body:
            return self._failed("empty document", 0)
        etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        self._etag = etag if len(etag) <= MAX_VALIDATOR else ""
        self._modified = modified if len(modified) <= MAX_VALIDATOR else ""
        return self._good(ArrivalKind.DOCUMENT, phase, now_ms)

    def _good(self, kind: ArrivalKind, phase: Phase, now_ms: int, note: str = "") -> Verdict:
        self._backoff.reset()
        self._good_ms = now_ms
        return Verdict(kind, self._slot_ms(phase, now_ms), note=note)

    def _slot_ms(self, phase: Phase, now_ms: int) -> int:
        period = self.endpoint.cadence.of(phase)
        return period - (now_ms - self._origin_ms - int(self._shift * period)) % period

    def _failed(self, note: str, least_ms: int) -> Verdict:
        return Verdict(None, max(self._backoff.next_ms(), least_ms), note=note)

    def _refused(self, status: int) -> Verdict:
        if self._renewed:
            return Verdict(None, 0, Then.STOP, f"status {status}")
        self._renewed = True
        return Verdict(None, 0, Then.RENEW, f"status {status}")


def refused(plan: FeedPlan, what: str, note: str) -> FeedError:
    """The end of a feed whose credentials do not count."""
    return FeedError(
        "credentials_refused",
        f"{plan.provider} refuses {what} ({note}) with a new token too: check the credentials and what they are for",
    )


class PollSource:
    """One document, polled. See `arrival.Source`; ends when the plan's time is over."""

    def __init__(
        self,
        plan: FeedPlan,
        endpoint: Endpoint,
        network: Network,
        phase: Callable[[int], Phase | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``phase`` (Unix ms -> phase, None when over) overrides the plan's, for who knows better than the calendar.
        ``headers`` go along with every request and hold no secret."""
        self.plan = plan
        self.endpoint = endpoint
        self._network = network
        self._phase = phase or plan.span.phase
        self._headers = dict(headers or {})
        self._closed = asyncio.Event()
        self._core: PollCore | None = None

    def forget(self) -> None:
        """The last document was broken or doubted: ask for all of it next time, not whether it changed."""
        if self._core is not None:
            self._core.forget()

    async def close(self) -> None:
        """Stop. Idempotent."""
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        network = self._network
        core = PollCore(self.endpoint, Backoff(network.child_rng()), network.monotonic_ms(), network.shift())
        self._core = core
        while not self._closed.is_set():
            phase = self._phase(network.now_ms())
            if phase is None:
                return
            if not self.endpoint.cadence.of(phase):
                await self._sleep(1_000)
                continue
            async for arrival in self._round(core, phase):
                yield arrival
                del arrival  # it may hold a document: with many matches that adds up

    async def _round(self, core: PollCore, phase: Phase) -> AsyncIterator[Arrival]:
        """One request, what it brings, and the wait after it."""
        request = asyncio.get_running_loop().create_task(self._ask(core, phase))
        try:
            while not await self._done(request, None if core.lost else core.stale_at(phase)):
                if self._closed.is_set():
                    return
                yield self._lost(core, "no answer, or no request left in the budget")
            verdict, body = request.result()
        finally:
            if not request.done():
                request.cancel()
                await asyncio.gather(request, return_exceptions=True)
        del request
        if verdict.kind is not None:
            at_ms = self._network.now_ms()
            yield Arrival(at_ms, verdict.kind, body, verdict.note)
            body = b""
            if core.lost:
                core.lost = False
                yield Arrival(at_ms, ArrivalKind.RESTORED)
        elif not core.lost and self._network.monotonic_ms() >= core.stale_at(phase):
            yield self._lost(core, verdict.note)
        async for lost in self._pause(core, phase, verdict):
            yield lost

    async def _ask(self, core: PollCore, phase: Phase) -> tuple[Verdict, bytes]:
        """What one request brings. Raises FeedError when it is refused for good."""
        network = self._network
        headers = core.headers() | self._headers
        answer, sent = await network.get(self.plan, self.endpoint.address, headers, phase)
        verdict = core.answered(answer, phase, network.monotonic_ms(), network.now_ms())
        if verdict.then is Then.STOP:
            raise refused(self.plan, self.endpoint.name, verdict.note)
        if verdict.then is Then.RENEW:
            network.counts["token_renewed"] += 1
            await network.renew(self.plan, sent)
        if verdict.kind is None and isinstance(answer, Reply):
            network.counts["document_refused"] += answer.status == 200
        return verdict, answer.body if verdict.kind is ArrivalKind.DOCUMENT and isinstance(answer, Reply) else b""

    def _lost(self, core: PollCore, note: str) -> Arrival:
        core.lost = True
        return Arrival(self._network.now_ms(), ArrivalKind.LOST, note=f"{self.endpoint.name}: {note}")

    async def _pause(self, core: PollCore, phase: Phase, verdict: Verdict) -> AsyncIterator[Arrival]:
        """Wait as told; say so when the feed goes stale meanwhile."""
        wait_ms = verdict.wait_ms
        if verdict.kind is None and not core.lost:
            until_stale = core.stale_at(phase) - self._network.monotonic_ms()
            if until_stale < wait_ms:
                await self._sleep(until_stale)
                if not self._closed.is_set():
                    yield self._lost(core, verdict.note)
                wait_ms -= max(0, until_stale)
        await self._sleep(wait_ms)

    async def _sleep(self, wait_ms: int) -> None:
        """Sleep, but not past `close`."""
        if wait_ms > 0:
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self._closed.wait()
            except TimeoutError:
                return
        else:
            await asyncio.sleep(0)

    async def _done(self, request: asyncio.Task[object], deadline_ms: int | None) -> bool:
        """Whether the request ended; False at the deadline and when closed."""
        left = None if deadline_ms is None else max(0, deadline_ms - self._network.monotonic_ms()) / 1000
        closing = asyncio.get_running_loop().create_task(self._closed.wait())
        try:
            done, _ = await asyncio.wait((request, closing), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
        return request in done

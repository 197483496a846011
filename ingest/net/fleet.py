"""Many sources at once: the documents of one match as one source, and all matches of a process as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind, Source
from ingest.net.network import Network
from ingest.net.plan import FeedPlan, Phase, Transport
from ingest.net.poll import PollSource
from ingest.net.push import Classify, PushSource

QUEUED = 64
"""A consumer further behind than so many arrivals holds the sources back."""


class MatchSource:
    """All documents of a polled match. What is not vital adds arrivals, but its loss is no loss of the feed."""

    def __init__(self, plan: FeedPlan, network: Network, phase: Callable[[int], Phase | None] | None = None) -> None:
        if not any(endpoint.vital for endpoint in plan.documents):
            raise FeedError("bad_plan", f"the plan of {plan.provider} polls nothing that carries events")
        self.plan = plan
        self._network = network
        self._sources = [PollSource(plan, endpoint, network, phase) for endpoint in plan.documents]

    def forget(self) -> None:
        """The last document was broken or doubted: ask for all of them whole next time."""
        for source in self._sources:
            source.forget()

    async def close(self) -> None:
        """Stop. Idempotent."""
        for source in self._sources:
            await source.close()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        vital = {id(source): source.endpoint.vital for source in self._sources}
        async for source, item in _merged(self._sources):
            if isinstance(item, FeedError):
                if vital[id(source)]:
                    raise item
                self._network.counts["extra_document_refused"] += 1
            elif vital[id(source)] or item.kind is ArrivalKind.DOCUMENT:
                yield item


def open_source(
    plan: FeedPlan,
    network: Network,
    classify: Classify | None = None,
    phase: Callable[[int], Phase | None] | None = None,
) -> MatchSource | PushSource:
    """The source of a plan that comes over the network. Raises FeedError for a plan that does not."""
    if plan.transport is Transport.POLL:
        return MatchSource(plan, network, phase)
    if plan.transport in (Transport.STREAM, Transport.WEBSOCKET) and classify is not None:
        return PushSource(plan, network, classify, phase)
    raise FeedError("bad_plan", f"a {plan.transport} feed of {plan.provider} is not opened by its plan alone")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every match of a process. One failing for good (``error``) leaves the others alone."""

    sources: dict[str, Source]

    async def arrivals(self) -> AsyncIterator[tuple[str, Arrival | FeedError]]:
        """Arrivals of all matches, each match's in order; a FeedError is the last of its match."""
        names = {id(source): name for name, source in self.sources.items()}
        async for source, item in _merged(list(self.sources.values())):
            yield names[id(source)], item

    async def close(self) -> None:
        """Stop them all."""
        await asyncio.gather(*(source.close() for source in self.sources.values()))


_Item = tuple[Source, Arrival | FeedError | None]


async def _pour(source: Source, queue: asyncio.Queue[_Item]) -> None:
    """Any end puts a last item, so that a merge never waits for a source that is gone."""
    try:
        async for arrival in source:
            await queue.put((source, arrival))
            del arrival  # it may hold a document, and the next one may be long in coming
        await queue.put((source, None))
    except FeedError as error:
        await queue.put((source, error))
    except Exception as error:  # our own mistake in one feed must not silence the others
        await queue.put(
            (source, FeedError("source_failed", f"a feed's source failed ({type(error).__name__}): report it"))
        )


async def _merged(sources: Sequence[Source]) -> AsyncIterator[tuple[Source, Arrival | FeedError]]:
    """Arrivals of all ``sources`` until each has ended or failed."""
    queue: asyncio.Queue[_Item] = asyncio.Queue(QUEUED)
    tasks = [asyncio.get_running_loop().create_task(_pour(source, queue)) for source in sources]
    left = len(tasks)
    try:
        while left:
            source, item = await queue.get()
            left -= not isinstance(item, Arrival)
            if item is not None:
                yield source, item
            del item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

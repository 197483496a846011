"""Writes what the keeper knows into the database, in order, without holding up the next sample."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backend.feedstore import Batch, FeedStore, LiveTick, Revision, Score
from chain.tasks import stop
from ingest.timeline import Applied
from oracle.core import Revised, Sample


class Recorder:
    """Collects changes until the next sample, then hands both to a writer task. Nothing is dropped."""

    def __init__(self, store: FeedStore, match_id: str) -> None:
        self._store = store
        self._match_id = match_id
        self._changes: list[Applied] = []
        self._queue: asyncio.Queue[Batch] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def note(self, applied: tuple[Applied, ...]) -> None:
        """Events that became known."""
        self._changes += applied

    def sample(self, sample: Sample, revised: Revised | None, score: Score) -> None:
        """A sample was computed: queue it with everything that became known before it."""
        revisions: tuple[Revision, ...] = ()
        if revised is not None:
            reason = f"{revised.count} published seconds would differ with what is known now"
            revisions = (Revision(revised.revised_tick, revised.old_e6, revised.new_e6, reason),)
        tick = LiveTick(
            tick=sample.tick,
            period=sample.period,
            second=sample.second,
            data_ms=sample.data_ms,
            play_ms=score.play_ms,
            x_e6=sample.x_e6,
            mu_e6=sample.mu_e6,
            s_e4=sample.s_e4,
            conf_e4=sample.conf_e4,
        )
        self._put(Batch(sample.data_ms, tuple(self._changes), revisions, score, (tick,)))
        self._changes = []

    def final(self, data_ms: int, score: Score) -> None:
        """The match is over."""
        self._put(Batch(data_ms, tuple(self._changes), (), score))
        self._changes = []

    def _put(self, batch: Batch) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._write())
        if self._task.done():
            self._task.result()
        self._queue.put_nowait(batch)

    async def flush(self) -> None:
        """Return when everything queued is in the database; raises what the writer raised."""
        if self._task is None:
            return
        waiter = asyncio.create_task(self._queue.join())
        await asyncio.wait({waiter, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            waiter.cancel()
            self._task.result()

    async def close(self) -> None:
        """Stop the writer."""
        await stop(self._task)

    async def _write(self) -> None:
        while True:
            batches = [await self._queue.get()]
            while not self._queue.empty():  # a slow database gets fewer, larger writes instead of a growing lag
                batches.append(self._queue.get_nowait())
            await self._store.write(self._match_id, merged(batches))
            for _ in batches:
                self._queue.task_done()


def merged(batches: Sequence[Batch]) -> Batch:
    """Several batches as one: everything in order, the newest score and time."""
    scores = [batch.score for batch in batches if batch.score is not None]
    return Batch(
        data_ms=batches[-1].data_ms,
        changes=[change for batch in batches for change in batch.changes],
        revisions=[revision for batch in batches for revision in batch.revisions],
        score=scores[-1] if scores else None,
        ticks=[tick for batch in batches for tick in batch.ticks],
    )

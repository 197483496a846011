"""Writes what the keeper receives and publishes, as it happens, without holding up the next sample."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from backend.history.meter import Meter
from backend.history.quality import MINUTE_MS, FeedQuality, QualityStore, feed_quality
from backend.history.store import HistoryStore, Rows
from chain.tasks import stop
from ingest.feed import FeedHeader, feed_digest, genesis
from ingest.history.journal import Journal
from ingest.history.model import Match, Revision, Sample
from oracle import core
from oracle.core import Received, Revised

MEASURE_EVERY_MS = 5_000
"""Quality is measured so often, in data time, and kept once a minute."""
PAUSE_S = 0.5
"""Rows are collected for so long: a transaction costs the same for one row as for hundreds."""


class HistoryRecorder:
    """Collects rows and hands them to a writer task: everything of one write becomes visible together.

    A process that is killed leaves a beginning of the match, whole up to some message, never a part of one.
    """

    def __init__(
        self, store: HistoryStore, header: FeedHeader, quality: QualityStore | None = None, meter: Meter | None = None
    ) -> None:
        """With ``quality`` and ``meter``, how good the feed is is written, too."""
        self._store = store
        self._start_unix_ms = header.start_unix_ms
        self._quality, self._meter = quality, meter
        self._measured: dict[tuple[str, int], FeedQuality] = {}
        self._measure_ms = 0
        self._journal = Journal(header)
        self._digest = genesis(header.line)
        self._rows = Rows()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.written = 0
        self.writes = 0

    @property
    def match(self) -> Match:
        """The match that is recorded."""
        return self._journal.match

    async def start(self) -> None:
        """Make the match known. Raises UserError ``other_recording``."""
        await self._store.pin(self._journal.match)
        self._task = asyncio.create_task(self._run())

    def received(self, received: Received) -> None:
        """A message came, or time passed and changed a fused feed."""
        if received.message is None:
            entry = self._journal.passed(received.at_ms, received.changes)
        else:
            entry = self._journal.message(received.message, received.changes)
            self._digest = feed_digest(self._digest, received.message.line)
        if entry.line is not None:
            self._rows.lines.append(entry.line)
        if entry.fragment is not None:
            self._rows.fragments.append(entry.fragment)
        if self._meter is not None:
            self._meter.received(received)
        self._rows.records += entry.records
        self._rows.corrections += entry.corrections
        self._kick()

    def sample(self, sample: core.Sample, revised: Revised | None) -> None:
        """A sample was published, and what it says of the past."""
        self._rows.samples.append(sample_row(self.match.match_id, sample, self._journal.lines))
        if revised is not None:
            self._rows.revisions.append(revision_row(self.match.match_id, revised))
        if self._meter is not None and sample.data_ms >= self._measure_ms:
            self._measure_ms = sample.data_ms + MEASURE_EVERY_MS
            self._measure(self._meter, sample.data_ms)
        self._kick()

    def _measure(self, meter: Meter, data_ms: int) -> None:
        for provider, snapshot in meter.snapshots(data_ms).items():
            at_ms = self._start_unix_ms + data_ms
            found = replace(feed_quality(self.match.match_id, provider, snapshot), at_ms=at_ms)
            self._measured[provider, at_ms // MINUTE_MS] = found

    async def flush(self) -> None:
        """Return when everything is in the database; raises what the writer raised."""
        assert self._task is not None
        self._hurry.set()
        waiter = asyncio.create_task(self._idle.wait())
        await asyncio.wait({waiter, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Stop the writer; what was not flushed is given up."""
        await stop(self._task)

    def _kick(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()  # the writer failed: say so here instead of collecting for ever
        self._idle.clear()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), PAUSE_S)
            self._hurry.clear()
            self._wake.clear()
            rows, self._rows = self._rows, Rows()
            tails = {self.match.match_id: self._digest} if rows.lines else None
            await self._store.write(rows, (), tails)
            if self._quality is not None and self._measured:
                measured, self._measured = self._measured, {}
                await self._quality.write(list(measured.values()))
            self.written += len(rows)
            self.writes += 1
            if not self._wake.is_set():
                self._idle.set()


def sample_row(match_id: str, sample: core.Sample, lines: int) -> Sample:
    """The keeper's sample as history keeps it."""
    return Sample(
        match_id,
        sample.tick,
        sample.period,
        sample.second,
        sample.data_ms,
        sample.x_e6,
        sample.box_e6,
        sample.mu_e6,
        sample.s_e4,
        sample.conf_e4,
        sample.flags,
        sample.reason,
        sample.inputs,
        sample.inputs_hash,
        lines,
    )


def revision_row(match_id: str, revised: Revised) -> Revision:
    """What the keeper saw of the published past, as history keeps it."""
    return Revision(
        match_id,
        revised.tick,
        revised.revised_tick,
        revised.period,
        revised.second,
        revised.old_e6,
        revised.new_e6,
        revised.count,
    )

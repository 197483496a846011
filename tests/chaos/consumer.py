"""An idempotent consumer of the bus: its effects and what it has seen are stored in one step, as in a database."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ingest.bus import Bus
from ingest.bus.seen import Seen
from ingest.record import Record, decode
from ingest.service import EVENTS
from ingest.timeline import Timeline
from tests.chaos.process import Crashes, Killed

GROUP = "index"


@dataclass(slots=True)
class Store:
    """The consumers' database: every record that counted, by match, in the order in which it did."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    dropped: int = 0

    def commit(self, batch: list[Record]) -> None:
        """Store a batch's effects. Raises AssertionError for a record out of its order: that is what is proved."""
        for record in batch:
            if not self.seen.fresh(record.match_id, record.seq):
                self.dropped += 1
                continue
            self.seen.done(record.match_id, record.seq)
            rows = self.records.setdefault(record.match_id, [])
            expected = len(rows) + 1
            assert record.seq == expected, f"match {record.match_id}: record {record.seq} came where {expected} belongs"
            rows.append(record)

    def timeline(self, match_id: str) -> Timeline:
        """The match as the consumers know it."""
        timeline = Timeline()
        timeline.apply(record.change for record in self.records.get(match_id, ()))
        return timeline


async def consume(bus: Bus, name: str, store: Store, crashes: Crashes, rng: random.Random) -> None:
    """Read until killed: store, then acknowledge. It dies before, between and after, and at times it fails."""
    subscription = bus.consume(EVENTS, GROUP, name)
    await subscription.__aenter__()  # and no exit: a process that is killed does not say goodbye
    async for batch in subscription:
        first_time = batch[0].attempt == 1  # what kills each of its consumers becomes a dead letter: not meant here
        if first_time and crashes.here("consumer died with a batch in hand"):
            raise Killed
        done = len(batch)
        if first_time and crashes.here("consumer failed in a batch"):
            done = rng.randrange(len(batch))
        store.commit([decode(message.value) for message in batch[:done]])
        if first_time and crashes.here("consumer died before its acknowledgement"):
            raise Killed
        if done < len(batch):
            await subscription.fail(batch[done], "the simulation says so")
        else:
            subscription.ack(batch[-1])

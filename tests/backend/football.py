"""A few things that happen in a match, for the feed store."""

from __future__ import annotations

from backend.db.pool import Database
from backend.feedstore import Batch, FeedStore, LiveTick, Revision, Score
from ingest.events import Event, Kind, MatchInfo, Side, Team
from ingest.timeline import Applied

KICKOFF_MS = 1_700_000_000_000
INFO = MatchInfo("statsperform", "m1", Team("1", "Home", "HOM"), Team("2", "Away", "AWY"), KICKOFF_MS, "Cup")


def shot(number: int, version: int = 1, **fields: object) -> Event:
    """A shot in second `number`."""
    return Event(f"e{number}", version, 1, number * 1000, Kind.SHOT, Side.HOME, x=90.0, y=50.0, **fields)  # type: ignore[arg-type]


def live(tick: int, x_e6: int = 50_000_000) -> LiveTick:
    """A live tick."""
    return LiveTick(tick, 1, tick, tick * 1000, tick * 1000, x_e6, x_e6, 0, 10)


async def filled(database: Database, ticks: int = 30) -> FeedStore:
    """A match with ticks, events, revisions and a score."""
    store = FeedStore(database)
    await store.match(INFO, KICKOFF_MS)
    changes = [Applied(None, shot(n, xg_e6=120_000)) for n in range(1, 6)]
    revisions = [Revision(n, 50_000_000, 49_500_000, "late edit", "e1") for n in range(1, 4)]
    await store.write(
        "m1", Batch(9_000, changes, revisions, Score(1, 0, 1, 9_000), [live(n) for n in range(1, ticks + 1)])
    )
    return store

"""What the keeper hands over as a match runs is what its feed gives afterwards, fused feeds and failures included."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from backend.db.pool import Database
from backend.errors import UserError
from backend.history import replay as core
from backend.history.meter import meter_of
from backend.history.quality import QualityStore, newest
from backend.history.recorder import HistoryRecorder
from backend.history.replay import Due, build
from backend.history.store import HistoryStore, Rows
from ingest.feed import FeedHeader, FeedMessage
from ingest.fusion.journal import FUSED
from ingest.history.journal import NO_RAW
from momentum.state import Reason
from oracle.aggregate import FLAG_SUSPENDED
from oracle.core import KeeperCore
from tests.backend.played import feed
from tests.ingest.fusion_world import PRIMARY, SIBLING, Outage, Sibling, load, world


async def keep(
    database: Database, header: FeedHeader, messages: list[FeedMessage], samples: int
) -> tuple[HistoryRecorder, list[Due]]:
    """A keeper's loop with its recorder."""
    store = HistoryStore(database)
    keeper = KeeperCore(header)
    recorder = HistoryRecorder(store, header, QualityStore(database, store), meter_of(keeper, header))
    await recorder.start()
    due: list[Due] = []
    at = 0
    while len(due) < samples:
        due_ms = keeper.due_ms()
        if due_ms is None or messages[at].at_ms <= due_ms:
            recorder.received(keeper.receive(messages[at]))
            at += 1
            continue
        if (passed := keeper.advance(due_ms)).applied:
            recorder.received(passed)
        known = len(keeper.revisions)
        sample = keeper.sample(due_ms)
        recorder.sample(sample, keeper.revisions[-1] if len(keeper.revisions) > known else None)
        due.append(Due(due_ms, at))
        if len(due) % 100 == 0:
            await recorder.flush()
    for message in messages[at:]:
        recorder.received(keeper.receive(message))
    await recorder.flush()
    await recorder.close()
    return recorder, due


async def test_a_plain_feed_is_recorded_as_its_file_gives_it(database: Database) -> None:
    header, messages = feed()
    recorder, due = await keep(database, header, messages, 250)
    history = await HistoryStore(database).read(header.match_id)
    assert history == build(header, messages, due)
    assert recorder.writes >= 3
    assert recorder.written == len(Rows.of(history))
    digest = await database.row("SELECT digest, lines FROM history.matches")
    assert digest == {"digest": history.digest(), "lines": len(messages)}


async def test_a_fused_feed_that_switches_in_silence_is_replayed_bit_for_bit(database: Database) -> None:
    both = world(load("statsperform"), 3, Sibling())
    messages = [m for m in both.messages([Outage(PRIMARY, 200_600, 420_000)]) if m.at_ms < 500_000]
    header = both.header()
    assert header.provider == FUSED
    await keep(database, header, messages, 300)
    history = await HistoryStore(database).read(header.match_id)
    assert any(record.raw == NO_RAW for record in history.records), "time alone made the feed switch"
    again, verdict = core.replay(history)
    assert str(verdict) == "300 samples, 0 differ"
    assert again == history
    assert history.feed() == header.line + b"".join(message.line for message in messages)
    held = replace(history.samples[9], flags=history.samples[9].flags | FLAG_SUSPENDED, reason=int(Reason.FEED_LOSS))
    claimed = replace(history, samples=(*history.samples[:9], held, *history.samples[10:]))
    assert not history.samples[9].reason
    assert {found.what for found in core.replay(claimed)[1].first} == {"flags", "reason"}, "the file tells of no loss"
    assert len(history.fragments) < len(history.lines) / 1.5, "a sign that comes every second is kept once"
    async with database.connection() as connection:
        assert {row["provider"] for row in await newest(connection)} == {PRIMARY, SIBLING}


async def test_a_writer_that_fails_is_heard_of_and_leaves_a_whole_beginning(database: Database) -> None:
    header, messages = feed()
    store = HistoryStore(database)
    keeper = KeeperCore(header)
    recorder = HistoryRecorder(store, header)
    await recorder.start()
    for message in messages[:40]:
        recorder.received(keeper.receive(message))
    await recorder.flush()
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE history.records ADD CHECK (seq < 41)")
    for message in messages[40:60]:
        recorder.received(keeper.receive(message))
    with pytest.raises(psycopg.errors.CheckViolation):
        await recorder.flush()
    with pytest.raises(psycopg.errors.CheckViolation):
        recorder.received(keeper.receive(messages[60]))
    with pytest.raises(psycopg.errors.CheckViolation):
        await recorder.close()
    history = await HistoryStore(database).read(header.match_id)
    assert len(history.lines) == 40
    assert history == build(header, messages[:40], [])


async def test_two_keepers_of_one_match_with_other_feeds_do_not_mix(database: Database) -> None:
    await HistoryRecorder(HistoryStore(database), feed()[0]).start()
    with pytest.raises(UserError) as refusal:
        await HistoryRecorder(HistoryStore(database), feed(seed=8)[0]).start()
    assert refusal.value.code == "other_recording"

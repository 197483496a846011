"""Recordings and delivered files as live feeds."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import orjson
import pytest

from ingest.events import FeedError, Upsert
from ingest.feed import FeedHeader, FeedMessage, write_feed
from ingest.feeds import adapter, default_match_paths
from ingest.net.arrival import ArrivalKind
from ingest.net.files import FolderSource
from ingest.net.network import Network
from ingest.net.plan import Span
from ingest.net.replay import ReplaySource
from ingest.session import Outcome, Session
from tests.ingest import virtualtime
from tests.ingest.netkit import KICKOFF_MS, Script, collect, kinds, ok, plan_of


def test_a_recorded_match_replayed_is_the_match(tmp_path: Path) -> None:
    source = adapter("statsperform")
    header, messages = source.replay(default_match_paths(), seed=3)
    write_feed(tmp_path / "feed.jsonl", header, messages)

    async def main() -> tuple[Session, int]:
        replay = ReplaySource.open(tmp_path / "feed.jsonl", virtualtime.now_ms)
        session = Session(source, header.match_id, source.info(replay.header.info))
        first = 0
        async for arrival in replay:
            for line in arrival.body.splitlines():
                first = first or arrival.at_ms
                session.fragment(orjson.loads(line), arrival.at_ms)
        return session, first

    session, first = virtualtime.run(main())
    final = {
        change.event.event_id: change.event
        for message in messages
        for change in source.parse(source.info(header.info), message.doc)
        if isinstance(change, Upsert)
    }
    assert len(session.timeline) > 1_600
    assert {event.event_id for event in session.timeline.events()} <= set(final)
    assert session.counts[Outcome.BROKEN] == 0
    assert first == KICKOFF_MS + messages[0].at_ms


def made(*times: int) -> tuple[FeedHeader, list[FeedMessage]]:
    return FeedHeader.make("test", "m", 0, 0, {}), [FeedMessage.make(t, {"id": n}) for n, t in enumerate(times)]


@pytest.mark.parametrize(("speed", "expected"), [(1, [1_000, 2_000, 16_000]), (10, [100, 200, 1_600]), (0, [0, 0, 0])])
def test_time_runs_as_fast_as_wanted(speed: float, expected: list[int]) -> None:
    async def main() -> None:
        arrivals = await collect(ReplaySource(*made(1_000, 2_000, 2_000, 16_000), virtualtime.now_ms, speed))
        fragments = [a for a in arrivals if a.kind is ArrivalKind.FRAGMENTS]
        assert [a.at_ms - KICKOFF_MS for a in fragments] == pytest.approx(expected, abs=1)
        assert fragments[1].body == b'{"id":1}\n{"id":2}\n'
        assert kinds(arrivals).count("heartbeat") == (2 if speed else 0)

    virtualtime.run(main())


def test_a_replay_starts_in_the_middle_with_what_was_before_at_once() -> None:
    async def main() -> None:
        arrivals = await collect(ReplaySource(*made(1_000, 2_000, 60_000), virtualtime.now_ms, 1, from_ms=59_000))
        assert [a.at_ms - KICKOFF_MS for a in arrivals] == pytest.approx([0, 0, 1_000], abs=1)

    virtualtime.run(main())


def test_closing_a_replay_ends_it() -> None:
    async def main() -> None:
        source = ReplaySource(*made(1_000, 10_000_000), virtualtime.now_ms)
        asyncio.get_running_loop().call_later(3, lambda: asyncio.ensure_future(source.close()))
        assert len(await collect(source)) == 1
        assert asyncio.get_running_loop().time() == pytest.approx(3)

    virtualtime.run(main())


def test_a_replay_that_cannot_be_is_refused(tmp_path: Path) -> None:
    header, messages = made(5, 3)
    write_feed(tmp_path / "f", header, messages)
    with pytest.raises(FeedError, match="not in order"):
        ReplaySource.open(tmp_path / "f", lambda: 0)
    with pytest.raises(FeedError, match="speed"):
        ReplaySource(header, messages, lambda: 0, -1)


def test_a_document_like_the_last_one_withdraws_what_was_pushed_in_between() -> None:
    source = adapter("statsperform")
    document = orjson.loads(default_match_paths()[1].read_bytes())
    body = orjson.dumps(document)
    session = Session(source, document["matchInfo"]["id"])
    session.document(body, 1)
    before = len(session.timeline)
    extra = {**document["liveData"]["event"][50], "id": 999, "eventId": 999}
    assert session.fragment(extra, 2).outcome is Outcome.CHANGED
    assert len(session.timeline) == before + 1
    assert session.document(body, 3).outcome is Outcome.CHANGED
    assert len(session.timeline) == before


async def test_a_delivered_file_is_read_once_it_stands_still(tmp_path: Path) -> None:
    delivered = tmp_path / "in"
    delivered.mkdir()
    outside = tmp_path / "outside.xml"
    outside.write_bytes(b"<secret/>")
    clock = [KICKOFF_MS]
    plan = plan_of(span=Span(KICKOFF_MS, play_ms=60_000, after_ms=0))
    async with Network(lambda: clock[0], random.Random(1), Script(ok())) as net:
        source = FolderSource(plan, delivered, ("f24-*.xml",), net, poll_ms=5)
        bodies: list[bytes] = []

        async def read() -> None:
            async for arrival in source:
                bodies.append(arrival.body)

        task = asyncio.ensure_future(read())
        (delivered / "other.xml").write_bytes(b"<x/>")
        os.symlink(outside, delivered / "f24-link.xml")
        with (delivered / "f24-1.xml").open("wb") as file:
            for number in range(6):
                file.write(b"%d" % number)
                file.flush()
                await asyncio.sleep(0.004)
        await asyncio.sleep(0.1)
        (delivered / "f24-1.xml").write_bytes(b"corrected")
        await asyncio.sleep(0.1)
        source.forget()
        await asyncio.sleep(0.1)
        clock[0] += 100_000
        await asyncio.wait_for(task, 2)
        assert bodies[-3:] == [b"012345", b"corrected", b"corrected"]
        assert b"<secret/>" not in bodies
        with pytest.raises(FeedError, match="no folder"):
            FolderSource(plan, tmp_path / "none", ("*",), net)


async def test_a_folder_that_goes_away_is_a_loss_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    async with Network(lambda: KICKOFF_MS, random.Random(1), Script(ok())) as net:
        source = FolderSource(plan_of(), folder, ("*",), net, poll_ms=5)
        folder.rmdir()
        asyncio.get_running_loop().call_later(0.1, folder.mkdir)
        assert kinds(await collect(source, 2, count=2)) == ["lost", "restored"]

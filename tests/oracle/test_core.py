"""The keeper's core on a real match: every second has its sample, and the feed file says why."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from ingest.feed import FeedHeader, FeedMessage, write_feed
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import TIDY, ReplayOptions, replay
from momentum.methodology import SPEC_DECAY
from momentum.verify import Published, verify
from oracle.core import FLAG_PERIOD_END, FLAG_REVISED, FLAG_SUSPENDED, KeeperCore, Sample

SOURCE = adapter("statsperform")


def play(header: FeedHeader, messages: list[FeedMessage]) -> tuple[KeeperCore, list[Sample], int]:
    core, samples, at = KeeperCore(header), [], 0
    while not core.finished:
        due = core.due_ms()
        if due is None or (at < len(messages) and messages[at].at_ms <= due):
            core.receive(messages[at])
            at += 1
            continue
        samples.append(core.sample(due))
    return core, samples, at


@pytest.fixture(scope="module")
def recorded():
    return SOURCE.load(default_match_paths())


@pytest.fixture(scope="module")
def untidy(recorded):
    header, messages = replay(SOURCE, recorded, 7, ReplayOptions())
    return header, messages, *play(header, messages)


def test_every_second_of_play_has_one_sample_and_ticks_count_them(untidy) -> None:
    _, _, core, samples, _ = untidy
    assert [s.tick for s in samples] == list(range(1, len(samples) + 1))
    halves = [[s.second for s in samples if s.period == p] for p in (1, 2)]
    assert all(seconds == list(range(len(seconds))) for seconds in halves)
    assert [s.period for s in samples if s.flags & FLAG_PERIOD_END] == [1, 2]
    assert all(a.data_ms < b.data_ms for a, b in pairwise(samples))
    assert core.finished
    assert core.due_ms() is None


def test_the_real_match_ends_with_its_real_score(untidy) -> None:
    assert untidy[2].score() == (2, 1)


def test_goals_penalty_and_red_card_suspend_and_play_resumes(untidy) -> None:
    _, _, _, samples, _ = untidy
    starts = [(b.period, b.second) for a, b in pairwise(samples) if b.flags & FLAG_SUSPENDED and not a.flags & 1]
    for goal_second in (1_719, 2_517, 3_022):
        assert any(p == 2 and 0 <= goal_second + 3 - s <= 200 for p, s in starts)
    assert not samples[-1].flags & FLAG_SUSPENDED


def test_late_edits_are_flagged_and_keep_both_values(untidy) -> None:
    _, _, core, samples, _ = untidy
    flagged = [s.tick for s in samples if s.flags & FLAG_REVISED]
    assert flagged
    assert [r.tick for r in core.revisions] == flagged
    by_tick = {s.tick: s for s in samples}
    for revision in core.revisions:
        assert revision.revised_tick < revision.tick
        assert by_tick[revision.revised_tick].x_e6 == revision.old_e6 != revision.new_e6


def test_a_tidy_feed_revises_nothing(recorded) -> None:
    header, messages = replay(SOURCE, recorded, 7, TIDY)
    deletions_aside = [m for m in messages if m.doc["typeId"] != 43]
    _, samples, _ = play(header, deletions_aside)
    assert not any(s.flags & FLAG_REVISED for s in samples)


def test_equal_feeds_give_equal_samples_and_another_seed_gives_others(recorded, untidy) -> None:
    header, messages, _, samples, _ = untidy
    assert play(header, messages)[1] == samples
    other = play(*replay(SOURCE, recorded, 8, ReplayOptions()))[1]
    assert [s.x_e6 for s in other] != [s.x_e6 for s in samples]


def test_the_archive_recomputes_every_sample_and_one_changed_byte_is_found(untidy, tmp_path: Path) -> None:
    header, messages, _, samples, used = untidy
    path = tmp_path / "feed.jsonl"
    write_feed(path, header, messages[:used])
    published = [
        Published(
            s.tick, s.period, s.play_ms, s.data_ms, s.x_e6, s.mu_e6, s.s_e4, s.conf_e4, s.inputs_hash, s.flags, s.reason
        )
        for s in samples
    ]
    assert str(verify(path, published, SPEC_DECAY)) == f"{len(samples)} samples, 0 differ"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert verify(path, published, SPEC_DECAY).differ >= 1


def test_a_skipped_second_leaves_a_hole_in_the_ticks_and_changes_nothing_else(untidy) -> None:
    header, messages, _, samples, _ = untidy
    core, at, found = KeeperCore(header), 0, []
    while (due := core.due_ms()) is None or due < 200_000:
        if due is None or messages[at].at_ms <= due:
            core.receive(messages[at])
            at += 1
        elif due % 3_000 // 1_000 == 0 and found:
            found.append(core.sample(due + 1_000))  # a second late: the one under way is taken
        else:
            found.append(core.sample(due))
    by_tick = {s.tick: s.x_e6 for s in samples}
    assert len(found) < found[-1].tick
    assert sum(s.x_e6 == by_tick[s.tick] for s in found) >= 0.9 * len(found)


def test_there_is_no_sample_before_kick_off_nor_twice_for_a_second(untidy) -> None:
    header, messages, *_ = untidy
    core = KeeperCore(header)
    with pytest.raises(ValueError, match="no play"):
        core.sample(0)
    for message in messages[:5]:
        core.receive(message)
    due = core.due_ms()
    assert due is not None
    core.sample(due)
    with pytest.raises(ValueError, match="has had its sample"):
        core.sample(due)

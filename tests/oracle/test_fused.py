"""A fused feed through the keeper: traded like any other, stopped when it must be, and recomputed from its file."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.feed import FeedHeader, FeedMessage, write_feed
from ingest.fusion import Bounds, State
from momentum.forecast.model import MAX_CONF_E4
from momentum.methodology import SPEC_DECAY
from momentum.state import Reason, awards_carried
from momentum.trust import told, widened
from momentum.verify import Published, verify
from oracle.core import FLAG_SUSPENDED, KeeperCore, Sample
from tests.ingest.fusion_world import ALIKE, PRIMARY, SIBLING, Outage, Sibling, World, load, world

END_TICK = 1_500


def play(
    header: FeedHeader, messages: list[FeedMessage], until: int = END_TICK
) -> tuple[KeeperCore, list[Sample], int]:
    core, samples, at = KeeperCore(header), [], 0
    while not core.finished and (not samples or samples[-1].tick < until):
        due = core.due_ms()
        if due is None or (at < len(messages) and messages[at].at_ms <= due):
            core.receive(messages[at])
            at += 1
            continue
        samples.append(core.sample(due))
    return core, samples, at


def published(samples: list[Sample]) -> list[Published]:
    return [
        Published(
            s.tick, s.period, s.play_ms, s.data_ms, s.x_e6, s.mu_e6, s.s_e4, s.conf_e4, s.inputs_hash, s.flags, s.reason
        )
        for s in samples
    ]


@pytest.fixture(scope="module")
def match() -> World:
    return world(load("statsperform"), 4, Sibling())


@pytest.fixture(scope="module")
def run(match: World):
    """The primary dies twice, and once both are gone."""
    outages = [
        Outage(PRIMARY, 300_000, 330_000, "silent"),
        Outage(PRIMARY, 900_000, 2_000_000, "lost"),
        Outage(SIBLING, 1_200_000, 1_220_000, "silent"),
    ]
    header, messages = match.header(), match.messages(outages)
    return header, messages, *play(header, messages)


def test_every_second_has_its_sample_through_every_switch(run) -> None:
    _, _, core, samples, _ = run
    assert [s.tick for s in samples] == list(range(1, END_TICK + 1))
    assert [s.switch.target for s in core.switches] == [SIBLING, PRIMARY, SIBLING]
    assert core.switches[2].switch.why is State.LOST


def test_no_switch_moves_the_index_by_more_than_the_providers_differ(run, match: World) -> None:
    _, _, core, samples, _ = run
    plain = FeedHeader.make(match.provider, "m", match.start_unix_ms, 1, match.recorded.raw_info)
    own = {s.tick: s.x_e6 for s in play(plain, match.feeds[PRIMARY])[1]}
    other = {s.tick: s.x_e6 for s in play(plain, match.feeds[SIBLING])[1]}
    usual = sorted(abs(own[tick] - other[tick]) for tick in own)[int(0.95 * len(own))]
    by_tick = {s.tick: s.x_e6 for s in samples}
    for switched in core.switches:
        tick = switched.second + 1
        assert abs(by_tick[tick + 1] - own[tick + 1]) <= usual
        assert abs(switched.step_e6) <= usual


def test_while_nobody_works_trading_stops_and_nothing_is_made_up(run) -> None:
    _, _, _, samples, _ = run
    gone = [s for s in samples if 1_204_000 <= s.data_ms <= 1_219_000]
    assert all(s.flags & FLAG_SUSPENDED for s in gone)
    assert {s.reason for s in gone} == {Reason.FEED_LOSS}
    assert not [s for s in samples if s.reason == Reason.FEED_LOSS and not 1_200_000 <= s.data_ms <= 1_230_000]
    # Nothing is extrapolated: the decayed sums only shrink.
    assert all(
        all(abs(b) <= abs(a) for a, b in zip(one.inputs[2:], two.inputs[2:], strict=True))
        for one, two in pairwise(gone)
    )


def test_the_file_alone_gives_the_same_samples_reasons_and_conf(run, tmp_path: Path) -> None:
    header, messages, _, samples, used = run
    path = tmp_path / "feed.jsonl"
    write_feed(path, header, messages[:used])
    verdict = verify(path, published(samples), SPEC_DECAY)
    assert verdict.first == ()
    assert str(verdict) == f"{END_TICK} samples, 0 differ"


def test_samples_that_were_skipped_change_nothing_for_those_that_were_not(run, tmp_path: Path) -> None:
    header, messages, _, samples, used = run
    path = tmp_path / "feed.jsonl"
    write_feed(path, header, messages[:used])
    core, at, found = KeeperCore(header), 0, []
    for number, sample in enumerate(samples):
        while messages[at].at_ms <= sample.data_ms:
            core.receive(messages[at])
            at += 1
        if number % 7 == 0:
            found.append(core.sample(sample.data_ms))
    assert [s.x_e6 for s in found] == [s.x_e6 for s in samples[::7]]
    # Which of the skipped seconds were revised is nobody's to say, fused or not: all else is the same.
    unflagged = [replace(sample, flags=None) for sample in published(found)]
    assert verify(path, unflagged, SPEC_DECAY).differ == 0


def test_a_loss_of_the_feed_that_the_file_does_not_show_is_found(run, tmp_path: Path) -> None:
    header, messages, _, samples, used = run
    path = tmp_path / "feed.jsonl"
    write_feed(path, header, messages[:used])
    told_ones = published(samples)
    claims = told_ones[100]
    lost = replace(claims, flags=FLAG_SUSPENDED | (claims.flags or 0), suspend_reason=int(Reason.FEED_LOSS))
    wrong = [*told_ones[:100], lost]
    verdict = verify(path, wrong, SPEC_DECAY)
    assert [d.what for d in verdict.first] == ["flags"]


def test_one_removed_heartbeat_line_is_found(run, tmp_path: Path) -> None:
    header, messages, _, samples, used = run
    beat = next(n for n, m in enumerate(messages) if m.doc.get("sign") == "heartbeat" and m.at_ms > 100_000)
    path = tmp_path / "feed.jsonl"
    write_feed(path, header, [m for n, m in enumerate(messages[:used]) if n != beat])
    assert verify(path, published(samples[:200]), SPEC_DECAY).differ > 0


def test_a_fused_feed_whose_primary_never_fails_is_quoted_like_the_primary_alone() -> None:
    match = world(load("statsperform"), 4, ALIKE)
    match.bounds = Bounds(ahead_ms=3_600_000)  # nor does a quicker standby's goal stop it
    fused = play(match.header(), match.messages(), 900)[1]
    plain = FeedHeader.make(match.provider, "m", match.start_unix_ms, 1, match.recorded.raw_info)
    alone = play(plain, match.feeds[PRIMARY], 900)[1]
    keep = ("tick", "data_ms", "x_e6", "box_e6", "mu_e6", "s_e4", "conf_e4", "flags", "reason", "inputs")
    for one, other in zip(fused, alone, strict=True):
        assert [getattr(one, name) for name in keep] == [getattr(other, name) for name in keep]


def test_providers_that_differ_widen_conf_and_never_beyond_its_bound(run) -> None:
    _, _, core, _, _ = run
    condition = core.decoder.condition
    assert condition is not None
    doubted = replace(condition, doubt_e4=3_000, causes=())
    assert widened(2_500, doubted) == 5_500
    assert widened(MAX_CONF_E4 - 10, doubted) == MAX_CONF_E4
    assert widened(2_500, None) == 2_500
    assert told(Reason.NONE, doubted) is Reason.NONE
    assert told(Reason.GOAL, None) is Reason.GOAL


def test_a_provider_without_awards_decides_for_the_whole_feed() -> None:
    assert awards_carried(["statsperform"])
    assert not awards_carried(["statsperform", "wyscout"])


def test_a_second_half_that_only_the_standby_kicks_off_is_sampled_from_there() -> None:
    """The primary dies in the break with the kick-off of the second half: its seconds before the switch are skipped."""
    match = world(load("wyscout"), 2, ALIKE)
    kick_off = [m.at_ms for m in match.feeds[SIBLING] if m.doc["eventName"] == "futstar_period_start"][1]
    messages = match.messages([Outage(PRIMARY, kick_off - 1_500, 9_000_000, "silent")])
    core, samples, _ = play(match.header(), messages, 3_000)
    second = [s for s in samples if s.period == 2]
    assert core.switches[-1].switch.at_ms > kick_off
    assert 0 < second[0].second <= 3
    assert second[0].data_ms == kick_off + second[0].second * 1_000
    assert second[0].data_ms >= core.switches[-1].switch.at_ms

"""Real recordings: live equals archive, the keeper's samples verify, and any changed byte shows."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.events import Delete, FeedError, Upsert
from ingest.feed import feed_digest, genesis, read_lines, write_feed
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import TIDY, ReplayOptions
from ingest.feeds.base import replay as as_feed
from ingest.timeline import Timeline
from momentum import archive
from momentum.batch import replay_to_file
from momentum.live import LiveMatch
from momentum.methodology import METHODOLOGIES, SPEC_BOX, SPEC_DECAY, SPEC_DECAY_1
from momentum.replay import final_events
from momentum.tablefile import HEADER
from momentum.verify import Published, verify
from oracle.core import KeeperCore

Run = tuple[Path, list[Published]]
PROVIDERS = ["statsperform", "wyscout"]
SHARED = Path(__file__).parents[3] / "shared" / "data" / "wyscout"


def published(provider: str, folder: Path, options: ReplayOptions, seed: int = 7) -> tuple[Path, list[Published]]:
    """Run the keeper over a recorded match as a live feed; returns the feed file and its samples."""
    source = adapter(provider)
    header, messages = as_feed(source, source.load(default_match_paths(provider)), seed, options)
    path = folder / f"{provider}.jsonl"
    write_feed(path, header, messages)
    core, samples, at = KeeperCore(header), [], 0
    for now_ms in range(0, messages[-1].at_ms + 1_000, 1_000):
        while at < len(messages) and messages[at].at_ms <= now_ms:
            # A kick-off off the whole second moves the due times off it as well: take what is due first.
            due = core.due_ms()
            if due is not None and due < messages[at].at_ms:
                samples.append(_sample(core, due))
                continue
            core.receive(messages[at])
            at += 1
        while (due := core.due_ms()) is not None and due <= now_ms and not core.finished:
            samples.append(_sample(core, due))
    return path, samples


def _sample(core: KeeperCore, data_ms: int) -> Published:
    s = core.sample(data_ms)
    return Published(
        s.tick, s.period, s.play_ms, s.data_ms, s.x_e6, s.mu_e6, s.s_e4, s.conf_e4, s.inputs_hash, s.flags, s.reason
    )


@pytest.fixture(scope="module", params=PROVIDERS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return published(request.param, tmp_path_factory.mktemp("feed"), ReplayOptions())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_live_and_archive_agree_on_a_real_match(provider: str) -> None:
    _, events = final_events(adapter(provider), default_match_paths(provider))
    result = archive.replay(events)
    assert len(result.period) > 5_400
    timeline, live, at = Timeline(), LiveMatch(), 0
    for i, (period, second) in enumerate(zip(result.period.tolist(), result.second.tolist(), strict=True)):
        until = at
        while until < len(events) and (events[until].period, events[until].play_ms) <= (period, second * 1000):
            until += 1
        live.apply(timeline.apply([Upsert(event) for event in events[at:until]]))
        at = until
        tick = live.tick(period, second)
        for m in METHODOLOGIES:
            assert tick.inputs[m.name] == tuple(result.inputs[m.name][i].tolist()), (period, second)
            assert tick.x_e6[m.name] == result.x_e6[m.name][i]


def test_an_untidy_feed_ends_in_the_index_of_the_tidy_recording() -> None:
    source = adapter("statsperform")
    recorded = source.load(default_match_paths())
    _, messages = as_feed(source, recorded, 3)
    timeline, live = Timeline(), LiveMatch()
    for message in messages:
        parsed = source.parse(recorded.info, message.doc)
        live.apply(timeline.apply([p for p in parsed if isinstance(p, Upsert | Delete)]))
    result = archive.replay(final_events(source, default_match_paths())[1])
    for i in range(0, len(result.period), 211):
        tick = live.peek(int(result.period[i]), int(result.second[i]))
        assert [tick.x_e6[m.name] for m in METHODOLOGIES] == [result.x_e6[m.name][i] for m in METHODOLOGIES]


def test_every_published_sample_verifies(run: Run) -> None:
    path, samples = run
    start = time.perf_counter()
    verdict = verify(path, samples, SPEC_DECAY)
    assert verdict.first == ()
    assert str(verdict) == f"{len(samples)} samples, 0 differ"
    assert len(samples) > 5_400
    assert time.perf_counter() - start < 30  # 10 s on an idle machine; the suite shares its cores
    assert any(s.flags and s.flags & 2 for s in samples)
    assert {s.suspend_reason for s in samples} >= {0, 1}


def test_what_was_published_under_another_methodology_differs(run: Run) -> None:
    path, samples = run
    assert verify(path, samples[:50], SPEC_BOX).differ == 50


@pytest.mark.parametrize("field", ["x_e6", "mu_e6", "s_e4", "conf_e4", "flags", "inputs_hash"])
def test_each_published_field_is_checked(run: Run, field: str) -> None:
    path, samples = run
    value = getattr(samples[20], field)
    wrong = bytes(32) if isinstance(value, bytes) else value ^ 1
    spoiled = [*samples[:20], replace(samples[20], **{field: wrong}), *samples[21:40]]
    verdict = verify(path, spoiled, SPEC_DECAY)
    assert verdict.differ == 1
    assert [(d.tick, d.what) for d in verdict.first] == [(samples[20].tick, field)]


def test_flags_that_are_not_given_are_not_checked_and_the_keepers_own_suspensions_stand(
    run: Run,
) -> None:
    path, samples = run
    lost = replace(samples[5], flags=1, suspend_reason=6)
    unknown = replace(samples[6], flags=None)
    assert verify(path, [*samples[:5], lost, unknown], SPEC_DECAY).ok
    assert not verify(path, [*samples[:5], replace(lost, suspend_reason=1)], SPEC_DECAY).ok


def test_samples_out_of_order_or_off_the_second_differ(run: Run) -> None:
    path, samples = run
    assert verify(path, [samples[0], samples[2], samples[1]], SPEC_DECAY).first[-1].what == "order"
    assert not verify(path, [replace(samples[0], play_ms=1)], SPEC_DECAY).ok
    assert not verify(path, [replace(samples[0], period=9)], SPEC_DECAY).ok


@pytest.mark.parametrize("where", [0.0, 0.001, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("byte", [b"0", b"}", b"\n", b"\xff"])
def test_one_changed_byte_anywhere_makes_samples_differ(run: Run, tmp_path: Path, where: float, byte: bytes) -> None:
    path, samples = run
    raw = bytearray(path.read_bytes())
    at = int(len(raw) * where)
    if raw[at : at + 1] == byte:
        at += 1
    raw[at : at + 1] = byte
    spoiled = tmp_path / "feed.jsonl"
    spoiled.write_bytes(raw)
    assert not verify(spoiled, samples[-1:], SPEC_DECAY).ok


def test_the_end_of_the_file_is_covered_by_its_whole_digest(run: Run, tmp_path: Path) -> None:
    path, samples = run
    digest = b""
    for line in read_lines(path):
        digest = feed_digest(digest, line) if digest else genesis(line)
    assert verify(path, samples[:3], SPEC_DECAY, whole_digest=digest).ok
    longer = tmp_path / "feed.jsonl"
    longer.write_bytes(path.read_bytes() + b'{"at_ms":99999999,"doc":{}}\n')
    verdict = verify(longer, samples[:3], SPEC_DECAY, whole_digest=digest)
    assert verdict.differ == 1
    assert verdict.first[0].what == "whole file"


def test_a_file_that_is_missing_or_empty_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="cannot read"):
        verify(tmp_path / "none.jsonl", [], SPEC_DECAY)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(FeedError, match="is empty"):
        verify(empty, [], SPEC_DECAY)


def test_a_tidy_feed_revises_nothing(tmp_path: Path) -> None:
    _, samples = published("wyscout", tmp_path, TIDY)
    assert not any(s.flags and s.flags & 2 for s in samples)


# The table


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_table_has_every_second_of_both_halves(provider: str, tmp_path: Path) -> None:
    out = tmp_path / "index.csv"
    start = time.perf_counter()
    report = replay_to_file(provider, default_match_paths(provider), out)
    assert time.perf_counter() - start < 3  # 1 s on an idle machine
    lines = out.read_text().splitlines()
    assert lines[0] == HEADER
    assert (report.matches, report.rows) == (1, len(lines) - 1)
    rows = [line.split(",") for line in lines[1:]]
    for period in ("1", "2"):
        seconds = [int(row[2]) for row in rows if row[1] == period]
        assert seconds == list(range(len(seconds)))
        assert len(seconds) > 2_700
    assert all(0 <= float(row[3]) <= 100 and len(row[4].split(".")[1]) == 6 for row in rows)
    assert not list(tmp_path.glob("*.part"))


def test_an_unknown_provider_or_a_file_that_is_no_match_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "index.csv"
    with pytest.raises(FeedError, match="choose one of"):
        replay_to_file("nobody", [tmp_path], out)
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    with pytest.raises(FeedError):
        replay_to_file("wyscout", [bad], out)
    assert list(tmp_path.iterdir()) == [bad]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the development data beside the repository")
def test_matches_of_an_archive_folder_agree_live_and_vectorised(tmp_path: Path) -> None:
    source = adapter("wyscout")
    for match in source.matches([SHARED])[::400]:
        _, events = final_events(source, [SHARED], match)
        result = archive.replay(events)
        live = LiveMatch()
        live.apply([type("C", (), {"old": None, "new": event})() for event in events])
        for i in range(0, len(result.period), 97):
            tick = live.peek(int(result.period[i]), int(result.second[i]))
            assert [tick.x_e6[m.name] for m in METHODOLOGIES] == [result.x_e6[m.name][i] for m in METHODOLOGIES]


def test_the_examples_that_the_documentation_works_by_hand_are_right() -> None:
    result = archive.replay(final_events(adapter("statsperform"), default_match_paths())[1])
    seconds = (result.inputs[SPEC_BOX.name][75] >> 32).tolist()
    assert seconds == [29_000, 2_000, 0, 0, 0, 0, 0, 1, 0, 0]
    assert result.x_e6[SPEC_BOX.name][75] == 48_709_677
    assert result.inputs[SPEC_DECAY_1.name][4].tolist() == [17_081_078_725_000] + [0] * 9
    assert result.x_e6[SPEC_DECAY_1.name][4] == 50_621_629

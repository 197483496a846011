"""The index: cost of a live tick, events a second of the archive, one match from file to CSV, verification.

The input is the complete real match of the installed `kloppy` package, live with delays, edits and deletions.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.harness import Result, percentile, result, seconds
from ingest.events import Delete, Kind, Upsert
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import replay as as_feed
from ingest.timeline import Applied, Timeline
from momentum import archive
from momentum.batch import replay_to_file
from momentum.live import LiveMatch
from momentum.replay import final_events

PROVIDER = "statsperform"
Step = tuple[int, int, tuple[Applied, ...]]  # period, second, what became known since the last one


def _steps() -> tuple[list[Step], int]:
    """The match as a live feed cut into seconds of play; also the number of changes."""
    source = adapter(PROVIDER)
    recorded = source.load(default_match_paths(PROVIDER))
    _, messages = as_feed(source, recorded, seed=7)
    timeline, at, count = Timeline(), 0, 0
    steps: list[Step] = []
    fresh: list[Applied] = []
    period, start_ms, playing = 0, 0, False
    for now_ms in range(0, messages[-1].at_ms + 1_000, 1_000):
        while at < len(messages) and messages[at].at_ms <= now_ms:
            parsed = source.parse(recorded.info, messages[at].doc)
            applied = timeline.apply([p for p in parsed if isinstance(p, Upsert | Delete)])
            for change in applied:
                if change.new is not None and change.new.kind is Kind.PERIOD_START and change.new.period > period:
                    period, start_ms, playing = change.new.period, messages[at].at_ms, True
                elif change.new is not None and change.new.kind is Kind.PERIOD_END:
                    playing = False
            fresh += applied
            at += 1
        if playing:
            steps.append((period, (now_ms - start_ms) // 1000, tuple(fresh)))
            count += len(fresh)
            fresh = []
    return steps, count


def _tick_ms(steps: list[Step], matches: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each match's tick: changes in, ten inputs and index of both methodologies out, revisions.

    By the wall and by the processor: on a busy machine the wall's highest values are other people's work.
    """
    lives = [LiveMatch() for _ in range(matches)]
    wall, processor = [], []
    for period, second, changes in steps:
        for live in lives:
            start, used = time.perf_counter(), time.thread_time()
            live.apply(changes)
            live.tick(period, max(0, second))
            live.revisions()
            processor.append((time.thread_time() - used) * 1e3)
            wall.append((time.perf_counter() - start) * 1e3)
    return wall, processor


def run(quick: bool) -> list[Result]:
    """See the module."""
    repeats, matches = (2, 2) if quick else (5, 20)
    steps, changes = _steps()
    runs = [_tick_ms(steps, matches) for _ in range(repeats)]
    results = [
        result("live tick p50", "ms", [percentile(wall, 50) for wall, _ in runs]),
        result("live tick p99", "ms", [percentile(wall, 99) for wall, _ in runs]),
        result("live tick p99, processor time", "ms", [percentile(used, 99) for _, used in runs]),
        result("live tick mean, processor time", "ms", [sum(used) / len(used) for _, used in runs]),
        result("live matches at once", "matches", [float(matches)]),
        result("changes delivered in the match", "changes", [float(changes)]),
    ]
    _, events = final_events(adapter(PROVIDER), default_match_paths(PROVIDER))
    columns = archive.Columns.of(events)
    whole = seconds(lambda: archive.replay(columns), 10 * repeats)
    results.append(result("archive: all ticks of a match from columns", "ms", [s * 1e3 for s in whole]))
    results.append(result("archive: events from columns", "events/s", [len(events) / s for s in whole]))
    rows = seconds(lambda: archive.replay(events), 4 * repeats)
    results.append(result("archive: events from canonical events", "events/s", [len(events) / s for s in rows]))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "index.csv"
        table = seconds(lambda: replay_to_file(PROVIDER, default_match_paths(PROVIDER), out), repeats)
    results.append(result("one match from file to CSV", "s", table))
    return results

"""The index: a live tick with 1,000 matches at once, memory, events a second of the archive, tracking, file to CSV.

The input is the complete real match of the installed `kloppy` package, live with delays, edits and deletions. The
1,000 matches stand at as many different minutes of it and tick in turn, so that none finds its data in the cache.
Figures with three methodologies add one with a half-life of 600 s to the two that exist.
"""

from __future__ import annotations

import copy
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from bench.harness import Result, percentile, result, seconds
from ingest import tracking, tracking_sample
from ingest.events import Delete, Kind, Upsert
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import replay as as_feed
from ingest.timeline import Applied, Timeline
from momentum import archive
from momentum.batch import replay_to_file
from momentum.forecast.live import Forecaster
from momentum.forecast.model import shipped
from momentum.forecast.odds import Prior
from momentum.live import LiveMatch
from momentum.methodology import METHODOLOGIES, SPEC_BOX, SPEC_DECAY, Memory, Methodology
from momentum.replay import final_events

PROVIDER = "statsperform"
MATCHES = 1_000
"""Live at once."""
ODDS = Prior(0.5, 0.27, 0.23)
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


def _long_methodology() -> Methodology:
    """A third methodology whose memory is longer than any match: every second played counts in every tick."""
    ages = np.arange(19_800)
    table = np.rint(2.0 ** (32 - ages / 600)).astype(np.int64)
    memory = Memory(table)
    return Methodology(
        "bench-long/1",
        {"kind": "bench", "half_life_s": 600},
        SPEC_DECAY.pseudo,
        (memory, memory, memory, memory, memory),
    )


@dataclass
class _Match:
    """A live match as a keeper holds it."""

    index: LiveMatch
    forecast: Forecaster | None

    @classmethod
    def new(cls, load: _Load) -> _Match:
        return cls(
            LiveMatch(load.methodologies), Forecaster(awards_carried=True, prior=ODDS) if load.forecast else None
        )

    def step(self, step: Step) -> None:
        """Changes in, ten inputs and index of every methodology out, revisions, the quote's numbers."""
        period, second, changes = step
        self.index.apply(changes)
        tick = self.index.tick(period, max(0, second))
        self.index.revisions()
        if self.forecast is not None:
            self.forecast.apply(changes)
            self.forecast.tick(self.index, period, max(0, second), tick.x_e6[SPEC_DECAY.name])


@dataclass(frozen=True)
class _Load:
    """What is asked of every match."""

    name: str
    methodologies: tuple[Methodology, ...]
    forecast: bool


def _stand(steps: list[Step], load: _Load, matches: int, run_s: int) -> list[_Match]:
    """``matches`` matches, each advanced to a place of its own in ``steps``, with ``run_s`` seconds still to play."""
    stride = (len(steps) - run_s) / matches
    shared: dict[int, object] = {id(m): m for m in (*load.methodologies, shipped())}
    travelling, lives, at = _Match.new(load), [], 0
    for number in range(matches):
        while at < int(number * stride):
            travelling.step(steps[at])
            at += 1
        memo = {**shared, id(travelling.index._weights): travelling.index._weights}
        lives.append(copy.deepcopy(travelling, memo))
    return lives


def _tick_ms(steps: list[Step], load: _Load, matches: int, run_s: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each match's tick (wall, processor) and of a whole round of all matches (wall).

    By the wall and by the processor: on a busy machine the wall's highest values are other people's work.
    """
    lives = _stand(steps, load, matches, run_s)
    stride = (len(steps) - run_s) / matches
    wall, processor, rounds = [], [], []
    for second in range(run_s):
        begun = time.perf_counter()
        for number, live in enumerate(lives):
            step = steps[int(number * stride) + second]
            start, used = time.perf_counter(), time.thread_time()
            live.step(step)
            processor.append((time.thread_time() - used) * 1e3)
            wall.append((time.perf_counter() - start) * 1e3)
        rounds.append((time.perf_counter() - begun) * 1e3)
    return wall, processor, rounds


KEEPER = _Load("index and forecast", (SPEC_DECAY, SPEC_BOX), forecast=True)


def _model_ms(repeats: int) -> list[float]:
    """Milliseconds from a tick's features to the numbers of the quote."""
    forms = shipped().prior.forms
    seen = np.ones((1, len(forms.names)), dtype=np.int64)
    return [s * 1e3 for s in seconds(lambda: forms.look(seen), repeats)]


def _whole_match_ms(steps: list[Step]) -> list[float]:
    """Processor milliseconds of each tick of one match from kick-off to the end, alone on its machine."""
    live, used = _Match.new(KEEPER), []
    for step in steps:
        start = time.thread_time()
        live.step(step)
        used.append((time.thread_time() - start) * 1e3)
    return used


def _bytes_a_match(steps: list[Step], load: _Load, matches: int) -> float:
    """Bytes that each of ``matches`` whole matches holds at its last second (the events are the timeline's)."""
    _Match.new(load).step(steps[0])  # tables are shared by all matches
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        lives = [_Match.new(load) for _ in range(matches)]
        for step in steps:
            for live in lives:
                live.step(step)
        return (tracemalloc.get_traced_memory()[0] - before) / matches
    finally:
        tracemalloc.stop()


def _timeline_bytes() -> float:
    """Bytes of the events of one whole match as its timeline keeps them, corrections and all."""
    source = adapter(PROVIDER)
    recorded = source.load(default_match_paths(PROVIDER))
    _, messages = as_feed(source, recorded, seed=7)
    tracemalloc.start()
    try:
        before, timeline = tracemalloc.get_traced_memory()[0], Timeline()
        for message in messages:
            parsed = source.parse(recorded.info, message.doc)
            timeline.apply([p for p in parsed if isinstance(p, Upsert | Delete)])
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def _live(steps: list[Step], load: _Load, quick: bool) -> list[Result]:
    matches = MATCHES
    repeats, run_s = (2, 3) if quick else (5, 20)
    runs = [_tick_ms(steps, load, matches, run_s) for _ in range(repeats)]
    name = f"{matches:,} live, {load.name}"
    memory = _bytes_a_match(steps, load, 1 if quick else 20)
    return [
        result(f"tick p50, {name}", "ms", [percentile(wall, 50) for wall, _, _ in runs]),
        result(f"tick p99, {name}", "ms", [percentile(wall, 99) for wall, _, _ in runs]),
        result(f"tick p99 processor, {name}", "ms", [percentile(used, 99) for _, used, _ in runs]),
        result(f"tick highest, {name}", "ms", [max(wall) for wall, _, _ in runs]),
        result(f"all ticks of a second, {name}", "ms", [percentile(rounds, 50) for _, _, rounds in runs]),
        result(f"live match, {load.name}", "bytes", [memory]),
    ]


def _archive(quick: bool) -> list[Result]:
    repeats = 20 if quick else 60
    _, events = final_events(adapter(PROVIDER), default_match_paths(PROVIDER))
    columns = archive.Columns.of(events)
    results = []
    sets = {"the traded index": (SPEC_DECAY,), "with the box": KEEPER.methodologies, "every methodology": METHODOLOGIES}
    for named, methodologies in sets.items():
        runs = seconds(lambda them=methodologies: archive.replay(columns, them), repeats)
        name = f"from columns, {named}"
        results.append(result(f"archive: whole match {name}", "ms", [s * 1e3 for s in runs]))
        results.append(result(f"archive: {name}", "events/s", [len(events) / s for s in runs]))
        results.append(result(f"archive: best run {name}", "events/s", [len(events) / min(runs)]))
    whole = seconds(lambda: archive.replay(events), repeats // 4)
    results.append(result("archive: from canonical events", "events/s", [len(events) / s for s in whole]))
    # The peer: the same sums written down plainly with NumPy, one column at a time.
    rows = np.concatenate(list(archive.per_second(columns).values()))
    table = SPEC_DECAY.memories[1].table[: len(rows)]
    plain = seconds(lambda: [np.convolve(column, table)[: len(rows)] for column in rows.T[:2]], 1 if quick else 3)
    columns_s = [5 * s for s in plain]  # two of ten columns are timed
    results.append(result("plain convolution, one methodology (peer)", "ms", [s * 1e3 for s in columns_s]))
    return results


def _tracking(quick: bool) -> list[Result]:
    repeats, half_s = (1, 300) if quick else (3, 2_700)
    folder = default_match_paths(PROVIDER)[0].parent
    paths = folder / "skillcorner_match_data.json", folder / "skillcorner_structured_data.json"
    read = tracking.read_tracking(*paths)
    real = seconds(lambda: tracking.read_tracking(*paths), repeats)
    played_s = len(read.seconds.second)
    lines = list(tracking_sample.frame_lines(1, half_s))
    match = tracking.parse_match(tracking_sample.match_document())
    points = len(lines) * tracking_sample.OBJECTS
    made = seconds(lambda: tracking.reduce_frames(match, map(orjson.loads, lines)), repeats)
    return [
        result("tracking: SkillCorner points", "points", [float(read.points)]),
        result("tracking: SkillCorner file", "x real time", [played_s / s for s in real]),
        result("tracking: SkillCorner file, points", "points/s", [read.points / s for s in real]),
        result("tracking: generated points", "points", [float(points)]),
        result("tracking: generated 25 Hz, 23 objects", "x real time", [2 * half_s / s for s in made]),
        result("tracking: generated, points", "points/s", [points / s for s in made]),
    ]


def run(quick: bool) -> list[Result]:
    """See the module."""
    repeats = 2 if quick else 5
    steps, changes = _steps()
    alone = [_whole_match_ms(steps) for _ in range(repeats)]
    results = [
        result("live tick p50", "ms", [percentile(used, 50) for used in alone]),
        result("live tick p99, one match, processor", "ms", [percentile(used, 99) for used in alone]),
        result("changes delivered in the match", "changes", [float(changes)]),
    ]
    results.append(result("events of a match in its timeline", "bytes", [_timeline_bytes()]))
    longer = _Load("index with a longer memory", (*KEEPER.methodologies, _long_methodology()), forecast=False)
    for load in (KEEPER, _Load("index alone", KEEPER.methodologies, forecast=False), longer):
        results += _live(steps, load, quick)
    results.append(result("forecast: the model alone", "ms", _model_ms(200 if quick else 2_000)))
    results += _archive(quick)
    results += _tracking(quick)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "index.csv"
        table = seconds(lambda: replay_to_file(PROVIDER, default_match_paths(PROVIDER), out), repeats)
    results.append(result("one match from file to CSV", "s", table))
    return results

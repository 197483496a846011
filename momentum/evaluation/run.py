"""The evaluation of a folder of recorded matches: parallel over matches, then every table at once."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.events import FeedError
from ingest.feeds import adapter
from momentum.batch import Failure, Progress, failure, successes
from momentum.evaluation import indices, prices, trades
from momentum.evaluation.intervals import Interval, Ints
from momentum.evaluation.sample import STEP_S, TRADED, Measured, Moments, measure
from momentum.evaluation.trades import Fills
from momentum.forecast import Prior
from momentum.forecast.folds import shipped_folds
from momentum.prior import read_priors
from momentum.replay import read_final
from momentum.state import CARRIES_AWARDS

PRIOR_FILE = "prior.csv.gz"
GROUPS = 4
"""Groups of matches where nobody knows their competitions."""


@dataclass(frozen=True)
class Place:
    """Where the recordings are, and the odds if there are any."""

    provider: str
    folder: Path
    prior: Path | None


def locate(data: Path, provider: str, prior: Path | None = None) -> Place:
    """``data`` holds a folder named after the provider, or is it. Odds: ``prior``, else `PRIOR_FILE` in it or beside.

    Raises FeedError ``no_data`` when there is no such folder.
    """
    adapter(provider)
    if not data.is_dir():
        raise FeedError("no_data", f"there is no folder {data}: pass --data with recorded matches")
    folder = data / provider if (data / provider).is_dir() else data
    beside = [data / PRIOR_FILE, *([data.parent / PRIOR_FILE] if folder == data else [])]
    return Place(provider, folder, prior or next((path for path in beside if path.is_file()), None))


@dataclass(frozen=True)
class Task:
    """One match to measure."""

    provider: str
    number: int
    match_id: str
    files: tuple[Path, ...]
    seed: int


def run(task: Task, priors: Mapping[str, Prior]) -> Measured | Failure:
    """Measure one match with the model that has not seen it. Never raises: a defect of ours, too, is a Failure."""
    try:
        final = read_final(adapter(task.provider), task.files, task.match_id)
        name, folds = final.info.match_id, shipped_folds()
        return measure(
            task.number,
            name,
            final.events,
            folds.informed(name, priors.get(name)),
            awards_carried=final.info.provider in CARRIES_AWARDS,
            model=folds.unseen(name),
            competition=folds.competition_of.get(name),
            seed=task.seed,
        )
    except Exception as error:
        return failure(task.match_id, error)


@dataclass(frozen=True)
class Evaluation:
    """Every table, and what it was made from. ``competitions`` counts the matches kept from their model by competition;
    ``new`` matches are of none that it was trained on. ``allowed`` has a half-spread per `trades.BINS` by quote and
    by (who trades, what the price takes besides).
    """

    provider: str
    seed: int
    data_sha256: str
    matches: int
    with_prior: int
    without_shots: int
    void_windows: int
    seconds: int
    moments: int
    moment_step_s: int
    competitions: dict[str, int]
    new: int
    failures: list[Failure]
    scores: list[indices.Score]
    by_competition: list[tuple[str, int, str, str, Interval]]
    steps: list[indices.Stepping]
    errors: list[prices.Errors]
    next_errors: list[prices.Errors]
    biases: list[prices.Cut]
    coverage: list[prices.Cut]
    conf: list[prices.ConfSize]
    strategies: dict[str, list[trades.Result]]
    allowed: dict[str, dict[str, list[float | None]]]


def evaluate(
    place: Place, count: int | None = None, seed: int = 11, jobs: int = 1, progress: Progress | None = None
) -> Evaluation:
    """Measure all matches at ``place``, or ``count`` of them by ``seed``, which is also the noise traders' chance.

    A match that fails is in ``failures`` and costs nothing else. Raises FeedError when there is no match, when none
    could be measured, or when the odds cannot be read.
    """
    priors = read_priors(place.prior) if place.prior is not None else {}
    sources = adapter(place.provider).sources([place.folder])
    names = sorted(sources)
    if count is not None and count < len(names):
        names = sorted(random.Random(seed).sample(names, count))
    if not names:
        raise FeedError("no_match", f"no match of {place.provider} in {place.folder}: check the path")
    tasks = [Task(place.provider, number, name, sources[name], seed) for number, name in enumerate(names)]
    failures: list[Failure] = []
    with closing(successes(run, tasks, priors, jobs, progress, failures)) as found:
        measured = list(found)
    return tables(place.provider, seed, digest(place, [sources[name] for name in names]), measured, failures)


def tables(
    provider: str, seed: int, data_sha256: str, measured: Sequence[Measured], failures: Sequence[Failure]
) -> Evaluation:
    """Every figure of some measured matches."""
    matches = len(measured)
    moments = Moments.joined([m.moments for m in measured])
    match: Ints = np.repeat(np.arange(matches), [len(m.moments.x) for m in measured])
    competitions = [m.competition for m in measured]
    known = sorted({name for name in competitions if name is not None})
    groups = np.array([number % GROUPS for number in range(matches)])
    if None not in competitions and len(known) > 1:
        groups = np.array([known.index(name) for name in competitions if name is not None])
    strategies = {}
    for quote in TRADED:
        parts = [(number, m.fills[quote]) for number, m in enumerate(measured) if quote in m.fills]
        if parts:
            numbered = [dataclasses.replace(fills, match=np.full_like(fills.match, number)) for number, fills in parts]
            strategies[quote] = trades.results(Fills.joined(numbered), matches)
    return Evaluation(
        provider=provider,
        seed=seed,
        data_sha256=data_sha256,
        matches=matches,
        with_prior=sum(m.with_prior for m in measured),
        without_shots=sum(m.shots == 0 for m in measured),
        void_windows=sum(m.void_windows for m in measured),
        seconds=sum(m.seconds for m in measured),
        moments=len(moments.x),
        moment_step_s=STEP_S,
        competitions=dict(sorted(Counter(name for name in competitions if name is not None).items())),
        new=sum(name is None for name in competitions),
        failures=list(failures),
        scores=indices.score_all(moments, match, matches),
        by_competition=indices.by_competition(moments, match, competitions),
        steps=indices.stepping(measured),
        errors=prices.errors(moments, match, matches),
        next_errors=prices.errors(moments, match, matches, next_window=True),
        biases=prices.biases(moments, match),
        coverage=prices.coverage(moments, match),
        conf=prices.conf_sizes(moments, match, groups),
        strategies=strategies,
        allowed={quote: _allowed(results) for quote, results in strategies.items()},
    )


ALL, REACTING = "all traders", "those who know neither odds nor score nor cards"
ALONE, WITH_CONF = "nothing else", "conf and fee"


def _allowed(results: Sequence[trades.Result]) -> dict[str, list[float | None]]:
    found = {}
    for who, chosen in ((ALL, results), (REACTING, [r for r in results if r.reacts])):
        found[f"{who}; besides: {WITH_CONF}"] = trades.allowed(r.less_conf_by_time for r in chosen)
        found[f"{who}; besides: {ALONE}"] = trades.allowed(r.edge_by_time for r in chosen)
    return found


def digest(place: Place, sources: Sequence[Sequence[Path]]) -> str:
    """SHA-256 over names and contents of the files that were read: odds, match lists, matches."""
    files = {*place.folder.glob("matches_*"), *(path for paths in sources for path in paths)}
    total = hashlib.sha256()
    for path in [*([place.prior] if place.prior else []), *sorted(files)]:
        try:
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        except OSError:  # the match's own failure tells
            total.update(path.name.encode() + b"\0unreadable")
    return total.hexdigest()


def plain(value: Any) -> Any:
    """As JSON takes it: what is no number becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

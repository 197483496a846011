"""Many recorded matches to one table, over all cores, in the order of the input whatever the number of jobs.

A match that cannot be replayed costs its own rows and nothing else: the others are written, and the report names it
with the reason. Rows stream to the file match by match, so that memory does not grow with their number.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ingest.events import FeedError
from ingest.feeds import adapter
from ingest.feeds.base import require_index
from momentum.forecast import Prior
from momentum.replay import match_table, read_final
from momentum.state import CARRIES_AWARDS
from momentum.tablefile import TableFile, encode

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]
"""Called with the matches done and their number."""

T = TypeVar("T")
R = TypeVar("R")
Work = Callable[[T, Mapping[str, Prior]], R]
"""What is done with one task and the priors of all matches."""

AHEAD = 4
"""Matches a job may be ahead of the writer; what is ready waits in memory."""


@dataclass(frozen=True)
class Task:
    """One match to replay: its id as the folder tells it, and its files."""

    provider: str
    match_id: str
    files: tuple[Path, ...]
    form: str


@dataclass(frozen=True)
class Failure:
    """A match without rows: the stable code and the sentence that says why."""

    match_id: str
    code: str
    text: str


@dataclass(frozen=True)
class Done:
    """A match's rows as the file takes them."""

    part: bytes | pa.RecordBatch
    rows: int
    prior: bool
    problems: Counter[str]


@dataclass(frozen=True)
class Report:
    """What `replay_to_file` wrote. ``priors`` matches of ``matches`` had a prior.

    ``problems`` counts by code what of the written matches' recordings was odd or could not be used.
    """

    matches: int
    rows: int
    priors: int
    failures: tuple[Failure, ...]
    problems: Counter[str]


def run(task: Task, priors: Mapping[str, Prior]) -> Done | Failure:
    """Replay one match, with its prior if there is one. Never raises: a defect of ours, too, is a Failure."""
    try:
        final = read_final(adapter(task.provider), task.files, task.match_id)
        match_id = final.info.match_id
        awards = final.info.provider in CARRIES_AWARDS
        table = match_table(match_id, final.events, priors.get(match_id), awards_carried=awards)
        problems = Counter(problem.code for problem in final.problems)
        return Done(encode(table, task.form), len(table), match_id in priors, problems)
    except Exception as error:
        return failure(task.match_id, error)


def failure(match_id: str, error: Exception) -> Failure:
    """What ``error`` says of a match. The others go on; of a defect the place is told, because it is ours to mend."""
    if isinstance(error, FeedError):
        return Failure(match_id, error.code, str(error))
    at = traceback.extract_tb(error.__traceback__)[-1]
    text = f"match {match_id} met a defect of futstar ({type(error).__name__}: {error}; {at.name}, line"
    return Failure(match_id, "defect", f"{text} {at.lineno} of {Path(at.filename).name}): report it")


_PRIORS: dict[str, Prior] = {}  # of a worker process, sent once when it starts


def _equip(priors: dict[str, Prior]) -> None:
    """Prepare a worker. Ctrl-C reaches the whole group: the parent alone answers it, in one line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _PRIORS.update(priors)


def _equipped(work: Work[T, R], task: T) -> R:
    return work(task, _PRIORS)


def outcomes(work: Work[T, R], tasks: Sequence[T], priors: dict[str, Prior], jobs: int) -> Generator[R, None, None]:
    """What ``work``, a function of a module, makes of each task, in their order.

    Raises FeedError ``worker_died`` when a process is killed.
    """
    if jobs == 1 or len(tasks) == 1:
        yield from (work(task, priors) for task in tasks)
        return
    # Spawned, not forked: a forked child may inherit a lock that a thread of this process holds.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _equip, (priors,))
    try:
        waiting: deque[Future[R]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_equipped, work, task))
            if len(waiting) >= AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise FeedError(
            "worker_died", "a worker process was killed, perhaps for want of memory: try again with fewer --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def successes(
    work: Work[T, R | Failure],
    tasks: Sequence[T],
    priors: dict[str, Prior],
    jobs: int,
    progress: Progress | None,
    failures: list[Failure],
) -> Generator[R, None, None]:
    """`outcomes` without the failures, which go to ``failures``. Raises FeedError at the end when all have failed."""
    with closing(outcomes(work, tasks, priors, max(1, jobs))) as found:
        for number, outcome in enumerate(found, start=1):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                yield outcome
            if progress is not None:
                progress(number, len(tasks))
    if len(failures) == len(tasks):
        more = f" (and {len(failures) - 1} more failed)" if len(failures) > 1 else ""
        raise FeedError(failures[0].code, failures[0].text + more)


def tasks_of(provider: str, paths: Sequence[Path], form: str, match: str | None = None) -> list[Task]:
    """The matches at ``paths``, or only ``match``. Raises FeedError when there is none."""
    source = adapter(provider)
    require_index(source)
    found = source.sources(paths)
    if match is not None:
        found = {key: files for key, files in found.items() if key == match}
    if not found:  # the adapter knows best what to say
        source.load(paths, match)
        raise FeedError("no_match", f"no match of {provider} in {', '.join(map(str, paths))}: check the path")
    return [Task(provider, key, files, form) for key, files in found.items()]


def replay_to_file(
    provider: str,
    paths: Sequence[Path],
    out: Path,
    match: str | None = None,
    priors: dict[str, Prior] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Write the table of every match at ``paths`` (CSV or Parquet by ``out``'s ending), and tell what failed.

    ``match`` picks one of a folder. The file appears whole or not at all; when no match could be replayed it does
    not appear and FeedError tells why. Raises OSError when ``out`` cannot be written.
    """
    with TableFile(out) as file:
        tasks = tasks_of(provider, paths, file.form, match)
        rows, used = 0, 0
        failures: list[Failure] = []
        problems: Counter[str] = Counter()
        with closing(successes(run, tasks, priors or {}, jobs, progress, failures)) as found:
            for done in found:
                file.write(done.part)
                rows += done.rows
                used += done.prior
                problems += done.problems
        file.keep()
    return Report(len(tasks) - len(failures), rows, used, tuple(failures), problems)

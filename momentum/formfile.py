"""The form of teams from a folder of recorded matches, as a prior file that `momentum.prior` reads."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.events import FeedError
from ingest.feeds import adapter
from momentum.batch import Failure, Progress, Task, failure, successes, tasks_of
from momentum.forecast import Prior
from momentum.form import Played, Table, forms, played
from momentum.prior import FORM, PROBABILITIES
from momentum.replay import read_final


@dataclass(frozen=True)
class Forms:
    """``played`` are the matches that could be read, ``form`` by match id what was known before each."""

    played: tuple[Played, ...]
    form: dict[str, float]
    failures: tuple[Failure, ...]

    def now(self, home: str, away: str) -> float:
        """Form for a match that is still to come, from all of them. FeedError ``unknown_team`` for a team of none."""
        known = {team for game in self.played for team in (game.home, game.away)}
        for team in (home, away):
            if team not in known:
                raise FeedError("unknown_team", f"team {team} is in none of the matches: give its provider's id")
        table, last = Table(), max(game.kickoff_unix_ms for game in self.played)
        for game in sorted(self.played, key=lambda game: (game.kickoff_unix_ms, game.match_id)):
            table.before(game.kickoff_unix_ms, game.home, game.away)
            table.add(game)
        return table.before(last + 86_400_000, home, away)


def read(task: Task, priors: Mapping[str, Prior]) -> Played | Failure:
    """One match. Never raises: a defect of ours, too, is a Failure."""
    try:
        final = read_final(adapter(task.provider), task.files, task.match_id)
        if any(problem.code == "home_side_unknown" for problem in final.problems):
            raise FeedError(
                "no_fixture",
                f"match {final.info.match_id} has no fixture, so that nobody knows when it began and who was at home: "
                "put the list of matches beside the events",
            )
        prior = priors.get(final.info.match_id)
        return played(final.info, final.events, 0.0 if prior is None else math.log(prior.home / prior.away))
    except Exception as error:
        return failure(task.match_id, error)


def read_forms(
    provider: str, paths: Sequence[Path], priors: dict[str, Prior], jobs: int = 1, progress: Progress | None = None
) -> Forms:
    """The form before every match at ``paths``. Raises FeedError when none can be read."""
    tasks = tasks_of(provider, paths, "csv")
    failures: list[Failure] = []
    with closing(successes(read, tasks, priors, jobs, progress, failures)) as found:
        games = list(found)
    return Forms(tuple(games), forms(games), tuple(failures))


def prior_file(priors: Mapping[str, Prior], found: Forms) -> bytes:
    """A CSV with the odds and the form of every match that has odds and was read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["match_id", *PROBABILITIES, FORM])
    for match_id in sorted(found.form.keys() & priors.keys()):
        prior = priors[match_id]
        odds = [f"{value:.6f}" for value in (prior.home, prior.draw, prior.away)]
        writer.writerow([match_id, *odds, f"{found.form[match_id]:.4f}"])
    return out.getvalue().encode()

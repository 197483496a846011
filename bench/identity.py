"""Identity: how many teams and fixtures of other sources find their own, how many a wrong one, and how fast.

Known are the fixtures of Wyscout's lists (England, Spain, France 2017/18, World Cup 2018) among teams that only look
alike. The truth is not made of names: two teams of a season are the same when their results are, in order of date,
which the matching never sees. `python -m bench.identity` prints the table of docs/identity.md.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.harness import Result, result
from ingest.catalogue import Entry, read
from ingest.identity.model import (
    HOUR_MS,
    Key,
    Kind,
    Registry,
    SourceCompetition,
    SourceFixture,
    SourceTeam,
    Team,
    at_ms,
)
from ingest.identity.names import squad_of
from ingest.identity.resolve import Resolution, resolve

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEAGUES = (
    ("England", "en", "england_premier-league"),
    ("Spain", "es", "spain_laliga"),
    ("France", "fr", "france_ligue-1"),
)
LOOKALIKES = (
    ("Arsenal de Sarandí", "Argentina", ""),
    ("Everton", "Chile", ""),
    ("Liverpool", "Uruguay", ""),
    ("Barcelona SC", "Ecuador", ""),
    ("Nacional Madrid", "Spain", ""),
    ("Paris FC", "France", ""),
    ("Atlético Madrileño", "Spain", ""),
    ("Sporting Toulon", "France", ""),
    ("Deportivo Alavés B", "Spain", "reserve"),
    ("FC Barcelona B", "Spain", "reserve"),
    ("Arsenal Women", "England", "women"),
    ("Manchester City U23", "England", "u23"),
    ("Olympique Lyonnais Féminin", "France", "women"),
)
"""Known teams that must never be taken: name, country, squad."""


@dataclass(slots=True)
class Tally:
    """What became of the records whose truth is known: ``new`` were taken for unknown although they are known."""

    right: int = 0
    wrong: int = 0
    asked: int = 0
    new: int = 0

    def add(self, other: Tally) -> None:
        """Count together."""
        self.right, self.wrong = self.right + other.right, self.wrong + other.wrong
        self.asked, self.new = self.asked + other.asked, self.new + other.new

    @property
    def precision(self) -> float:
        """Right among the applied."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Right among all."""
        total = self.right + self.wrong + self.asked + self.new
        return self.right / total if total else 1.0


Scored = list[tuple[SourceFixture, tuple[int, int]]]


def wyscout() -> list[Entry]:
    """The known side."""
    lists = ("England", "Spain", "France", "World_Cup")
    return [entry for name in lists for entry in read("wyscout", DATA / f"wyscout/matches_{name}.json.gz").entries]


def openfootball(league: str, season: str = "2017-18") -> Scored:
    """A season of openfootball with results."""
    entries = read("openfootball", DATA / f"openfootball/{season}/{league}.1.json.gz").entries
    return [(entry.fixture, entry.score) for entry in entries if entry.score is not None]


def odds(league: str, country: str, season: str = "2017-2018") -> Scored:
    """A season of the odds files with results; their hours are Central European."""
    found: Scored = []
    zone = ZoneInfo("Europe/Paris")
    competition = SourceCompetition("odds", league, league.split("_")[1], country, f"{season[:4]}/{season[-2:]}")
    for row in _rows(DATA / f"odds/{league}.csv.gz"):
        if row["Season"] == season:
            kickoff = int(datetime.fromisoformat(row["Date"]).replace(tzinfo=zone).timestamp()) * 1000
            teams = [SourceTeam("odds", row[side], (row[side],)) for side in ("HomeTeam", "AwayTeam")]
            fixture_id = f"{season}/{row['HomeTeam']}/{row['AwayTeam']}/{row['Date'][:10]}"
            fixture = SourceFixture("odds", fixture_id, competition, teams[0], teams[1], kickoff, row["Date"][:10])
            found.append((fixture, (int(row["FTHG"]), int(row["FTAG"]))))
    return found


def internationals() -> Scored:
    """Men's internationals of June and July 2018: days without hours."""
    found: Scored = []
    for row in _rows(DATA / "international_results/results_before_2025.csv.gz"):
        if "2018-06-01" <= row["date"] <= "2018-07-20":
            competition = SourceCompetition("results", row["tournament"], row["tournament"], "", "2018")
            teams = [SourceTeam("results", row[s], (row[s],), "", True) for s in ("home_team", "away_team")]
            fixture_id = f"{row['date']}/{row['home_team']}/{row['away_team']}"
            fixture = SourceFixture("results", fixture_id, competition, teams[0], teams[1], None, row["date"])
            found.append((fixture, (int(row["home_score"]), int(row["away_score"]))))
    return found


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with gzip.open(path) as packed:
        yield from csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8"))


def known() -> tuple[Registry, Scored]:
    """Wyscout's fixtures as a registry, with the teams that look alike; and their results."""
    entries = wyscout()
    registry = resolve(Registry(), [entry.fixture for entry in entries]).registry
    for number, (name, country, squad) in enumerate(LOOKALIKES):
        assert squad_of(name) == squad, name
        registry.teams[f"te-lookalike{number}"] = Team(f"te-lookalike{number}", (name,), (country.lower(),), squad)
    return registry, [(entry.fixture, entry.score) for entry in entries if entry.score is not None]


def fingerprints(scored: Scored) -> dict[str, list[tuple[int, int]]]:
    """Every team's results in order of date: goals for and against."""
    found: dict[str, list[tuple[int, int]]] = {}
    for fixture, (home, away) in sorted(scored, key=lambda item: (at_ms(item[0]), item[0].fixture_id)):
        found.setdefault(fixture.home.team_id, []).append((home, away))
        found.setdefault(fixture.away.team_id, []).append((away, home))
    return found


def truth(source: Scored, target: Scored) -> dict[str, str]:
    """Which team of ``target`` each team of ``source`` is: at least 9 in 10 of its results, in order, are the same."""
    theirs = fingerprints(target)
    found = {}
    for team, results in fingerprints(source).items():
        same = {
            other: sum(a == b for a, b in zip(results, theirs[other], strict=False))
            / max(len(results), len(theirs[other]))
            for other in theirs
        }
        best = max(same, key=lambda t: same[t])
        if same[best] >= 0.9 and len(results) >= 3:
            found[team] = best
    return found


def count(found: Resolution, teams: dict[str, str], target: Scored, source: Sequence[SourceFixture]) -> Tally:
    """Teams and fixtures of ``source`` against the truth."""
    links = found.registry.links
    pairs = {(f.home.team_id, f.away.team_id): f.fixture_id for f, _ in target}
    tally = Tally()
    asked = {question.key for question in found.questions} | set(found.held)
    provider = source[0].provider
    theirs = target[0][0].provider
    wanted = {(Kind.TEAM, provider, team): (Kind.TEAM, theirs, to) for team, to in teams.items()}
    for fixture in source:
        pair = (teams.get(fixture.home.team_id, ""), teams.get(fixture.away.team_id, ""))
        if pair in pairs:
            wanted[Kind.FIXTURE, provider, fixture.fixture_id] = (Kind.FIXTURE, theirs, pairs[pair])
    listed = {t for f in source for t in (f.home.team_id, f.away.team_id)}
    for key, to in links.items():  # records that are none of the known ones
        if key[1] == provider and key[0] is not Kind.COMPETITION and key not in wanted:
            tally.wrong += _is_known(to, links, provider)
    for key, right in wanted.items():
        if key[0] is Kind.TEAM and key[2] not in listed:
            continue
        if key in asked:
            tally.asked += 1
        elif links[key] == links[right]:
            tally.right += 1
        elif _is_known(links[key], links, provider):
            tally.wrong += 1
        else:
            tally.new += 1
    return tally


def _is_known(canonical: str, links: Mapping[Key, str], provider: str) -> bool:
    return "lookalike" in canonical or any(key[1] != provider and to == canonical for key, to in links.items())


Change = Callable[[SourceFixture, random.Random], SourceFixture | None]


def _days(fixture: SourceFixture, _rng: random.Random) -> SourceFixture:
    return replace(fixture, kickoff_ms=None)


def _nowhere(fixture: SourceFixture, _rng: random.Random) -> SourceFixture:
    return replace(fixture, competition=replace(fixture.competition, country=""))


def _untidy(fixture: SourceFixture, rng: random.Random) -> SourceFixture | None:
    """A fifth is missing, a tenth is off by up to three days."""
    if rng.random() < 0.2:
        return None
    shift = rng.choice((-72, -48, -24, 24, 48, 72)) * HOUR_MS if rng.random() < 0.1 else 0
    return replace(fixture, kickoff_ms=at_ms(fixture) + shift)


def _codes(fixture: SourceFixture, _rng: random.Random) -> SourceFixture:
    def code(team: SourceTeam) -> SourceTeam:
        letters = "".join(c for c in team.names[0] if c.isascii() and c.isalpha())
        return replace(team, names=(letters[:3].upper(),))

    return replace(fixture, home=code(fixture.home), away=code(fixture.away))


def _typos(fixture: SourceFixture, rng: random.Random) -> SourceFixture:
    def typo(team: SourceTeam) -> SourceTeam:
        letters = list(team.names[0])
        at = rng.randrange(1, len(letters) - 1)
        letters[at], letters[at - 1] = letters[at - 1], letters[at]
        return replace(team, names=("".join(letters),))

    return replace(fixture, home=typo(fixture.home), away=typo(fixture.away))


def _years_later(fixture: SourceFixture, _rng: random.Random) -> SourceFixture:
    """No known fixture in reach: names alone."""
    kickoff = at_ms(fixture) + 8 * 365 * 24 * HOUR_MS
    season = replace(fixture.competition, season="2025/26", name="Another competition")
    return replace(fixture, kickoff_ms=kickoff, day=f"{int(fixture.day[:4]) + 8}-01-01", competition=season)


WHOLE: dict[str, Change | None] = {
    "whole seasons": None,
    "days without hours": _days,
    "country unknown": _nowhere,
    "a fifth missing, a tenth on other days": _untidy,
    "three letters instead of names": _codes,
    "a typing mistake in every name": _typos,
    "names alone": _years_later,
}


QUICK = ("a fifth missing, a tenth on other days", "names alone")


def measure(quick: bool = False) -> dict[str, Tally]:
    """By setting: what became of the teams and fixtures."""
    registry, target = known()
    sources = [s for country, of, odd in LEAGUES for s in (openfootball(of), odds(odd, country))]
    sources.append(internationals())
    # Warm-up matches are none of the known side's: they would disturb the order of results.
    pairs = [
        (source, truth([item for item in source if item[0].competition.name != "Friendly"], target))
        for source in sources
    ]
    tallies: dict[str, Tally] = {}
    for name, change in WHOLE.items():
        if quick and name not in QUICK:
            continue
        tallies[name] = Tally()
        for source, teams in pairs:
            rng = random.Random(f"{name}{source[0][0].provider}")
            changed = [change(f, rng) if change else f for f, _ in source]
            given = [f for f in changed if f is not None]
            found = resolve(registry, given)
            if change is _years_later:  # other fixtures of the same teams
                tally = _only_teams(found, teams, given[0].provider)
            else:
                tally = count(found, teams, target, given)
            tallies[name].add(tally)
    tallies["one fixture at a time"] = singles = Tally()
    step = 150 if quick else 1
    for source, teams in pairs:
        for fixture, _ in source[::step]:
            singles.add(count(resolve(registry, [fixture]), teams, target, [fixture]))
    tallies["2024/25, used for no threshold"] = unseen = Tally()
    for country, of, odd in LEAGUES:
        source = odds(odd, country, "2024-2025")
        last = max(fixture.day for fixture, _ in source)  # the odds end in autumn
        whole = openfootball(of, "2024-25")
        there = resolve(Registry(), [fixture for fixture, _ in whole]).registry
        teams = truth(source, [item for item in whole if item[0].day <= last])
        unseen.add(count(resolve(there, [f for f, _ in source]), teams, whole, [f for f, _ in source]))
    return tallies


def _only_teams(found: Resolution, teams: dict[str, str], provider: str) -> Tally:
    tally, links = Tally(), found.registry.links
    asked = {question.key for question in found.questions}
    for team, to in teams.items():
        key = (Kind.TEAM, provider, team)
        if key in asked:
            tally.asked += 1
        elif links[key] == links[Kind.TEAM, "wyscout", to]:
            tally.right += 1
        elif _is_known(links[key], links, provider):
            tally.wrong += 1
        else:
            tally.new += 1
    return tally


def run(quick: bool = False) -> list[Result]:
    """Seconds for the three leagues, and precision and recall by setting. Without the development data: nothing."""
    if not DATA.is_dir():
        return []
    registry, _ = known()
    fixtures = [f for _, of, _ in LEAGUES for f, _ in openfootball(of)]
    runs = []
    for _ in range(1 if quick else 5):
        start = time.perf_counter()
        resolve(registry, fixtures)
        runs.append(time.perf_counter() - start)
    found = [result("1,140 fixtures of three leagues", "s", runs)]
    for name, tally in measure(quick).items():
        found.append(result(f"{name}: wrong", "records", [tally.wrong]))
        found.append(result(f"{name}: recall", "share", [tally.recall]))
    return found


def main() -> None:
    """Print the table."""
    print("| setting | records | right | wrong | asked | taken for new | precision | recall |")
    print("|---|---|---|---|---|---|---|---|")
    for name, t in measure().items():
        total = t.right + t.wrong + t.asked + t.new
        print(
            f"| {name} | {total:,} | {t.right:,} | {t.wrong} | {t.asked} | {t.new} "
            f"| {t.precision:.4f} | {t.recall:.4f} |"
        )


if __name__ == "__main__":
    main()

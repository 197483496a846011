"""Which known team is each team of one season: names, countries, and whom they play when.

One-to-one within the season: the best pairing overall is taken, and what stands close to another reading of it is asked
of a person. The fixtures are the strongest witness: two teams that meet on the day on which two known teams meet
speak for each other, and a team cannot play two matches at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.identity import names
from ingest.identity.assign import pair
from ingest.identity.model import HOUR_MS, NEAR_MS, Fixture, SourceFixture, SourceTeam, Team, apart_ms, at_ms

CERTAIN = 0.80
MARGIN = 0.20
"""A certain pair scores at least CERTAIN, and MARGIN more than any other reading of either team."""
ALONE = 0.93
"""What a name must score when no fixture can be compared; the countries must be known and agree."""
SCHEDULE_FIXTURES, SCHEDULE_AGREED, SCHEDULE_MARGIN = 8, 0.80, 0.30
"""From this many comparable fixtures on, this share of them agreeing proves a team whatever its name."""
JOINT, JOINT_MARGIN, JOINT_NAME = 0.70, 0.30, 0.50
"""One fixture alone proves both teams when their names score JOINT together, each JOINT_NAME, far before any other."""
FLOOR = 0.45
"""Below this nobody needs to be asked: another team."""
LOOKS, CLEAR = 3, 0.20
"""Each further look takes the opponents for granted that stood CLEAR before all other readings in the one before."""
_NOTHING = 0.05
_SAME_HOUR_MS = 3 * HOUR_MS + HOUR_MS // 3
"""Kick-offs this close cannot be two matches of one team; leaves room for a mistaken zone."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a source team and a known one agree. ``met`` of ``compared`` fixtures coincide, opponents considered."""

    name: float
    met: float
    compared: int
    locked: bool = False  # its opponent of the same hour is known for certain
    country: bool = False  # known on both sides, and equal
    joint: bool = False  # proved by one fixture together with its opponent

    @property
    def agreement(self) -> float:
        """Share of the comparable fixtures that coincide."""
        return self.met / self.compared if self.compared else 0.0

    @property
    def total(self) -> float:
        """0 to 1: the name, and the fixtures the more they are."""
        return (1 - self.trust) * self.name + self.trust * self.agreement

    @property
    def trust(self) -> float:
        """What the fixtures weigh beside the name."""
        return 0.6 * self.compared / (self.compared + 2)

    @property
    def evidence(self) -> str:
        """For a person."""
        words = [f"name {self.name:.2f}"]
        if self.compared:
            words.append(f"{self.met:.1f} of {self.compared} fixtures coincide")
        if self.locked:
            words.append("plays the same opponent at the same hour")
        if self.country:
            words.append("same country")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``certain`` is the known team's id; otherwise ``candidates`` (best first) are for a person, none: a new team."""

    certain: str | None
    candidates: tuple[tuple[str, Score], ...]


def compatible(team: SourceTeam, squad: str, league: str, known: Team) -> bool:
    """Whether nothing forbids that they are one: squad, kind, country. ``league`` is the competition's country."""
    if squad != known.squad or (None not in (team.national, known.national) and team.national != known.national):
        return False
    if team.national and known.national:
        return True
    mine = {names.country(c) for c in (team.country, league) if c}
    return not mine or not known.countries or bool(mine & set(known.countries))


def match_teams(
    fixtures: Sequence[SourceFixture],
    squads: Mapping[str, str],
    known: Mapping[str, Team],
    calendar: Iterable[Fixture],
    linked: Mapping[str, str],
    barred: frozenset[tuple[str, str]] = frozenset(),
) -> dict[str, Verdict]:
    """A verdict for every team of one season's ``fixtures`` that is not ``linked`` yet.

    ``squads`` tells each team's squad, ``calendar`` the known fixtures around the same days, ``barred`` the pairs that
    a person ruled out. A known team that is linked already is taken: no other team of the season can be it.
    """
    teams = {team.team_id: team for fixture in fixtures for team in (fixture.home, fixture.away)}
    league = fixtures[0].competition.country if fixtures else ""
    taken = set(linked.values())
    allowed = {
        (team_id, known_id)
        for team_id, team in teams.items()
        if team_id not in linked
        for known_id, other in known.items()
        if known_id not in taken
        and (team_id, known_id) not in barred
        and compatible(team, squads[team_id], league, other)
    }
    by_name = {(t, k): names.best(teams[t].names, known[k].names) for t, k in allowed}
    meetings = _meetings(fixtures, calendar)
    covered = _coverage(meetings)
    alike = dict(by_name) | dict.fromkeys(linked.items(), 1.0)
    scores: dict[tuple[str, str], Score] = {}
    for _ in range(LOOKS):
        scores = _scores(allowed, by_name, alike, meetings, covered, teams, known, league, linked)
        alike = {key: max(by_name[key], score.total) for key, score in scores.items()}
        alike |= dict.fromkeys(linked.items(), 1.0) | dict.fromkeys(_clear(scores), 1.0)
    return _verdicts([t for t in teams if t not in linked], scores)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A fixture of the source and the known ones around its day, with how close each is (0 to 1)."""

    fixture: SourceFixture
    near: tuple[tuple[Fixture, float, bool], ...]  # the known fixture, closeness, within the same hours


def _meetings(fixtures: Sequence[SourceFixture], calendar: Iterable[Fixture]) -> tuple[list[_Meeting], list[Fixture]]:
    days: dict[int, list[Fixture]] = {}
    every = list(calendar)
    for found in every:
        days.setdefault(at_ms(found) // NEAR_MS, []).append(found)
    meetings = []
    for fixture in fixtures:
        day = at_ms(fixture) // NEAR_MS
        near = []
        for other in (g for d in (day - 1, day, day + 1) for g in days.get(d, ())):
            apart = apart_ms(fixture, other)
            if apart <= NEAR_MS:
                exact = fixture.kickoff_ms is not None and other.kickoff_ms is not None
                close = 1.0 if exact and apart <= HOUR_MS // 4 else 0.9 if apart <= _SAME_HOUR_MS else 0.6
                near.append((other, close, exact and apart <= _SAME_HOUR_MS))
        meetings.append(_Meeting(fixture, tuple(near)))
    return meetings, every


def _coverage(found: tuple[list[_Meeting], list[Fixture]]) -> dict[str, tuple[int, int]]:
    """From when to when each known team's fixtures are known: outside of it a missing one says nothing."""
    span: dict[str, tuple[int, int]] = {}
    for fixture in found[1]:
        at = at_ms(fixture)
        for team in (fixture.home_id, fixture.away_id):
            low, high = span.get(team, (at, at))
            span[team] = (min(low, at), max(high, at))
    return span


def _scores(
    allowed: set[tuple[str, str]],
    by_name: Mapping[tuple[str, str], float],
    alike: Mapping[tuple[str, str], float],
    found: tuple[list[_Meeting], list[Fixture]],
    covered: Mapping[str, tuple[int, int]],
    teams: Mapping[str, SourceTeam],
    known: Mapping[str, Team],
    league: str,
    linked: Mapping[str, str],
) -> dict[tuple[str, str], Score]:
    met: dict[tuple[str, str], float] = {}
    locked: set[tuple[str, str]] = set()
    joint: set[tuple[str, str]] = set()
    times: dict[str, list[int]] = {}
    for meeting in found[0]:
        home, away = meeting.fixture.home.team_id, meeting.fixture.away.team_id
        for team in (home, away):
            times.setdefault(team, []).append(at_ms(meeting.fixture))
        here: dict[tuple[str, str], float] = {}
        readings: list[tuple[float, float, Fixture]] = []
        for other, close, same_hour in meeting.near:
            left, right = alike.get((home, other.home_id), 0.0), alike.get((away, other.away_id), 0.0)
            for key, opponent in (((home, other.home_id), right), ((away, other.away_id), left)):
                here[key] = max(here.get(key, 0.0), close * opponent)
            if same_hour and linked.get(away) == other.away_id:
                locked.add((home, other.home_id))
            if same_hour and linked.get(home) == other.home_id:
                locked.add((away, other.away_id))
            readings.append(((left * right) ** 0.5 * close, min(left, right), other))
            crossed = (alike.get((home, other.away_id), 0.0) * alike.get((away, other.home_id), 0.0)) ** 0.5
            readings.append((crossed * close, 0.0, other))  # the sides swapped: never proves, only disputes
        for key, value in here.items():
            met[key] = met.get(key, 0.0) + value
        readings.sort(key=lambda reading: (-reading[0], reading[2].fixture_id))
        second = readings[1][0] if len(readings) > 1 else 0.0
        first = readings[0] if readings else None
        if first and first[0] >= JOINT and first[1] >= JOINT_NAME and first[0] - second >= JOINT_MARGIN:
            joint |= {(home, first[2].home_id), (away, first[2].away_id)}
    scores = {}
    for key in allowed:
        team, known_id = key
        low, high = covered.get(known_id, (0, -1))
        compared = sum(low - NEAR_MS <= at <= high + NEAR_MS for at in times[team])
        mine = {names.country(c) for c in (teams[team].country, league) if c}
        same = bool(mine & set(known[known_id].countries)) or bool(teams[team].national and known[known_id].national)
        scores[key] = Score(by_name[key], met.get(key, 0.0), compared, key in locked, same, key in joint)
    return scores


def _rivals(key: tuple[str, str], scores: Mapping[tuple[str, str], Score]) -> float:
    """The best other reading of either team. One without fixtures to compare has its name alone to set against them."""
    trust = scores[key].trust
    found = 0.0
    for other, score in scores.items():
        if other != key and (other[0] == key[0] or other[1] == key[1]):
            found = max(found, score.total if score.compared else (1 - trust) * score.name)
    return found


def _paired(scores: Mapping[tuple[str, str], Score]) -> dict[str, str]:
    """The best pairing; what the fixtures prove comes before what a name alone suggests."""
    return pair({k: s.total + s.trust * s.agreement for k, s in scores.items() if s.total > _NOTHING})


def _clear(scores: Mapping[tuple[str, str], Score]) -> list[tuple[str, str]]:
    chosen = _paired(scores)
    return [key for key in chosen.items() if scores[key].total - _rivals(key, scores) >= CLEAR]


def _verdicts(teams: Sequence[str], scores: Mapping[tuple[str, str], Score]) -> dict[str, Verdict]:
    chosen = _paired(scores)
    rows: dict[str, list[tuple[str, Score]]] = {team: [] for team in teams}
    for (team, known_id), score in sorted(scores.items()):
        rows[team].append((known_id, score))
    certain = {
        team: known_id
        for team, known_id in sorted(chosen.items())
        if _is_certain(scores[team, known_id], _rivals((team, known_id), scores))
    }
    taken = set(certain.values())
    verdicts = {}
    for team in sorted(teams):
        left = [(k, s) for k, s in rows[team] if k not in taken and (s.total >= FLOOR or s.name >= FLOOR or s.locked)]
        left.sort(key=lambda item: (-item[1].total, item[0]))
        verdicts[team] = Verdict(certain[team], ()) if team in certain else Verdict(None, tuple(left[:5]))
    return verdicts


def _is_certain(score: Score, rival: float) -> bool:
    """The rules of the constants above; each was set on real seasons so that it made no mistake there."""
    margin = score.total - rival
    if not score.compared:
        return score.name >= ALONE and score.country and margin >= MARGIN
    if score.compared >= SCHEDULE_FIXTURES and score.agreement >= SCHEDULE_AGREED and margin >= SCHEDULE_MARGIN:
        return True
    if score.total >= CERTAIN and score.agreement >= 0.5 and margin >= MARGIN:
        return True
    return score.joint and margin > 0

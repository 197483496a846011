"""Source records get their identity: what is certain is linked, what is not becomes a question, the rest is new.

Pure, and the same whatever the order of the records: seasons are taken in the order of the sources' rank, and records
within them by name. What was linked before stays, unless a person's decision says otherwise. A question holds back its
record, and the fixtures of a team in question, until somebody answers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.identity import names
from ingest.identity.decisions import Decisions
from ingest.identity.fixtures import Sided, Verdict, match_fixtures
from ingest.identity.model import (
    NEAR_MS,
    Candidate,
    Competition,
    Fixture,
    Flag,
    Key,
    Kind,
    Link,
    Question,
    Registry,
    SourceCompetition,
    SourceFixture,
    SourceTeam,
    Team,
    Told,
    as_told,
    at_ms,
)
from ingest.identity.teams import match_teams

_PREFIX = {Kind.COMPETITION: "co", Kind.TEAM: "te", Kind.FIXTURE: "fx", Kind.PLAYER: "pl"}
SAME_COMPETITION = 0.6
"""A season is one of a known competition when this share of its fixtures is known as that competition's, 3 at least."""


ALIKE_COMPETITION = 0.6
"""Competitions of one country whose names are this similar are asked about."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The registry afterwards, and how it came about. ``held`` are fixtures that wait for an answer on a team."""

    registry: Registry
    links: tuple[Link, ...]
    questions: tuple[Question, ...]
    flags: tuple[Flag, ...]
    held: tuple[Key, ...]


def mint(kind: Kind, provider: str, source_id: str, used: Iterable[str] = ()) -> str:
    """A new canonical id, always the same for the same first record; another one only where that is in use."""
    taken, turn = set(used), ""
    while True:
        raw = "\0".join((kind, provider, source_id, turn)).encode()
        found = f"{_PREFIX[kind]}-{hashlib.sha256(raw).hexdigest()[:16]}"
        if found not in taken:
            return found
        turn += "+"


def resolve(
    registry: Registry,
    fixtures: Iterable[SourceFixture],
    decisions: Decisions | None = None,
    rank: Sequence[str] = (),
) -> Resolution:
    """Give every record of ``fixtures`` its identity. ``rank`` names the providers whose seasons come first."""
    work = _Work(registry.copy(), decisions or Decisions())
    work.unlink()
    seasons: dict[tuple[int, str, str, str], dict[str, SourceFixture]] = {}
    for fixture in fixtures:
        c = fixture.competition
        place = rank.index(c.provider) if c.provider in rank else len(rank)
        seasons.setdefault((place, c.provider, c.competition_id, c.season), {})[fixture.fixture_id] = fixture
    for key in sorted(seasons):
        work.season([seasons[key][fixture_id] for fixture_id in sorted(seasons[key])])
    return Resolution(
        work.registry, tuple(work.links), tuple(work.questions), tuple(work.flags), tuple(sorted(work.held))
    )


class _Work:
    """One resolution under way."""

    def __init__(self, registry: Registry, decisions: Decisions) -> None:
        self.registry, self.decisions = registry, decisions
        self.links: list[Link] = []
        self.questions: list[Question] = []
        self.flags: list[Flag] = []
        self.held: set[Key] = set()

    def unlink(self) -> None:
        """Take back the links that people contradict."""
        links = self.registry.links
        alone = {key for key in self.decisions.new if key in links and self._founded(key)}
        for key in [*self.decisions.new, *self.decisions.same, *(key for key, _ in self.decisions.different)]:
            to = links.get(key)
            if to is None or key in alone or to == self.decisions.same.get(key):
                continue
            if key in self.decisions.new or key in self.decisions.same or (key, to) in self.decisions.different:
                del links[key]
                if key[0] is Kind.TEAM:
                    self.registry.told.pop(key, None)
                    self._again(to)

    def _founded(self, key: Key) -> bool:
        """Whether the record is alone in its entity, so that it is new already."""
        return sum(to == self.registry.links[key] for to in self.registry.links.values()) == 1

    def season(self, fixtures: Sequence[SourceFixture]) -> None:
        """One season of one source."""
        source = fixtures[0].competition
        link = self._competition(source)
        self._teams(fixtures)
        self._fixtures(source, fixtures, link)

    # Competitions

    def _competition(self, source: SourceCompetition) -> str | None:
        """The known competition: linked, decided, or of the same name and country."""
        key = (Kind.COMPETITION, source.provider, source.competition_id)
        if key in self.registry.links:
            return self.registry.links[key]
        if key in self.decisions.same:
            self._link(key, self.decisions.same[key], "decided")
            return self.decisions.same[key]
        if key in self.decisions.new:
            return None
        wanted = names.plain(source.name), names.country(source.country), names.squad_of(source.name)
        for competition_id, known in sorted(self.registry.competitions.items()):
            is_same = (names.plain(known.name), names.country(known.country), names.squad_of(known.name)) == wanted
            if wanted[0] and is_same and (key, competition_id) not in self.decisions.different:
                self._link(key, competition_id, "certain", 1.0, "same name and country")
                return competition_id
        return None

    def _settle_competition(
        self, source: SourceCompetition, sides: dict[str, tuple[str, str, SourceFixture]]
    ) -> str | None:
        """The competition whose fixtures these are by what is known of them, else a new one; None: asked."""
        key = (Kind.COMPETITION, source.provider, source.competition_id)
        known: dict[tuple[str, str], list[Fixture]] = {}
        for g in self.registry.fixtures.values():
            known.setdefault((g.home_id, g.away_id), []).append(g)
        votes: dict[str, int] = {}
        for home, away, fixture in sides.values():
            near = [g for g in known.get((home, away), ()) if abs(at_ms(g) - at_ms(fixture)) <= NEAR_MS]
            for competition_id in {g.competition_id for g in near}:
                votes[competition_id] = votes.get(competition_id, 0) + 1
        barred = {to for record, to in self.decisions.different if record == key}
        ranked = sorted(((count, to) for to, count in votes.items() if to not in barred), reverse=True)
        if key not in self.decisions.new and ranked and len(sides) and ranked[0][0] >= min(3, len(sides)):
            count, to = ranked[0]
            if count >= SAME_COMPETITION * len(sides):
                self._link(key, to, "certain", count / len(sides), f"{count} of {len(sides)} fixtures are its")
                return to
        if key not in self.decisions.new and (alike := self._alike(source, barred)):
            self.questions.append(Question(key, f"{source.name} {source.country} {source.season}", alike))
            return None
        found = mint(Kind.COMPETITION, source.provider, source.competition_id, self.registry.competitions)
        self.registry.competitions[found] = Competition(found, source.name, names.country(source.country))
        self._link(key, found, "decided" if key in self.decisions.new else "new")
        return found

    def _alike(self, source: SourceCompetition, barred: set[str]) -> tuple[Candidate, ...]:
        """Known competitions of the country with much the same name, unless this source has them under another id."""
        linked = {
            to
            for (kind, provider, _), to in self.registry.links.items()
            if kind is Kind.COMPETITION and provider == source.provider
        }
        found = []
        for competition_id, known in sorted(self.registry.competitions.items()):
            score = names.similarity(source.name, known.name)
            same = names.country(source.country) == names.country(known.country)
            if same and score >= ALIKE_COMPETITION and competition_id not in linked | barred:
                found.append(Candidate(competition_id, known.name, round(score, 3), f"name {score:.2f}, same country"))
        return tuple(sorted(found, key=lambda c: (-c.score, c.canonical))[:5])

    # Teams

    def _teams(self, fixtures: Sequence[SourceFixture]) -> None:
        source = fixtures[0].competition
        teams = {team.team_id: team for fixture in fixtures for team in (fixture.home, fixture.away)}
        squads = {team_id: names.squad_of(*team.names[:1], source.name) for team_id, team in teams.items()}
        for team_id, team in sorted(teams.items()):
            key = (Kind.TEAM, source.provider, team_id)
            if key in self.registry.links:
                self._learn(key, self.registry.links[key], team, source)
            elif key in self.decisions.same and self.decisions.same[key] in self.registry.teams:
                self._link(key, self.decisions.same[key], "decided")
                self._learn(key, self.decisions.same[key], team, source)
            elif key in self.decisions.new:
                self._new_team(key, team, squads[team_id], source, "decided")
        linked = {
            team_id: self.registry.links[Kind.TEAM, source.provider, team_id]
            for team_id in teams
            if (Kind.TEAM, source.provider, team_id) in self.registry.links
        }
        if len(linked) == len(teams):
            return
        low, high = min(map(at_ms, fixtures)) - 2 * NEAR_MS, max(map(at_ms, fixtures)) + 2 * NEAR_MS
        calendar = [g for _, g in sorted(self.registry.fixtures.items()) if low <= at_ms(g) <= high]
        barred = self.decisions.barred(Kind.TEAM, source.provider)
        verdicts = match_teams(fixtures, squads, dict(sorted(self.registry.teams.items())), calendar, linked, barred)
        for team_id, verdict in verdicts.items():
            key, team = (Kind.TEAM, source.provider, team_id), teams[team_id]
            if verdict.certain is not None:
                self._link(key, verdict.certain, "certain")
                self._learn(key, verdict.certain, team, source)
            elif verdict.candidates:
                told = tuple(
                    Candidate(k, self.registry.teams[k].names[0], round(s.total, 3), s.evidence)
                    for k, s in verdict.candidates
                )
                self.questions.append(Question(key, _team_label(team, source), told))
            else:
                self._new_team(key, team, squads[team_id], source, "new")

    def _new_team(self, key: Key, team: SourceTeam, squad: str, source: SourceCompetition, how: str) -> None:
        found = mint(Kind.TEAM, source.provider, team.team_id, self.registry.teams)
        self.registry.teams[found] = Team(found, (), (), squad)
        self._link(key, found, how)
        self._learn(key, found, team, source)

    def _learn(self, key: Key, canonical: str, team: SourceTeam, source: SourceCompetition) -> None:
        """Keep what the record tells, beside what it told before."""
        before = self.registry.told.get(key, Told((), (), None))
        told = Told(
            tuple(sorted({*before.names, *team.names})),
            tuple(sorted({*before.countries, *_countries(team, source)})),
            team.national if team.national is not None else before.national,
        )
        if told != before:
            self.registry.told[key] = told
            self._again(canonical)

    def _again(self, canonical: str) -> None:
        """The team as its remaining records tell it; without any, it is no team to be found any more."""
        links = self.registry.links
        records = [told for key, told in sorted(self.registry.told.items()) if links.get(key) == canonical]
        if records:
            self.registry.teams[canonical] = as_told(self.registry.teams[canonical], records)

    # Fixtures

    def _fixtures(self, source: SourceCompetition, fixtures: Sequence[SourceFixture], competition: str | None) -> None:
        sides: dict[str, tuple[str, str, SourceFixture]] = {}
        for fixture in fixtures:
            home = self.registry.links.get((Kind.TEAM, source.provider, fixture.home.team_id))
            away = self.registry.links.get((Kind.TEAM, source.provider, fixture.away.team_id))
            if home is None or away is None:
                self.held.add((Kind.FIXTURE, source.provider, fixture.fixture_id))
            elif home == away:
                text = f"{fixture.home.names[0]} and {fixture.away.names[0]} are the same team"
                self.flags.append(Flag("one_team", (Kind.FIXTURE, source.provider, fixture.fixture_id), text))
                self.held.add((Kind.FIXTURE, source.provider, fixture.fixture_id))
            else:
                sides[fixture.fixture_id] = (home, away, fixture)
        if not sides:
            return
        if competition is None:
            competition = self._settle_competition(source, sides)
        if competition is None:
            self.held |= {(Kind.FIXTURE, source.provider, fixture_id) for fixture_id in sides}
            return
        waiting: list[Sided] = []
        taken: set[str] = set()
        for fixture_id, (home, away, fixture) in sorted(sides.items()):
            key = (Kind.FIXTURE, source.provider, fixture_id)
            item = Sided(fixture, home, away, competition)
            decided = self.decisions.same.get(key)
            linked = self.registry.fixtures.get(self.registry.links.get(key, ""))
            if linked is not None and decided is None and (linked.home_id, linked.away_id) != (home, away):
                del self.registry.links[key]  # a team turned out to be another one
            if key in self.registry.links:
                taken.add(self.registry.links[key])
            elif decided is not None and decided in self.registry.fixtures:
                self._link(key, decided, "decided")
                taken.add(decided)
            elif key in self.decisions.new:
                taken.add(self._new_fixture(item, "decided"))
            else:
                waiting.append(item)
        teams = {team for item in waiting for team in (item.home_id, item.away_id)}
        known = [g for _, g in sorted(self.registry.fixtures.items()) if g.home_id in teams and g.away_id in teams]
        barred = self.decisions.barred(Kind.FIXTURE, source.provider)
        verdicts = match_fixtures(waiting, known, frozenset(taken), barred)
        for item in waiting:
            self._settle_fixture(item, verdicts[item.fixture.fixture_id])

    def _settle_fixture(self, item: Sided, verdict: Verdict) -> None:
        fixture = item.fixture
        key = (Kind.FIXTURE, fixture.provider, fixture.fixture_id)
        if verdict.flag:
            self.flags.append(Flag(verdict.flag, key, f"{_fixture_label(fixture)}: {verdict.text}"))
        if verdict.certain is not None:
            self._link(key, verdict.certain, "certain", 1.0, verdict.text)
        elif verdict.candidates:
            told = tuple(
                Candidate(g, self._known_label(self.registry.fixtures[g]), score, evidence)
                for g, score, evidence in verdict.candidates
            )
            self.questions.append(Question(key, _fixture_label(fixture), told))
            self.held.add(key)
        else:
            self._new_fixture(item, "new")

    def _new_fixture(self, item: Sided, how: str) -> str:
        fixture = item.fixture
        found = mint(Kind.FIXTURE, fixture.provider, fixture.fixture_id, self.registry.fixtures)
        self.registry.fixtures[found] = Fixture(
            found,
            item.competition_id,
            fixture.competition.season,
            item.home_id,
            item.away_id,
            fixture.kickoff_ms,
            fixture.day,
            fixture.round,
        )
        self._link((Kind.FIXTURE, fixture.provider, fixture.fixture_id), found, how)
        return found

    def _known_label(self, g: Fixture) -> str:
        home, away = self.registry.teams[g.home_id], self.registry.teams[g.away_id]
        return f"{home.names[0]} - {away.names[0]}, {g.day}"

    def _link(self, key: Key, canonical: str, how: str, score: float = 1.0, evidence: str = "") -> None:
        self.registry.links[key] = canonical
        self.links.append(Link(key, canonical, how, score, evidence))


def _countries(team: SourceTeam, source: SourceCompetition) -> tuple[str, ...]:
    return tuple(names.country(c) for c in (team.country, source.country) if c)


def _team_label(team: SourceTeam, source: SourceCompetition) -> str:
    return f"{team.names[0]} ({source.name or source.competition_id} {source.season})"


def _fixture_label(fixture: SourceFixture) -> str:
    return f"{fixture.home.names[0]} - {fixture.away.names[0]}, {fixture.day}"

"""Which known fixture is each fixture of one season whose teams are known: the pair, the sides, the day.

A postponed match keeps its identity where the pair is unique in the season; two meetings within days are told apart by
the best pairing of their times; sides that look swapped are never taken as they are, but asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.identity.assign import pair
from ingest.identity.model import HOUR_MS, NEAR_MS, Fixture, SourceFixture, apart_ms

_DAY_MS = 24 * HOUR_MS
_CLEAR_MS = 2 * HOUR_MS
"""Two meetings of a pair are told apart when the right one is this much closer in time."""
REDATED_MS = 5 * _DAY_MS
"""How far the only meeting of a pair in a season may have moved where a source names no rounds."""
_HORIZON_MS = 400 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Verdict:
    """``certain`` is the known fixture's id; otherwise ``candidates`` are for a person, none: a new fixture."""

    certain: str | None
    candidates: tuple[tuple[str, float, str], ...] = ()  # id, score, evidence
    flag: str = ""  # "swapped_sides" or "redated"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sided:
    """A fixture of the source with the known ids of its teams, competition and season."""

    fixture: SourceFixture
    home_id: str
    away_id: str
    competition_id: str


def round_of(text: str) -> str:
    """The round's number where it has one ("Matchday 6" is "6"), else its words."""
    found = re.findall(r"\d+", text)
    return found[-1] if found else " ".join(text.lower().split())


def match_fixtures(
    fixtures: Sequence[Sided],
    known: Iterable[Fixture],
    taken: frozenset[str] = frozenset(),
    barred: frozenset[tuple[str, str]] = frozenset(),
) -> dict[str, Verdict]:
    """A verdict for every fixture. ``taken`` are known fixtures that other records of this source are linked to."""
    of_pair: dict[frozenset[str], list[Fixture]] = {}
    for found in known:
        of_pair.setdefault(frozenset((found.home_id, found.away_id)), []).append(found)
    mine: dict[frozenset[str], list[Sided]] = {}
    for item in fixtures:
        mine.setdefault(frozenset((item.home_id, item.away_id)), []).append(item)
    verdicts: dict[str, Verdict] = {}
    for teams, items in mine.items():
        there = [g for g in of_pair.get(teams, ()) if g.fixture_id not in taken]
        verdicts |= _of_pair(items, there, barred)
    return verdicts


def _of_pair(
    items: Sequence[Sided], there: Sequence[Fixture], barred: frozenset[tuple[str, str]]
) -> dict[str, Verdict]:
    """The meetings of two teams: straight ones first and by time, then what is left with the sides swapped."""
    by_id = {item.fixture.fixture_id: item for item in items}
    known = {g.fixture_id: g for g in there}
    scores: dict[tuple[str, str], float] = {}
    for item in items:
        for g in there:
            key = (item.fixture.fixture_id, g.fixture_id)
            if key not in barred and (value := _score(item, g)) > 0:
                scores[key] = value
    chosen = pair(scores)
    verdicts = {}
    for fixture_id, item in sorted(by_id.items()):
        options = sorted(
            ((g, scores[fixture_id, g]) for g in known if (fixture_id, g) in scores), key=lambda o: (-o[1], o[0])
        )
        if fixture_id not in chosen:
            verdicts[fixture_id] = Verdict(None)
            continue
        verdicts[fixture_id] = _verdict(item, known[chosen[fixture_id]], options, items, known)
    return verdicts


def _score(item: Sided, g: Fixture) -> float:
    """Closeness in time; swapped sides need the same day and count half."""
    apart = apart_ms(item.fixture, g)
    if item.home_id != g.home_id:
        return 0.45 * (1 - apart / (2 * NEAR_MS)) if apart <= NEAR_MS else 0.0
    season = item.competition_id == g.competition_id and item.fixture.competition.season == g.season
    if apart <= NEAR_MS:
        return 1.0 - 0.1 * apart / NEAR_MS
    return 0.8 * (1 - apart / _HORIZON_MS) if season and apart < _HORIZON_MS else 0.0


def _verdict(
    item: Sided,
    g: Fixture,
    options: Sequence[tuple[str, float]],
    items: Sequence[Sided],
    known: Mapping[str, Fixture],
) -> Verdict:
    apart = apart_ms(item.fixture, g)
    told = tuple((other, round(score, 2), _evidence(item, known[other])) for other, score in options[:5])
    if item.home_id != g.home_id:
        return Verdict(None, told, "swapped_sides", "the sides are swapped between the sources")
    same = [other for other in known.values() if other.home_id == g.home_id and other is not g]
    if apart <= NEAR_MS:
        rivals = [apart_ms(item.fixture, other) for other in same if apart_ms(item.fixture, other) <= NEAR_MS]
        mine = [o for o in items if o is not item and o.home_id == item.home_id and apart_ms(o.fixture, g) <= NEAR_MS]
        rivals += [apart_ms(o.fixture, g) for o in mine]
        if not rivals or min(rivals) - apart >= _CLEAR_MS:
            return Verdict(g.fixture_id)
        return Verdict(None, told, "double_header", "the two meet more than once that day")
    alone = not same and sum(o.home_id == item.home_id for o in items) == 1
    rounds = round_of(item.fixture.round), round_of(g.round)
    told_apart = bool(rounds[0] and rounds[1] and rounds[0] != rounds[1])
    if alone and not told_apart and ((rounds[0] and rounds[1]) or apart <= REDATED_MS):
        return Verdict(g.fixture_id, (), "redated", f"the sources date it {apart // _DAY_MS} days apart")
    return Verdict(None, told, "redated", f"the sources date it {apart // _DAY_MS} days apart")


def _evidence(item: Sided, g: Fixture) -> str:
    sides = "same sides" if item.home_id == g.home_id else "sides swapped"
    return f"{sides}, {apart_ms(item.fixture, g) / HOUR_MS:.1f} h apart, round {g.round or '?'}"

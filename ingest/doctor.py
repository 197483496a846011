"""What a match file is and what is wrong with it. A pure core: rows in, a report out (`ingest.intake` reads files).

A finding is a problem (the match is not fit as it is) or a note (true of good files, too, and worth knowing). Codes are
stable; `ADVICE` says what to do about each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ingest.events import SHOOT_OUT, Event, Kind, Upsert, score
from ingest.facts import MatchFacts, MatchStatus
from ingest.feeds.base import Problem, split
from ingest.intake import Material, Source, packed
from ingest.timeline import Timeline

Doc = dict[str, Any]
GAP_S = 300
"""The longest silence in play of a real match at hand is 259 s."""

OFF_PITCH = 10.0
"""Per cent beyond the lines; up to that a ball out of play is reported where it was."""

PERIOD_MIN = {1: (40, 75), 2: (40, 75), 3: (13, 30), 4: (13, 30)}
"""Minutes that a whole period lasts, added time included."""

LATE_MS = 5_000
EXCERPT_GAP_MS = 600_000
"""Whoever leaves out so much play has chosen rows."""

ADVICE = {
    "bad_event": "ask the provider, or open the row: it was not used",
    "out_of_period": "the row's clock does not belong to its period: it was not used",
    "unknown_team": "check that the file is of this match: the row was not used",
    "unknown_type": "kept as 'other'; add the type to the adapter when its meaning is known",
    "unknown_card": "kept as 'other'; the colour is missing",
    "score_differs": "do not settle anything on this file before the difference is explained",
    "home_side_unknown": "give the file that tells the sides beside it",
    "no_match_id": "name the match yourself; the files do not",
    "no_events": "give the events of the match, too",
    "not_a_whole_match": "an excerpt or a match in play: good for looking at, not for replay or settlement",
    "no_period_start": "the playing clock has no kick-off to count from",
    "no_period_end": "the period never ends: the file may be cut",
    "period_length": "check the clock of the period",
    "outside_whistles": "events before the kick-off or after the final whistle of their period",
    "gap": "rows may be missing; ask for the document again, or take another feed for this time",
    "off_pitch": "the place was brought to the line; check the coordinate system",
    "conflicting_rows": "the row with the newest version counts",
    "no_index": "a fallback for the score and the cards; take another provider for the index",
    "bad_feed_line": "the feed file was changed or cut: take it from its source again",
    "arrival_runs_back": "the feed file was not written in order of arrival",
}
_NOTES = frozenset({"conflicting_rows", "unknown_type", "no_index"})


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` is a row number, a line, an event id or a clock."""

    code: str
    where: str
    text: str
    problem: bool
    advice: str


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """A period on the playing clock; ``announced_s`` is the added time that the feed announced."""

    period: int
    events: int
    first_ms: int
    last_ms: int
    started: bool
    ended: bool
    announced_s: int | None
    longest_gap_ms: int
    gap_at_ms: int


@dataclass(frozen=True, slots=True)
class Report:
    """A match. ``rows`` = ``used`` + ``outside`` (line-ups, after the match) + ``unusable``.

    A row that is used may make two events, or correct one.
    """

    provider: str
    match_id: str
    home: str
    away: str
    competition: str
    kickoff_unix_ms: int
    status: str
    feeds_index: bool
    whole: bool
    line_ups: tuple[int, ...]
    sources: tuple[Source, ...]
    rows: int
    used: int
    outside: int
    unusable: int
    events: int
    deleted: int
    duplicates: int
    corrections: int
    out_of_order: int
    kinds: tuple[tuple[str, int], ...]
    periods: tuple[PeriodReport, ...]
    score_by_events: tuple[int, int]
    score_by_header: tuple[int, int] | None
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.problem for finding in self.findings)


def finding(code: str, where: str, text: str) -> Finding:
    """A finding with the advice that belongs to its code."""
    return Finding(code, where, text, code not in _NOTES, ADVICE.get(code, ""))


def examine(material: Material, gap_s: int = GAP_S) -> Report:
    """Judge one match."""
    rows = _read(material)
    timeline = Timeline(material.info)
    for doc in material.recorded:
        timeline.apply(split(material.adapter.parse(material.info, doc))[0])
    events = timeline.events()
    periods = _periods(events)
    facts = material.facts
    official = material.official_score or (facts.score if facts is not None else None)
    by_events = score(events)
    found = [finding(p.code, p.where, p.text) for p in _unlike(material.problems, rows.problems)]
    found += [finding(p.code, p.where, p.text) for p in rows.problems]
    feeds_index = material.adapter.feeds_index
    whole = _whole(periods)
    if not feeds_index:  # so thin a feed is silent for long, and may tell no whistles
        text = f"no index can be made of {material.adapter.name}: it has no passes and no duels"
        found.append(finding("no_index", f"match {material.info.match_id}", text))
    else:
        found += _clock(periods, events, gap_s)
    if feeds_index and events and not whole:
        found.append(finding("not_a_whole_match", f"match {material.info.match_id}", _why_not_whole(periods)))
    if not events:
        found.append(finding("no_events", f"match {material.info.match_id}", "no event of any period"))
    if official is not None and by_events != official and not any(f.code == "score_differs" for f in found):
        text = f"the events make it {by_events[0]}-{by_events[1]}, the header says {official[0]}-{official[1]}"
        found.append(finding("score_differs", f"match {material.info.match_id}", text))
    return Report(
        provider=material.info.provider,
        match_id=material.info.match_id,
        home=material.info.home.name,
        away=material.info.away.name,
        competition=material.info.competition,
        kickoff_unix_ms=material.info.kickoff_unix_ms,
        status=str(facts.status if facts is not None else MatchStatus.UNKNOWN),
        feeds_index=feeds_index,
        whole=whole,
        line_ups=tuple(len(one.players) for one in facts.line_ups) if facts is not None else (),
        sources=material.sources,
        rows=len(material.rows),
        used=rows.used,
        outside=rows.outside,
        unusable=rows.unusable,
        events=len(timeline),
        deleted=len(timeline.tombstones()),
        duplicates=rows.duplicates,
        corrections=rows.corrections,
        out_of_order=rows.out_of_order,
        kinds=tuple(Counter(str(event.kind) for event in events).most_common()),
        periods=periods,
        score_by_events=by_events,
        score_by_header=official,
        findings=tuple(sorted(found, key=lambda f: not f.problem)),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows as they stand in the file."""

    problems: tuple[Problem, ...]
    used: int
    outside: int
    unusable: int
    duplicates: int
    corrections: int
    out_of_order: int


def _read(material: Material) -> _Rows:
    """Read the rows in their order; each problem gets the number of its row (from 1)."""
    line = 2 if material.arrivals_ms else 1  # a feed file's first line is its header
    word = "line" if material.arrivals_ms else "row"
    problems: list[Problem] = []
    seen: dict[str, bytes] = {}
    latest: dict[int, int] = {}
    used = outside = unusable = duplicates = corrections = out_of_order = 0
    for number, doc in enumerate(material.rows, start=line):
        changes, found = split(material.adapter.parse(material.info, doc))
        problems += [Problem(p.code, f"{word} {number}, {p.where}", p.text) for p in found]
        used += bool(changes)
        outside += not changes and not found
        unusable += not changes and bool(found)
        key, content = material.adapter.key(doc), packed(doc)
        if key and key in seen:
            duplicates += seen[key] == content
            corrections += seen[key] != content
        seen[key] = content
        problems += _off_pitch(material, doc, f"{word} {number}, event {key[:40]}")
        for change in changes:
            if isinstance(change, Upsert):
                period, at_ms = change.event.period, change.event.play_ms
                out_of_order += at_ms < latest.get(period, 0)
                latest[period] = max(at_ms, latest.get(period, 0))
    if corrections and not material.arrivals_ms:
        text = f"{corrections} rows came again with other content"
        problems.append(Problem("conflicting_rows", f"match {material.info.match_id}", text))
    return _Rows(tuple(problems), used, outside, unusable, duplicates, corrections, out_of_order)


def _off_pitch(material: Material, doc: Doc, where: str) -> list[Problem]:
    """Asks the adapter, where it can tell, how far (per cent) the row's place lies beyond the lines."""
    beyond = getattr(material.adapter, "beyond_lines", None)
    by = beyond(doc) if beyond is not None else 0.0
    return [Problem("off_pitch", where, f"{by:.0f} % beyond the lines")] if by > OFF_PITCH else []


def _unlike(loader: Iterable[Problem], rows: Sequence[Problem]) -> list[Problem]:
    """The loader's problems of codes that reading row by row has not told more precisely."""
    told = Counter(problem.code for problem in rows)
    known = Counter(problem.code for problem in loader)
    return [problem for problem in loader if known[problem.code] > told[problem.code]]


def _periods(events: Sequence[Event]) -> tuple[PeriodReport, ...]:
    found = []
    for period in sorted({event.period for event in events}):
        some = [event for event in events if event.period == period]
        times = [event.play_ms for event in some]
        gaps = [(later - earlier, earlier) for earlier, later in pairwise(times)]
        longest, at_ms = max(gaps, default=(0, 0))
        announced = [event.added_s for event in some if event.kind is Kind.ADDED_TIME and event.added_s is not None]
        found.append(
            PeriodReport(
                period=period,
                events=len(some),
                first_ms=times[0],
                last_ms=times[-1],
                started=any(event.kind is Kind.PERIOD_START for event in some),
                ended=any(event.kind is Kind.PERIOD_END for event in some),
                announced_s=announced[-1] if announced else None,
                longest_gap_ms=longest,
                gap_at_ms=at_ms,
            )
        )
    return tuple(found)


def clock(play_ms: int) -> str:
    """Playing time as people read it: minutes and seconds since the kick-off of the period."""
    return f"{play_ms // 60_000}:{play_ms // 1000 % 60:02d}"


def _clock(periods: Sequence[PeriodReport], events: Sequence[Event], gap_s: int) -> list[Finding]:
    found = []
    for one in periods:
        if one.period >= SHOOT_OUT:
            continue
        where = f"period {one.period}"
        if not one.started:
            found.append(finding("no_period_start", where, "no kick-off"))
        if not one.ended:
            found.append(
                finding("no_period_end", where, f"no final whistle; the last event is at {clock(one.last_ms)}")
            )
        shortest, longest = PERIOD_MIN[one.period]
        if one.started and one.ended and not shortest <= one.last_ms / 60_000 <= longest:
            text = f"it lasts {clock(one.last_ms)}, not {shortest} to {longest} minutes"
            found.append(finding("period_length", where, text))
        found += _after_whistle(where, [event for event in events if event.period == one.period])
    for earlier, later in pairwise(events):
        silent_ms = later.play_ms - earlier.play_ms
        if earlier.period == later.period < SHOOT_OUT and silent_ms > gap_s * 1000:
            where = f"period {earlier.period} at {clock(earlier.play_ms)}, after event {earlier.event_id[:40]}"
            found.append(finding("gap", where, f"no event for {silent_ms // 1000} s"))
    return found


def _after_whistle(where: str, events: Sequence[Event]) -> list[Finding]:
    ends = [event.play_ms for event in events if event.kind is Kind.PERIOD_END]
    late = [event for event in events if ends and event.play_ms > max(ends) + LATE_MS]
    if not late:
        return []
    text = f"{len(late)} events after the final whistle at {clock(max(ends))}"
    return [finding("outside_whistles", f"{where}, event {late[0].event_id[:40]}", text)]


def _whole(periods: Sequence[PeriodReport]) -> bool:
    played = {one.period for one in periods if one.started and one.ended}
    lasting = {one.period for one in periods if one.last_ms >= PERIOD_MIN.get(one.period, (0, 0))[0] * 60_000}
    known = all(one.longest_gap_ms <= EXCERPT_GAP_MS for one in periods if one.period < SHOOT_OUT)
    return {1, 2} <= played & lasting and {one.period for one in periods} <= played | {SHOOT_OUT} and known


def _why_not_whole(periods: Sequence[PeriodReport]) -> str:
    spans = [f"period {one.period} {clock(one.first_ms)} to {clock(one.last_ms)}" for one in periods]
    return f"{', '.join(spans)}: two whole halves were expected"


def facts_report(facts: MatchFacts, sources: tuple[Source, ...] = ()) -> Report:
    """The report of a document that tells of a match but holds no events."""
    info = facts.info
    text = f"a header of {info.home.name} - {info.away.name}, and no events"
    return Report(
        provider=info.provider,
        match_id=info.match_id,
        home=info.home.name,
        away=info.away.name,
        competition=info.competition,
        kickoff_unix_ms=info.kickoff_unix_ms,
        status=str(facts.status),
        feeds_index=True,
        whole=False,
        line_ups=tuple(len(one.players) for one in facts.line_ups),
        sources=sources,
        rows=0,
        used=0,
        outside=0,
        unusable=0,
        events=0,
        deleted=0,
        duplicates=0,
        corrections=0,
        out_of_order=0,
        kinds=(),
        periods=(),
        score_by_events=(0, 0),
        score_by_header=facts.score,
        findings=(finding("no_events", f"match {info.match_id}", text),),
    )

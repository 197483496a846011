"""A recorded match of an Opta feed: its rows in order of time, each in its last version, with what was deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ingest.events import Event, MatchInfo, Upsert
from ingest.feeds.base import Parsed, Problem, Row, text_id
from ingest.feeds.opta import constants as c
from ingest.feeds.opta.replay import restore
from ingest.feeds.reading import score_problems

Doc = dict[str, Any]
AROUND_KICKOFF_MS = 48 * 3_600_000
"""A row further from the kick-off than this is a mistake (a match resumed on another day is not replayed)."""


def rows_of(
    info: MatchInfo,
    events: Sequence[object],
    shape: c.Shape,
    stamp_of: Callable[[Doc], int],
    version_of: Callable[[Doc], int],
) -> tuple[tuple[Row, ...], tuple[Problem, ...]]:
    """Rows of the periods by time. ``stamp_of`` and ``version_of`` read a row's time and version in unix ms."""
    newest: dict[str, tuple[int, Row]] = {}
    problems: list[Problem] = []
    for number, doc in enumerate(events):
        try:
            if not isinstance(doc, dict):
                raise TypeError("not an object")
            period = int(doc[shape.period])
            if period not in c.PERIOD_BASE_MIN:
                continue
            unix, type_id = stamp_of(doc), int(doc[shape.type_id])
            if abs(unix - info.kickoff_unix_ms) > AROUND_KICKOFF_MS:
                raise ValueError(f"time stamp {str(doc[shape.stamp])[:40]} is days from the kick-off")
            if type_id in (c.DELETED, c.DELETED_AFTER_REVIEW):
                row = Row(restore(doc, shape) or doc, unix, period, withdrawn=doc)
            else:
                row = Row(doc, unix, period)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            problems.append(Problem("bad_event", f"event number {number}", f"{type(error).__name__}: {error}"[:200]))
            continue
        # Of several versions of a row the last one: a replay stamps rows anew and could not tell them apart.
        version = _version(doc, version_of)
        key = text_id(doc.get("id")) or f"row {number}"
        if key not in newest or version >= newest[key][0]:
            newest[key] = (version, row)
    rows = sorted((row for _, row in newest.values()), key=lambda row: row.unix_ms)
    return tuple(rows), tuple(problems)


def _version(doc: Doc, version_of: Callable[[Doc], int]) -> int:
    try:
        return version_of(doc)
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0


def compare_score(
    info: MatchInfo,
    rows: Sequence[Row],
    shape: c.Shape,
    parse: Callable[[MatchInfo, Doc], tuple[Parsed, ...]],
    official: tuple[int, int] | None,
    source: str,
) -> tuple[Problem, ...]:
    """A problem when the goals among the events are not the official score."""
    goals = [row.doc for row in rows if row.withdrawn is None and str(row.doc[shape.type_id]) == str(c.GOAL)]
    events: list[Event] = [item.event for doc in goals for item in parse(info, doc) if isinstance(item, Upsert)]
    return score_problems(info, events, official, source)

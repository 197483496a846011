"""A recorded match as a table: every second of both halves with all corrections applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, FeedError, MatchInfo
from ingest.feeds.base import Adapter, Problem, require_index, split
from ingest.timeline import Timeline
from momentum import archive
from momentum.forecast import Prior, forecast
from momentum.methodology import SPEC_BOX, SPEC_DECAY

Ints = NDArray[np.int64]

INDEX_COLUMNS = {"spec_box": SPEC_BOX, "spec_decay": SPEC_DECAY}
"""Which methodology stands in which column."""

VALUES = (*INDEX_COLUMNS, "model", "model_prior", "forward_15", "forward_15_lo", "forward_15_hi")
COLUMNS = ("match_id", "period", "second", *VALUES)
HALVES = 2


@dataclass(frozen=True)
class MatchTable:
    """One row a second of both halves, 0 included.

    ``values`` has a column per name of ``VALUES`` in 1e-6 (index points, but probabilities for the two models);
    -1 stands for an empty cell.
    """

    match_id: str
    period: Ints
    second: Ints
    values: dict[str, Ints]

    def __len__(self) -> int:
        return len(self.period)


@dataclass(frozen=True)
class Final:
    """A recorded match with all its corrections applied, and what of the recording could not be used."""

    info: MatchInfo
    events: tuple[Event, ...]
    problems: tuple[Problem, ...]


def read_final(source: Adapter, paths: Sequence[Path], match: str | None = None) -> Final:
    """A recorded match as it ended.

    Raises FeedError when it is not one, ``no_index`` (`require_index`), and ``no_usable_event`` when no team does
    anything in it: an index of such a match would be level throughout and look like one.
    """
    require_index(source)
    recorded = source.load(paths, match)
    timeline = Timeline()
    problems = list(recorded.problems)
    for row in recorded.rows:
        for doc in (row.doc, row.withdrawn):
            if doc is not None:
                changes, found = split(source.parse(recorded.info, doc))
                timeline.apply(changes)
                problems += found
    events = timeline.events()
    if not any(event.side is not None for event in events):
        codes = ", ".join(f"{count} {code}" for code, count in Counter(p.code for p in problems).most_common(3))
        raise FeedError(
            "no_usable_event",
            f"match {recorded.info.match_id} has no event of either team ({codes or 'none at all'}): check that the "
            "events and the teams belong to one match",
        )
    return Final(recorded.info, events, tuple(problems))


def final_events(
    source: Adapter, paths: Sequence[Path], match: str | None = None
) -> tuple[MatchInfo, tuple[Event, ...]]:
    """`read_final` without the problems."""
    final = read_final(source, paths, match)
    return final.info, final.events


def match_table(
    match_id: str, events: Iterable[Event], prior: Prior | None = None, *, awards_carried: bool = True
) -> MatchTable:
    """The table of one match from its final events; ``awards_carried``: see `momentum.state`.

    Raises FeedError ``no_play`` when there is no second of either half, as when only a shoot-out is left.
    """
    final = tuple(events)
    ticks = archive.replay(final)
    halves = ticks.period <= HALVES
    if not halves.any():
        raise FeedError("no_play", f"match {match_id} has no second of either half: give the events of play")
    found = forecast(final, ticks, prior, awards_carried=awards_carried)
    empty = np.full(len(ticks.period), -1, dtype=np.int64)
    values = {name: ticks.x_e6[methodology.name] for name, methodology in INDEX_COLUMNS.items()}
    values["model"] = found.model_e6
    values["model_prior"] = empty if found.model_prior_e6 is None else found.model_prior_e6
    values["forward_15"] = found.forward_e6
    values["forward_15_lo"] = found.band_lo_e6
    values["forward_15_hi"] = found.band_hi_e6
    return MatchTable(
        match_id, ticks.period[halves], ticks.second[halves], {name: values[name][halves] for name in VALUES}
    )

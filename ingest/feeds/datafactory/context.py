"""What only the whole document tells about one of its incidences.

Which side attacks towards x = 1 in each half: keepers stay at their own end, and shots are taken at the other, so each
such incidence is a vote. Teams change ends with every period: a half without votes (it has just begun) takes them from
the others, and a document without any is read with the home side attacking towards x = 1 in the first half.

Which passes are free kicks: the provider has no type for them, but they are what the other side does next after a foul
or an offside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingest.events import MatchInfo, Side
from ingest.feeds.base import text_id
from ingest.feeds.datafactory import constants as c
from ingest.feeds.reading import finite

Doc = dict[str, Any]
KEEPER_POSITION = 1


def right_side(content: Doc, info: MatchInfo, rows: Sequence[Doc]) -> dict[int, str]:
    """`Side` value by period. Never raises: what cannot be read has no vote."""
    players = content.get("players")
    keepers = {
        str(key)
        for key, row in (players.items() if isinstance(players, dict) else ())
        if isinstance(row, dict) and row.get("posnId") == KEEPER_POSITION
    }
    votes = dict.fromkeys(c.PERIOD_BASE_MIN, 0)
    for row in rows:
        period, vote = _vote(row, info, keepers)
        votes[period] += vote
    together = sum(vote if period % 2 else -vote for period, vote in votes.items())
    first = Side.AWAY if together < 0 else Side.HOME
    sides = {}
    for period, vote in votes.items():
        usual = first if period % 2 else first.other
        sides[period] = (Side.HOME if vote > 0 else Side.AWAY if vote < 0 else usual).value
    return sides


def _vote(row: Doc, info: MatchInfo, keepers: set[str]) -> tuple[int, int]:
    """The row's period and its vote: 1 says that the home side attacks towards x = 1, -1 the away side."""
    try:
        period, type_id, team = int(row["t"]["half"]), int(row["type"]), text_id(row["team"])
        x = finite(row["coord"]["1"]["x"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 1, 0
    if period not in c.PERIOD_BASE_MIN or x == 0 or team not in (info.home.team_id, info.away.team_id):
        return 1, 0
    if type_id in c.SHOTS and type_id != c.OWN_GOAL and period < 5:
        forward = x > 0
    elif text_id(row.get("plyrId")) in keepers:
        forward = x < 0
    else:
        return 1, 0
    return period, 1 if forward == (team == info.home.team_id) else -1


def free_kicks(rows: Sequence[Doc]) -> frozenset[str]:
    """Ids of the passes that restart play after a foul or an offside. Never raises."""
    found = set()
    offender = ""
    for row in sorted(rows, key=_order):
        type_id, team = row.get("type"), text_id(row.get("team"))
        if not isinstance(type_id, int) or type_id in c.ASIDE:
            continue
        if type_id in c.PASSES and offender and team != offender:
            found.add(row["id"])
        offender = team if type_id in c.FREE_KICK_CAUSES else ""
    return frozenset(found)


def _order(row: Doc) -> tuple[int, ...]:
    """Time, then id: ids rise with time."""
    clock = row.get("t")
    parts = [clock.get(key) for key in ("half", "m", "s")] if isinstance(clock, dict) else [0, 0, 0]
    number = int(row["id"]) if row["id"].isascii() and row["id"].isdigit() and len(row["id"]) < 20 else 0
    return (*(part if isinstance(part, int) else 0 for part in parts), number)

"""How far two providers' kick-off clocks are apart, from the events that both have."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.events import Kind, Side

ANCHORS = frozenset(
    {
        Kind.SHOT,
        Kind.CORNER,
        Kind.THROW_IN,
        Kind.GOAL_KICK,
        Kind.FREE_KICK,
        Kind.FOUL,
        Kind.OFFSIDE,
        Kind.YELLOW,
        Kind.RED,
        Kind.SUBSTITUTION,
    }
)
"""Kinds that are few and that providers time alike."""
FARTHEST_MS = 30_000
WIDTH_MS = 4_000
"""Two providers note the same event within about two seconds of each other, either way."""
MEMORY_MS = 900_000
LEAST_VOTES = 5

Times = Mapping[tuple[Kind, Side], Sequence[int]]
"""Playing times of anchors of one period, ascending, by what and whose they are."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Add ``ms`` to the other provider's playing time. Not ``sure``: too little is known, and ``ms`` is 0."""

    ms: int
    votes: int
    sure: bool


def offset(reference: Times, other: Times) -> Offset:
    """The offset under which most anchors of the last quarter of an hour coincide.

    Every pair of anchors of one kind and side within half a minute votes for its difference. True pairs agree within
    `WIDTH_MS`, chance pairs are spread evenly: the fullest window wins if it holds thrice what chance would put there.
    """
    newest = max((times[-1] for times in reference.values() if times), default=0)
    differences: list[int] = []
    for what, times in reference.items():
        theirs = other.get(what, ())
        for at in times[bisect_left(times, newest - MEMORY_MS) :]:
            near = theirs[bisect_left(theirs, at - FARTHEST_MS) : bisect_right(theirs, at + FARTHEST_MS)]
            differences += [at - their for their in near]
    differences.sort()
    best, start = (0, 0), 0
    for end, value in enumerate(differences):
        while value - differences[start] > WIDTH_MS:
            start += 1
        if end + 1 - start > best[0]:
            best = (end + 1 - start, start)
    votes, first = best
    chance = (len(differences) - votes) * WIDTH_MS / (2 * FARTHEST_MS - WIDTH_MS)
    if votes < LEAST_VOTES or votes < 3 * chance:
        return Offset(0, votes, False)
    window = differences[first : first + votes]
    return Offset(window[len(window) // 2], votes, True)

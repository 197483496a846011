"""What each kind of trader does: pure functions from a match to the orders it sends.

All hold to settlement, which costs them one half-spread instead of two and so is best for them. Whoever trades on an
event sends the order at the first tick that knows it; if trading is suspended then, the program refuses, and the
trader tries again at the first tick at which it could be taken, as long as it still knows something.

Groups: `informed` knows what the quote does not (the future of the index, shots to come, odds, score, cards),
`fading` and `following` lean on the index itself, `late` trades the last two minutes, `noise` tosses a coin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from momentum.evaluation.match import Mark, Match
from momentum.pricing import half_spread

Order = tuple[int, int, int]
"""(tick, window, sign)."""
FEE = 0.05
NOISE_TRADES = 60


@dataclass(frozen=True, slots=True)
class Strategy:
    """A kind of trader. `orders` gives what it sends in a match."""

    name: str
    group: str
    orders: Callable[[Match, random.Random], Iterable[Order]]


def here(match: Match, marks: Iterable[Mark]) -> Iterator[Order]:
    """Orders in the running window at each mark, where there is one."""
    for tick, sign in marks:
        if 0 <= tick < len(match.window) and match.window[tick] >= 0:
            yield tick, int(match.window[tick]), sign


def spaced(marks: Iterable[Mark], gap_s: int) -> Iterator[Mark]:
    """Drop what comes within `gap_s` ticks of the last one kept."""
    last = -gap_s
    for tick, sign in marks:
        if tick - last >= gap_s:
            last = tick
            yield tick, sign


def insist(match: Match, marks: Iterable[Mark], for_s: int) -> Iterator[Mark]:
    """At the mark and, if trading is suspended there, again at the first open tick within `for_s`."""
    open_ = match.tradable()
    for tick, sign in marks:
        if not 0 <= tick < len(open_):
            continue
        yield tick, sign
        if match.suspended[tick]:
            later = np.flatnonzero(open_[tick : tick + for_s])
            if len(later):
                yield tick + int(later[0]), sign


def cost(match: Match, tick: int) -> float:
    """Half-spread, conf and fee in points at a tick of the running window."""
    return half_spread(int(match.left_s[tick]) * 1000, 0) / 1e6 + int(match.conf_e4[tick]) / 1e4 + FEE


def foresight(seconds: int) -> Callable[[Match, random.Random], Iterator[Order]]:
    """Knows the forward of `seconds` ahead; trades when it moves by more than the trade costs."""

    def orders(match: Match, _: random.Random) -> Iterator[Order]:
        open_ = np.flatnonzero(match.tradable())
        marks: list[Mark] = []
        for tick in open_.tolist():
            ahead = min(tick + seconds, len(match.window) - 1)
            window = match.window[tick]
            move = match.forward[window, ahead] - match.forward[window, tick]
            if abs(move) > cost(match, tick):
                marks.append((tick, 1 if move > 0 else -1))
        yield from here(match, spaced(marks, 20))

    return orders


def sees_shots(match: Match, _: random.Random) -> Iterator[Order]:
    """Sits in the stadium: three seconds before every shot it backs the shooter."""
    return here(match, ((tick - 3, sign) for tick, sign in match.marks.shots))


def fade(points: float) -> Callable[[Match, random.Random], Iterator[Order]]:
    """Against the index when it is more than `points` from 50, every two minutes at most."""

    def orders(match: Match, _: random.Random) -> Iterator[Order]:
        lean = match.x_e6 / 1e6 - 50
        ticks = np.flatnonzero(match.tradable() & (np.abs(lean) > points)).tolist()
        return here(match, spaced(((t, -1 if lean[t] > 0 else 1) for t in ticks), 120))

    return orders


def openings(match: Match, first: int = 0) -> list[int]:
    """First tick of each window from window `first` on."""
    found = (np.flatnonzero(match.window == w) for w in range(first, 6))
    return [int(ticks[0]) for ticks in found if len(ticks)]


def favourite_at_open(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the bookmakers' favourite at the opening of every window."""
    return here(match, insist(match, ((t, match.favourite) for t in openings(match) if match.favourite), 60))


def favourite_at_kick_off(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the favourite in the first window at kick-off."""
    return here(match, ((t, match.favourite) for t in openings(match)[:1] if match.favourite))


def favourite_ahead(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the favourite in all later windows at kick-off, at the spread of windows that have not begun."""
    return ((0, window, match.favourite) for window in range(1, 6) if match.favourite)


def trailing(only_favourite: bool) -> Callable[[Match, random.Random], Iterator[Order]]:
    """Second half: backs the trailing side (or only a trailing favourite) at the opening of every window."""

    def orders(match: Match, _: random.Random) -> Iterator[Order]:
        for tick in openings(match, 3):
            lead = match.lead(tick)
            sign = 0 if lead == 0 else (-1 if lead > 0 else 1)
            if sign and (not only_favourite or sign == match.favourite):
                yield from here(match, insist(match, [(tick, sign)], 60))

    return orders


def eleven_against_ten(match: Match, _: random.Random) -> Iterator[Order]:
    """After a red card backs the side with more players: at once, and at the opening of every window."""
    for at, sign in match.marks.reds:
        yield from here(match, insist(match, [(at, sign)], 300))
        yield from here(match, insist(match, [(t, sign) for t in openings(match) if t > at], 60))


def final_third(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the side with the ball in the opponent's third, once a minute at most."""
    attack = match.marks.attack
    ticks = np.flatnonzero(match.tradable() & (attack != 0)).tolist()
    return here(match, spaced(((t, int(attack[t])) for t in ticks), 60))


def penalty(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the side that was awarded a penalty, until it is taken."""
    for (won, sign), (taken, _sign) in zip(match.marks.penalties_won, match.marks.penalties_taken, strict=True):
        yield from here(match, insist(match, [(won, sign)], max(1, taken - won)))


def corner(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the side that has won a corner, 15 s before it is taken."""
    return here(match, insist(match, ((tick - 15, sign) for tick, sign in match.marks.corners), 14))


def foul(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the side that was fouled in the opponent's third."""
    return here(match, insist(match, match.marks.fouls_last_third, 10))


def follow_shot(match: Match, _: random.Random) -> Iterator[Order]:
    """Backs the shooter a second after the shot."""
    return here(match, insist(match, ((tick + 1, sign) for tick, sign in match.marks.shots), 10))


def follow_move(match: Match, _: random.Random) -> Iterator[Order]:
    """Follows a move of the forward of more than a point in ten seconds."""
    marks: list[Mark] = []
    for tick in np.flatnonzero(match.tradable()).tolist():
        window = match.window[tick]
        if tick >= 10 and match.window[tick - 10] == window:
            move = match.forward[window, tick] - match.forward[window, tick - 10]
            if abs(move) > 1:
                marks.append((tick, 1 if move > 0 else -1))
    return here(match, spaced(marks, 30))


def late(match: Match, _: random.Random) -> Iterator[Order]:
    """With 120, 60 and 25 s left: the index is above the forward, so the mean must rise."""
    ticks = np.flatnonzero(match.tradable() & np.isin(match.left_s, (120, 60, 25))).tolist()
    gap = match.x_e6 / 1e6 - match.forward[np.maximum(match.window, 0), np.arange(len(match.window))]
    return here(match, ((t, 1 if gap[t] > 0 else -1) for t in ticks))


def noise(match: Match, rng: random.Random) -> Iterator[Order]:
    """Buys or sells the running window at random times."""
    open_ = np.flatnonzero(match.tradable()).tolist()
    for tick in sorted(rng.choices(open_, k=NOISE_TRADES)) if open_ else ():
        yield tick, int(match.window[tick]), rng.choice((1, -1))


def fans(match: Match, rng: random.Random) -> Iterator[Order]:
    """Noise of which four in five orders back the favourite."""
    for tick, window, sign in noise(match, rng):
        yield tick, window, (match.favourite if rng.random() < 0.8 else -match.favourite) or sign


STRATEGIES = (
    Strategy("index 3 s ahead", "informed", foresight(3)),
    Strategy("shots 3 s ahead", "informed", sees_shots),
    Strategy("favourite at kick-off", "informed", favourite_at_kick_off),
    Strategy("favourite at window open", "informed", favourite_at_open),
    Strategy("favourite, windows ahead", "informed", favourite_ahead),
    Strategy("2nd half: trailing side", "informed", trailing(False)),
    Strategy("2nd half: trailing favourite", "informed", trailing(True)),
    Strategy("eleven against ten", "informed", eleven_against_ten),
    Strategy("penalty awarded", "informed", penalty),
    Strategy("corner won", "informed", corner),
    Strategy("foul in the last third", "informed", foul),
    Strategy("fade beyond 10", "fading", fade(10)),
    Strategy("fade beyond 15", "fading", fade(15)),
    Strategy("ball in the final third", "following", final_third),
    Strategy("follow a shot", "following", follow_shot),
    Strategy("follow a move of F", "following", follow_move),
    Strategy("last 120 s", "late", late),
    Strategy("noise", "noise", noise),
)
FANS = Strategy("noise, 80 % on the favourite", "noise", fans)
"""In place of the even noise, on request: what the pool's inventory then costs."""
LEAKS = (Strategy("index 10 s ahead", "leak", foresight(10)),)
"""Ahead of the data by more than the delay: what the market's premise excludes. Only on request."""

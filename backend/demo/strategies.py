"""The demo's scripted people: what each of them decides, as pure functions of what the public API shows.

A strategy sees a `View` and returns `Intent`s; it never touches the chain or a clock. Chance comes from a
``random.Random`` handed in, so equal seeds give equal runs.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

POINT = 1_000_000
LONG, SHORT = "long", "short"


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window as `/v1/markets` shows it. Times are seconds of match play (nominal, 45:00 starts half two)."""

    address: str
    name: str
    start_s: int
    end_s: int
    mark_e6: int

    def left_s(self, play_s: int) -> int:
        """Seconds until the window's end."""
        return self.end_s - play_s

    def running(self, play_s: int) -> bool:
        """Whether the window has begun and not ended."""
        return self.start_s <= play_s < self.end_s


@dataclass(frozen=True, slots=True)
class Holding:
    """The trader's own open position in a window."""

    side: str
    qty_e6: int


@dataclass(frozen=True, slots=True)
class View:
    """What a trader can see at a tick: the public index, the open windows, its own holdings and balance."""

    play_s: int
    x_e6: int
    windows: Sequence[WindowView]
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    free_e6: int = 0
    foresight: Mapping[int, str] = field(default_factory=dict)

    def current(self, width_s: int) -> WindowView | None:
        """The running window of that width with enough time left for an order to fill."""
        for window in self.windows:
            if window.end_s - window.start_s == width_s and window.running(self.play_s):
                return window if window.left_s(self.play_s) > 40 else None
        return None


@dataclass(frozen=True, slots=True)
class Intent:
    """An order somebody wants to sign. ``limit_e6`` is the worst price accepted; ``margin_e6`` is points a contract."""

    window: str
    side: str
    qty_e6: int
    limit_e6: int
    margin_e6: int = 15 * POINT
    reduce_only: bool = False
    why: str = ""


class Strategy(Protocol):
    """A scripted person."""

    @property
    def name(self) -> str:
        """The person."""
        ...

    @property
    def style(self) -> str:
        """The kind of trader, in a word."""
        ...

    @property
    def every_s(self) -> int:
        """Seconds of play between two looks at the market."""
        ...

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        """Orders to sign now; an empty list most of the time."""
        ...


def any_price(side: str) -> int:
    """The limit of somebody who does not care."""
    return 100 * POINT if side == LONG else 0


def close(window: str, holding: Holding, why: str) -> Intent:
    """The opposite order that only reduces."""
    side = SHORT if holding.side == LONG else LONG
    return Intent(window, side, holding.qty_e6, any_price(side), 0, reduce_only=True, why=why)


@dataclass(frozen=True, slots=True)
class Noise:
    """Trades on a whim, holds for a while, closes of its own accord."""

    name: str
    style: str = "noise"
    every_s: int = 20

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        window = view.current(900)
        whim, side, qty = rng.random(), rng.choice((LONG, SHORT)), rng.randrange(5, 40) * POINT
        if window is None or window.address in view.pending:
            return []
        held = view.holdings.get(window.address)
        if held is not None:
            return [close(window.address, held, "changed my mind")] if whim < 0.12 else []
        if whim < 0.35:
            return [Intent(window.address, side, qty, any_price(side), 20 * POINT, why="on a whim")]
        return []


@dataclass(frozen=True, slots=True)
class Trend:
    """Follows momentum: buys the side that has the ball and gets out when it turns."""

    name: str
    style: str = "trend"
    every_s: int = 30
    far_e6: int = 12 * POINT

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        window = view.current(900)
        if window is None or window.address in view.pending:
            return []
        lean = view.x_e6 - 50 * POINT
        held = view.holdings.get(window.address)
        if held is not None:
            turned = lean < 0 if held.side == LONG else lean > 0
            return [close(window.address, held, "momentum turned")] if turned else []
        if abs(lean) < self.far_e6:
            return []
        side = LONG if lean > 0 else SHORT
        return [Intent(window.address, side, 25 * POINT, any_price(side), 18 * POINT, why="momentum is with me")]


@dataclass(frozen=True, slots=True)
class Fade:
    """Believes that extremes revert; takes the half-match windows too."""

    name: str
    style: str = "fade"
    every_s: int = 40
    far_e6: int = 15 * POINT

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        lean = view.x_e6 - 50 * POINT
        if abs(lean) < self.far_e6:
            return []
        side = SHORT if lean > 0 else LONG
        intents = []
        for window in (view.current(900), view.current(2700)):
            if window is None or window.address in view.pending or window.address in view.holdings:
                continue
            intents.append(Intent(window.address, side, 20 * POINT, any_price(side), 18 * POINT, why="it will revert"))
        return intents


@dataclass(frozen=True, slots=True)
class Limit:
    """Bids below the mark: most of its orders are refused because the price is not met."""

    name: str
    style: str = "limit"
    every_s: int = 60
    edge_e6: int = 2 * POINT

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        window = view.current(900)
        side = rng.choice((LONG, SHORT))
        if window is None or window.address in view.pending or window.address in view.holdings:
            return []
        limit = window.mark_e6 - self.edge_e6 if side == LONG else window.mark_e6 + self.edge_e6
        limit = min(max(limit, POINT), 99 * POINT)
        return [Intent(window.address, side, 15 * POINT, limit, 20 * POINT, why="only at my price")]


@dataclass(frozen=True, slots=True)
class Leverage:
    """Puts the least margin behind the most contracts on one side of every window, and never closes."""

    name: str
    side: str
    qty_e6: int
    style: str = "max leverage"
    every_s: int = 10

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        running = (view.current(900), view.current(5400))  # a quarter of an hour and the whole match
        return [
            Intent(window.address, self.side, self.qty_e6, any_price(self.side), 15 * POINT, why="all in")
            for window in running
            if window is not None
            and window.address not in view.pending
            and window.address not in view.holdings
            and window.left_s(view.play_s) >= 600
        ]


def foreseen(at_s: int, play_s: int) -> bool:
    """Whether somebody in the stadium trades on what happens at ``at_s``: from 3 s before to 1 s after it."""
    return -1 <= at_s - play_s <= 3


@dataclass(frozen=True, slots=True)
class Courtsider:
    """Sits in the stadium and sees goals and penalties before the feed does: delay and suspend epoch refund it.

    ``View.foresight`` maps the second of play to the side that it favours; nobody else gets it.
    """

    name: str
    style: str = "courtsider"
    every_s: int = 1

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        scorer = next((side for at, side in view.foresight.items() if foreseen(at, view.play_s)), None)
        window = view.current(900) or view.current(2700)
        if scorer is None or window is None or window.address in view.pending:
            return []
        side = LONG if scorer == "home" else SHORT
        return [Intent(window.address, side, 50 * POINT, any_price(side), 20 * POINT, why="I saw the goal")]


@dataclass(frozen=True, slots=True)
class Whale:
    """Asks for more than its margin carries, then for more than one user may hold: refused, and nothing moves."""

    name: str
    style: str = "whale"
    every_s: int = 600

    def decide(self, view: View, rng: random.Random) -> list[Intent]:
        window = view.current(2700)
        if window is None or window.address in view.pending:
            return []
        qty = 1_000 if view.play_s // self.every_s % 2 else 2_000
        return [Intent(window.address, LONG, qty * POINT, any_price(LONG), 15 * POINT, why="I want it all")]


CAST: tuple[Strategy, ...] = (
    Leverage("Mia", SHORT, 190 * POINT),
    Leverage("Max", LONG, 50 * POINT),
    Noise("Nora"),
    Noise("Nils"),
    Trend("Trent"),
    Fade("Fay"),
    Limit("Lena"),
    Courtsider("Cora"),
    Whale("Wim"),
)

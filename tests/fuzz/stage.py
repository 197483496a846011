"""The register of actions, and how actors choose whom and what they act on.

An action is one random step of one actor, predicted by the ledger: a function of the venue, registered with its weight
and the instructions it exercises. To add one, write the function, give it a rule in the ledger, and register it; a test
of `test_fuzz.py` names what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from solders.pubkey import Pubkey

from tests.fuzz.ledger.rules import OPEN
from tests.fuzz.timing import Pricing
from tests.fuzz.venue import Person, Venue

USDC = 1_000_000


@dataclass(frozen=True)
class Action:
    """One thing an actor may do."""

    weight: float
    run: Callable[[Venue], None]
    instructions: tuple[str, ...]


ACTIONS: list[Action] = []


def action(weight: float, *instructions: str) -> Callable[[Callable[[Venue], None]], Callable[[Venue], None]]:
    """Register an action with its weight and the instructions it exercises."""

    def register(run: Callable[[Venue], None]) -> Callable[[Venue], None]:
        ACTIONS.append(Action(weight, run, instructions))
        return run

    return register


def line_up(*modules: ModuleType) -> None:
    """Order the register by module, whichever was imported first: in another order a seed takes other steps."""
    names = [module.__name__ for module in modules]
    ACTIONS.sort(key=lambda one: names.index(one.run.__module__))


def act(venue: Venue) -> None:
    """Let one actor do one thing."""
    chosen = venue.world.rng.choices(ACTIONS, [one.weight for one in ACTIONS])[0]
    chosen.run(venue)


def anyone(venue: Venue) -> Person:
    """Return any trader."""
    return venue.world.rng.choice(venue.people)


def any_window(venue: Venue, *, lively: float = 0.85) -> Pubkey:
    """Return a window, mostly one that trades."""
    rng = venue.world.rng
    keys = list(venue.ledger.windows)
    live = [key for key in keys if tradable(venue, key)]
    return rng.choice(live) if live and rng.random() < lively else rng.choice(keys)


def tradable(venue: Venue, key: Pubkey) -> bool:
    """Whether orders for a window can be placed now."""
    window = venue.ledger.windows[key]
    feed = window.feed.twin
    if window.state != OPEN or window.feed.closed or feed.final or feed.in_break or feed.suspended or not feed.samples:
        return False
    return Pricing.of(feed, feed.samples[-1], window.parts).at.left_ms >= 20_000

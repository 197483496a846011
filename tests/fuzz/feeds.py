"""A match under way: its twin feed, its publishers and where play stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from oracle.aggregate import Feed
from tests.fuzz.matches import RealMatch


@dataclass(slots=True)
class Feedhouse:
    """A feed, its twin, and the real match that its publishers watch."""

    address: Pubkey
    match: RealMatch
    publishers: list[Keypair]
    twin: Feed
    start_unix_s: int
    last_slot: int = 0
    closed: bool = False
    period_at: list[int] = field(default_factory=list)
    """Period of every sample."""
    tick: int = 0
    """Newest tick that a publisher has quoted."""
    period: int = 1
    second: int = 0
    """Where play stands: second of the period, to be quoted next."""
    data_ms: int = 0
    from_second: int = 0
    over: bool = False
    drives_to_e6: int = 0
    drives_ticks: int = 0
    """While above 0, a majority of the publishers drives index and mean to ``drives_to_e6``."""
    recorded: set[int] = field(default_factory=set)
    """Publishers whose score was recorded."""
    heard_unix_s: int = 0
    """Cluster time of the newest sample."""
    finalised_unix_s: int = 0
    stood_still: bool = False
    """Whether this match is suspended from beginning to end."""

    def truth_e6(self) -> int:
        """Return the true index of the second that is quoted next."""
        return self.match.x_e6[self.period][min(self.second, self.match.length_s(self.period))]

    def first_window(self) -> int:
        """Return the quarter of an hour in which play stands."""
        return min((self.second + 30) // 900, 2) + (3 if self.period == 2 else 0)

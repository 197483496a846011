"""What the terminal view shows, as plain data. Prices are 1e-6 points, money is USDC in 1e-6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventLine:
    """Something that happened on the pitch. ``side`` is home, away or empty; ``clock`` is for people ("34:07")."""

    clock: str
    side: str
    text: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Something that happened in the market. ``kind``: fill, refund, liquidation, settlement or order."""

    clock: str
    trader: str
    kind: str
    side: str  # long, short
    window: str
    qty_e6: int
    price_e6: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WindowLine:
    """A window. ``state``: open, final or void; ``left_s`` counts down to its end, above ``length_s`` it is ahead."""

    name: str
    state: str
    length_s: int
    left_s: int
    mark_e6: int | None
    oi_long_e6: int = 0
    oi_short_e6: int = 0
    settlement_e6: int | None = None


@dataclass(frozen=True, slots=True)
class PoolLine:
    """The pool's books."""

    cash_e6: int
    reserved_e6: int
    margin_e6: int
    position_collateral_e6: int
    fees_e6: int


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything the view shows. Newest events and orders come first."""

    competition: str = ""
    home: str = "Home"
    away: str = "Away"
    home_goals: int = 0
    away_goals: int = 0
    status: str = "waiting"  # waiting, live, suspended, break, final
    suspend_reason: str = ""
    period: int = 0  # 0 before kick-off, 1 and 2 the halves
    play_s: int = 0  # seconds since the kick-off of the period
    history_e6: Sequence[int] = ()  # the index, one value per second of play, oldest first
    half_tick: int | None = None  # how many values of it belong to the first half, once that is over
    events: Sequence[EventLine] = ()
    orders: Sequence[OrderLine] = ()
    windows: Sequence[WindowLine] = ()
    pool: PoolLine | None = None
    samples_due: int = 0
    samples_landed: int = 0
    samples_missed: int = 0
    samples_revised: int = 0
    latency_p50_ms: float | None = None  # sample due -> confirmed, on the wall
    latency_p95_ms: float | None = None
    fills: int = 0
    refunds: int = 0
    liquidations: int = 0
    speed: str = ""
    seed: int | None = None
    url: str = ""

    @property
    def x_e6(self) -> int | None:
        """The index now, None before the first sample."""
        return self.history_e6[-1] if self.history_e6 else None

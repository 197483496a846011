"""The market's invariants I1 to I12 as pure checks over evidence from the chain and from the database.

`Evidence` is plain data: snapshots of the chain's accounts taken while the match ran, and the rows that the
mirror stored. `check` compares the two sides of every invariant; `inject` spoils the evidence so that exactly
one of them fails, which proves that the check can fail. Amounts are USDC in 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from momentum import pricing


@dataclass(frozen=True, slots=True)
class PositionRow:
    """An open position."""

    window: str
    side: int  # 0 long, 1 short
    qty_e6: int
    reserved_e6: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The market's accounts at one slot."""

    vault_e6: int
    buckets_e6: tuple[int, ...]  # cash, margins, position collateral, escrows, fees, insurance, claimable
    cash_e6: int  # also the first bucket
    reserved_e6: int
    window_reserved_e6: int
    oi_long_e6: int
    oi_short_e6: int
    positions: tuple[PositionRow, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """One transaction of the market program: what the vault gained, and what its events say it should have."""

    signature: str
    ok: bool
    vault_delta_e6: int
    declared_delta_e6: int


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled order. Times are absolute milliseconds of match time."""

    commit_ms: int
    data_ms: int
    delay_ms: int
    commit_epoch: int
    sample_epoch: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """A position paid out at its window's settlement."""

    side: int
    qty_e6: int
    entry_cost_e6: int
    collateral_e6: int
    reserved_e6: int
    settlement_e6: int
    payout_e6: int
    gain_e6: int
    loss_e6: int
    void: bool = False  # the window is void: the position returns what it brought


@dataclass(frozen=True, slots=True)
class LiquidityChange:
    """A deposit or withdrawal of liquidity, with the pool before and after."""

    cash_before_e6: int
    cash_after_e6: int
    supply_before: int
    supply_after: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A published sample, with the forward of a running window and its envelope (all 0 where none runs)."""

    tick: int
    x_e6: int
    forward_e6: int
    low_e6: int
    high_e6: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checks look at."""

    snapshots: tuple[Snapshot, ...]
    movements: tuple[Movement, ...]
    fills: tuple[Fill, ...]
    settlements: tuple[Settlement, ...]
    liquidity: tuple[LiquidityChange, ...]
    samples: tuple[SampleRow, ...]
    leftovers_e6: tuple[int, ...]  # reserved, open interest, positions, orders, escrows once all is closed
    fees_booked_e6: int  # the program's own counter
    fees_charged_e6: int  # sum over the mirrored events


@dataclass(frozen=True, slots=True)
class Check:
    """Both sides of one invariant."""

    left: int | list[int]
    right: int | list[int]
    ok: bool
    text: str


def check(evidence: Evidence) -> dict[str, Check]:
    """Every invariant, by name."""
    return {name: rule(evidence) for name, rule in RULES.items()}


def _vault(e: Evidence) -> Check:
    worst = next((s for s in e.snapshots if s.vault_e6 != sum(s.buckets_e6)), e.snapshots[-1])
    left, right = worst.vault_e6, sum(worst.buckets_e6)
    return Check(left, right, left == right, "the vault holds exactly what the books say, at every snapshot")


def _reservations(e: Evidence) -> Check:
    def sides(s: Snapshot) -> tuple[list[int], list[int]]:
        booked = [s.reserved_e6, s.window_reserved_e6, s.oi_long_e6, s.oi_short_e6]
        reserved = sum(p.reserved_e6 for p in s.positions)
        longs = sum(p.qty_e6 for p in s.positions if p.side == 0)
        shorts = sum(p.qty_e6 for p in s.positions if p.side == 1)
        return booked, [reserved, reserved, longs, shorts]

    pairs = [sides(s) for s in e.snapshots]
    wrong = [pair for pair in pairs if pair[0] != pair[1]]
    left, right = wrong[0] if wrong else max(pairs)
    return Check(left, right, not wrong, "reservations and open interest are the sums over open positions")


def _solvent(e: Evidence) -> Check:
    at_risk = [s for s in e.snapshots if s.reserved_e6] or e.snapshots
    tightest = min(at_risk, key=lambda s: s.cash_e6 - s.reserved_e6)
    left, right = tightest.cash_e6, tightest.reserved_e6
    return Check(left, right, left >= right, "pool cash covers every reservation, at the tightest snapshot")


def _conserves(e: Evidence) -> Check:
    good = [m for m in e.movements if m.ok]
    ok = all(m.vault_delta_e6 == m.declared_delta_e6 for m in good)
    left, right = sum(m.vault_delta_e6 for m in good), sum(m.declared_delta_e6 for m in good)
    return Check(left, right, ok, "each transaction moves the vault by exactly what its events declare")


def _payouts(e: Evidence) -> Check:
    good = sum(0 <= s.payout_e6 <= s.collateral_e6 + s.reserved_e6 for s in e.settlements)
    total = len(e.settlements)
    return Check(good, total, good == total, "every payout is within collateral plus reservation")


def _share_price(e: Evidence) -> Check:
    def kept(c: LiquidityChange) -> bool:
        # Cash a share with the program's virtual ones, cross-multiplied; the last one out takes the rest.
        before, after = c.cash_before_e6 + pricing.VIRTUAL_CASH_E6, c.cash_after_e6 + pricing.VIRTUAL_CASH_E6
        shares = c.supply_before + pricing.VIRTUAL_SHARES, c.supply_after + pricing.VIRTUAL_SHARES
        return c.supply_after == 0 or after * shares[0] >= before * shares[1]

    good = sum(map(kept, e.liquidity))
    return Check(good, len(e.liquidity), good == len(e.liquidity), "no deposit or withdrawal lowers the share price")


def _bounds(e: Evidence) -> Check:
    good, last = 0, 0
    for s in e.samples:
        good += 0 <= s.x_e6 <= pricing.MAX_X_E6 and s.tick > last and s.low_e6 <= s.forward_e6 <= s.high_e6
        last = s.tick
    total = len(e.samples)
    return Check(good, total, good == total, "index and forward stay in their bounds and ticks increase")


def _delay(e: Evidence) -> Check:
    good = sum(
        f.data_ms >= f.commit_ms + f.delay_ms and f.commit_epoch == f.sample_epoch and f.commit_epoch % 2 == 0
        for f in e.fills
    )
    return Check(good, len(e.fills), good == len(e.fills), "no fill before commit + delay, none across a suspension")


def _closed(e: Evidence) -> Check:
    left = sum(map(abs, e.leftovers_e6))
    return Check(left, 0, left == 0, "after the close nothing is left in any book")


def _failed(e: Evidence) -> Check:
    left = sum(abs(m.vault_delta_e6) for m in e.movements if not m.ok)
    return Check(left, 0, left == 0, "a failed transaction moves nothing")


def _order_free(e: Evidence) -> Check:
    """Settle the same positions in reverse with the Python twin of the model; the pool must end the same."""
    left = sum(s.gain_e6 - s.loss_e6 for s in e.settlements)
    right = 0
    for s in reversed(e.settlements):
        if s.void:
            continue
        pnl = pricing.pnl(pricing.Side(s.side), s.qty_e6, s.entry_cost_e6, s.settlement_e6)
        right += min(pnl.gain_e6, s.reserved_e6) - min(pnl.loss_e6, s.collateral_e6)
    return Check(left, right, left == right, "settling in any order pays the same")


def _fees(e: Evidence) -> Check:
    left, right = e.fees_booked_e6, e.fees_charged_e6
    return Check(left, right, left == right, "fees booked on chain are the fees charged in the mirrored events")


RULES: dict[str, Callable[[Evidence], Check]] = {
    "I1": _vault,
    "I2": _reservations,
    "I3": _solvent,
    "I4": _conserves,
    "I5": _payouts,
    "I6": _share_price,
    "I7": _bounds,
    "I8": _delay,
    "I9": _closed,
    "I10": _failed,
    "I11": _order_free,
    "I12": _fees,
}


def inject(evidence: Evidence, name: str) -> Evidence:
    """The same evidence, spoilt so that invariant ``name`` and no other is false.

    Raises KeyError for an unknown name.
    """
    return SPOILERS[name](evidence)


def _swap_first(rows: Sequence[Settlement], new: Settlement) -> tuple[Settlement, ...]:
    return (new, *rows[1:])


def _spoil_snapshot(e: Evidence, change: Callable[[Snapshot], Snapshot]) -> Evidence:
    return replace(e, snapshots=(*e.snapshots[:-1], change(e.snapshots[-1])))


def _spoil_solvency(e: Evidence) -> Evidence:
    def change(s: Snapshot) -> Snapshot:
        reserved, short = s.reserved_e6, s.reserved_e6 - 1
        books = (short, *s.buckets_e6[1:])
        return replace(s, cash_e6=short, reserved_e6=reserved, buckets_e6=books, vault_e6=sum(books))

    return _spoil_snapshot(e, change)


def _spoil_movement(e: Evidence, *, ok: bool) -> Evidence:
    movement = Movement("injected", ok=ok, vault_delta_e6=1, declared_delta_e6=0)
    return replace(e, movements=(*e.movements, movement))


def _spoil_settlement(e: Evidence, *, payout: bool) -> Evidence:
    first = e.settlements[0] if e.settlements else Settlement(0, 0, 0, 0, 0, 0, 0, 0, 0)
    bad = (
        replace(first, payout_e6=first.collateral_e6 + first.reserved_e6 + 1)
        if payout
        else replace(first, gain_e6=first.gain_e6 + 1)
    )
    return replace(e, settlements=_swap_first(e.settlements, bad))


def _spoil_liquidity(e: Evidence) -> Evidence:
    worse = LiquidityChange(cash_before_e6=2_000_000, cash_after_e6=1_000_000, supply_before=1, supply_after=1)
    return replace(e, liquidity=(*e.liquidity, worse))


def _spoil_sample(e: Evidence) -> Evidence:
    tick = e.samples[-1].tick + 1 if e.samples else 1
    return replace(e, samples=(*e.samples, SampleRow(tick, pricing.MAX_X_E6 + 1, 0, 0, 0)))


def _spoil_fill(e: Evidence) -> Evidence:
    return replace(
        e, fills=(*e.fills, Fill(commit_ms=0, data_ms=4_999, delay_ms=5_000, commit_epoch=0, sample_epoch=0))
    )


SPOILERS: dict[str, Callable[[Evidence], Evidence]] = {
    "I1": lambda e: _spoil_snapshot(e, lambda s: replace(s, vault_e6=s.vault_e6 + 1)),
    "I2": lambda e: _spoil_snapshot(e, lambda s: replace(s, oi_long_e6=s.oi_long_e6 + 1)),
    "I3": _spoil_solvency,
    "I4": lambda e: _spoil_movement(e, ok=True),
    "I5": lambda e: _spoil_settlement(e, payout=True),
    "I6": _spoil_liquidity,
    "I7": _spoil_sample,
    "I8": _spoil_fill,
    "I9": lambda e: replace(e, leftovers_e6=(*e.leftovers_e6, 1)),
    "I10": lambda e: _spoil_movement(e, ok=False),
    "I11": lambda e: _spoil_settlement(e, payout=False),
    "I12": lambda e: replace(e, fees_booked_e6=e.fees_booked_e6 + 1),
}

"""The pool: what its providers ask for, how it is carried out, and the marks that takes."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from momentum.pricing import Side
from tests.fuzz.ledger import borrowing
from tests.fuzz.ledger.books import LpRequest, Now
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import (
    ACTIVE,
    BPS,
    DEPOSIT,
    MARK_MAX_AGE_MS,
    NO_NEW_ORDERS,
    OPEN,
    REQUEST_LIFE_S,
    VOID,
    WITHDRAWAL,
    need,
)
from tests.fuzz.timing import Pricing


def request(ledger: Ledger, address: Pubkey, asked: LpRequest) -> dict[str, int]:
    """Let a liquidity provider's tokens or shares wait."""
    deposit = asked.kind == DEPOSIT
    need(ledger.pause <= (ACTIVE if deposit else NO_NEW_ORDERS), "paused")
    need(address not in ledger.requests, "id used")
    held = ledger.tokens if deposit else ledger.shares
    need(0 < asked.amount <= held[asked.source], "no such amount", "I6")
    target = ledger.vault if deposit else ledger.lp_escrow
    held[asked.source] -= asked.amount
    held[target] += asked.amount
    ledger.pool.claimable_e6 += asked.amount if deposit else 0
    ledger.pool.lp_requests += 1
    asked.ready_unix = ledger.unix_s + (0 if deposit else ledger.params["lp_cooldown_s"])
    asked.marks_from_ms = asked.ready_unix * 1000 + 999 + ledger.params["delay_ms"]
    asked.tip_lamports = ledger.params["tip_lamports"]
    ledger.requests[address] = asked
    return {"kind": asked.kind, "amount": asked.amount, "ready_unix": asked.ready_unix}


def cancel_request(ledger: Ledger, address: Pubkey, signer: Pubkey, target: Pubkey) -> dict[str, int]:
    """Give what waits, or the result that could not be paid; anybody may once its time is over."""
    need(address in ledger.requests, "no such request", "I4")
    asked = ledger.requests[address]
    if signer != asked.owner:
        over = ledger.unix_s >= asked.ready_unix + REQUEST_LIFE_S
        need(over and not asked.held, "not the owner", "signer")
    del ledger.requests[address]
    held, source = (ledger.tokens, ledger.vault) if asked.kind == DEPOSIT else (ledger.shares, ledger.lp_escrow)
    held[source] -= asked.amount
    held[target] += asked.amount
    ledger.pool.claimable_e6 -= asked.amount if asked.kind == DEPOSIT else 0
    ledger.pool.lp_requests -= 1
    return {"kind": asked.kind, "amount": asked.amount}


def execute_request(ledger: Ledger, address: Pubkey, slot: int, *, payable: bool = True) -> dict[str, int]:
    """Turn tokens into shares, or shares into tokens, at cash and the traders' marks of this slot.

    Where the destination is not ``payable`` the request holds the result.
    """
    need(address in ledger.requests, "no such request", "I4")
    asked, pool = ledger.requests[address], ledger.pool
    deposit = asked.kind == DEPOSIT
    need(ledger.pause <= (ACTIVE if deposit else NO_NEW_ORDERS), "paused")
    need(ledger.unix_s >= asked.ready_unix, "cooling down", "I6")
    need(not asked.held and ledger.unix_s < asked.ready_unix + REQUEST_LIFE_S, "over", "I6")
    if pool.live_windows:
        marked = pool.marked_windows == pool.live_windows and pool.mark_slot == slot
        need(marked, "a live window has no mark of this slot", "I6")
        need(pool.mark_data_ms >= asked.marks_from_ms, "marks too old", "I6")
    kind, amount, target = WITHDRAWAL if deposit else DEPOSIT, 0, asked.destination
    if deposit:
        value = pool.cash_e6 + (pool.mark_loss_e6 if pool.live_windows else 0)
        value += -(-pool.fee_escrow_e6 * ledger.params["lp_bps"] // BPS)
        shares, tokens = pricing.shares_for_deposit(asked.amount, value, ledger.supply), asked.amount
        need(shares > 0, "too little")
        need(shares >= asked.minimum, "slippage")
        pool.claimable_e6 -= tokens
        pool.cash_e6 += tokens
        ledger.shares[target if payable else ledger.lp_escrow] += shares
        ledger.supply += shares
        amount = shares
    else:
        value = max(0, pool.cash_e6 - (pool.mark_gain_e6 if pool.live_windows else 0))
        shares, last = asked.amount, asked.amount == ledger.supply
        need(not last or pool.live_windows == 0, "the last shares", "I6")
        tokens = value if last else pricing.amount_for_shares(shares, value, ledger.supply)
        need(tokens > 0, "too little")
        need(tokens >= asked.minimum, "slippage")
        fits = pool.reserved_e6 * BPS <= (pool.cash_e6 - tokens) * ledger.params["cap_pool_bps"]
        need(fits, "reservations need it", "I3")
        pool.cash_e6 -= tokens
        ledger.shares[ledger.lp_escrow] -= shares
        ledger.supply -= shares
        amount = tokens
        if payable:
            ledger.move(ledger.vault, target, tokens)
        else:
            pool.claimable_e6 += tokens
    if payable:
        pool.lp_requests -= 1
        del ledger.requests[address]
    else:
        asked.held, asked.kind, asked.amount, asked.tip_lamports = 1, kind, amount, 0
    said = {"amount_e6": tokens, "shares": shares, "value_e6": value, "supply_after": ledger.supply}
    return said | {"held": int(not payable)}


def mark(ledger: Ledger, address: Pubkey, now: Now) -> None:
    """Measure what the traders of a window gain and lose."""
    window, pool = ledger.windows[address], ledger.pool
    need(window.open_positions > 0, "nothing to mark")
    now_ms = now.unix_s * 1000
    price, data_ms = window.settlement_e6, now_ms
    if window.state == OPEN:
        feed = window.feed.twin
        need(not window.feed.closed, "no feed")
        sample = feed.samples[-1]
        data_ms = feed.start_unix_ms + sample.data_ms
        need(now_ms - data_ms <= MARK_MAX_AGE_MS, "stale mark", "stale price")
        need(sample.suspend_epoch % 2 == 0, "suspended", "I8")
        borrowing.accrue(window)
        borrowing.set_rate(ledger, window)
        price = Pricing.of(feed, sample, window.parts).forward_e6
    count = window.open_positions
    long = pricing.mark_side(Side.LONG, window.oi_long_e6, window.entry_long_e6, price, count)
    short = pricing.mark_side(Side.SHORT, window.oi_short_e6, window.entry_short_e6, price, count)
    void = window.state == VOID
    gain, loss = (0, 0) if void else (long.gain_e6 + short.gain_e6, long.loss_e6 + short.loss_e6)
    if pool.mark_round == 0 or now.slot != pool.mark_slot:
        pool.mark_round, pool.mark_slot = pool.mark_round + 1, now.slot
        pool.mark_gain_e6 = pool.mark_loss_e6 = pool.marked_windows = 0
    ledger.unmark(window)
    if pool.marked_windows == 0:
        pool.mark_data_ms = (1 << 64) - 1
    pool.mark_gain_e6 += gain
    pool.mark_loss_e6 += loss
    pool.marked_windows += 1
    pool.mark_data_ms = min(pool.mark_data_ms, data_ms)
    window.mark_round, window.mark_gain_e6, window.mark_loss_e6 = pool.mark_round, gain, loss

"""The end of windows: settled, challenged or void; positions paid out, fees split."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from tests.fuzz.ledger import borrowing
from tests.fuzz.ledger.books import Now, Window
from tests.fuzz.ledger.exchange import Ledger, Reduction
from tests.fuzz.ledger.rules import ABANDONED_MS, BPS, FINAL, NO_NEW_ORDERS, OPEN, VOID, need
from tests.fuzz.timing import outcome, stood_still, window_ms


def finalise(ledger: Ledger, address: Pubkey, now: Now) -> dict[str, int]:
    """Fix a window's settlement."""
    window = ledger.windows[address]
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    need(window.state == OPEN, "already final", "I11")
    feed, length = window.feed.twin, window_ms(window.parts)
    area, out = 0, length
    if not window.feed.closed:
        silent = bool(feed.samples)
        if silent:
            silent = now.unix_s * 1000 > feed.start_unix_ms + feed.samples[-1].data_ms + ABANDONED_MS
        found = outcome(feed, window.parts, feed.final or silent)
        need(found is not None, "not ended", "I11")
        area, out = found or (0, 0)
        borrowing.accrue(window)
        if stood_still(feed, window.parts):
            out = length
    settlement = pricing.settlement(area, length, out)
    window.state = VOID if settlement is None else FINAL
    window.settlement_e6 = settlement or 0
    window.left_out_ms = out
    window.finalised_unix = now.unix_s
    window.dispute_until_ms = now.unix_s * 1000 + ledger.params["dispute_ms"]
    ledger.open_windows -= 1
    return {"state": window.state, "settlement_e6": window.settlement_e6, "area": area, "left_out_ms": out}


def challenge(ledger: Ledger, address: Pubkey, challenger: Pubkey, source: Pubkey, now: Now) -> dict[str, int]:
    """Doubt a settlement with a bond: its dispute gets longer."""
    window, bond = ledger.windows[address], ledger.params["challenge_bond_e6"]
    need(ledger.params["challenge_ms"] > 0, "no challenges")
    need(window.state == FINAL, "not final")
    need(now.unix_s * 1000 < window.dispute_until_ms, "dispute over", "I11")
    need(window.challenge == 0, "challenged already", "I4")
    need(ledger.tokens[source] >= bond, "not enough tokens")
    ledger.move(source, ledger.vault, bond)
    ledger.pool.claimable_e6 += bond
    window.challenge, window.challenger, window.challenge_bond_e6 = 1, challenger, bond
    window.dispute_until_ms += ledger.params["challenge_ms"]
    return {"bond_e6": bond, "dispute_until_ms": window.dispute_until_ms}


def void(ledger: Ledger, address: Pubkey, now: Now) -> dict[str, int]:
    """Undo a settlement inside its dispute."""
    window = ledger.windows[address]
    need(window.state == FINAL, "not final", "I11")
    need(now.unix_s * 1000 < window.dispute_until_ms, "dispute over", "I11")
    said = {"settlement_e6": window.settlement_e6}
    window.state, window.settlement_e6, window.dispute_until_ms = VOID, 0, now.unix_s * 1000
    return said


def resolve(ledger: Ledger, address: Pubkey, target: Pubkey, owner: Pubkey, now: Now) -> dict[str, int]:
    """Give the bond of a challenge back, or to the insurance."""
    window = ledger.windows[address]
    _need_ended(window, now)
    need(window.challenge == 1, "no open challenge", "I4")
    need(owner == window.challenger, "not the challenger's tokens", "I4")
    bond, upheld = window.challenge_bond_e6, window.state == VOID
    window.challenge = 2
    ledger.pool.claimable_e6 -= bond
    if upheld:
        ledger.move(ledger.vault, target, bond)
    else:
        ledger.pool.insurance_e6 += bond
    return {"bond_e6": bond, "upheld": int(upheld)}


def settle(ledger: Ledger, address: Pubkey, now: Now) -> dict[str, int]:
    """Pay a position out and close it."""
    need(address in ledger.positions, "no such position", "I5")
    position = ledger.positions[address]
    window = ledger.windows[position.window]
    _need_ended(window, now)
    need(position.pending_orders == 0, "orders pending")
    borrow = 0 if window.state == VOID else borrowing.take_borrow(ledger, position)
    qty, collateral, reserved = position.qty_e6, position.collateral_e6, position.reserved_e6
    done = Reduction(0, 0, 0, collateral)
    returned = 0
    if window.state == VOID:
        returned = position.fees_e6
        if qty:
            ledger.drop(position, done)
    elif qty:
        done = ledger.reduce(position, qty, window.settlement_e6)
    payout = done.returned + done.gain
    need(0 <= payout <= collateral + reserved, "payout out of bounds", "I5")
    window.fee_escrow_e6 -= returned
    window.fees_returned_e6 += returned
    ledger.pool.fee_escrow_e6 -= returned
    ledger.pool.fees_returned_e6 += returned
    ledger.free(position.margin, payout + returned)
    window.positions -= 1
    del ledger.positions[address]
    said = {
        "bad_debt_e6": done.bad_debt,
        "insured_e6": done.insured,
        "qty_e6": qty,
        "collateral_e6": collateral,
        "reserved_e6": reserved,
        "payout_e6": payout,
    }
    return said | {"fees_returned_e6": returned, "loss_e6": done.loss, "gain_e6": done.gain, "borrow_e6": borrow}


def distribute(ledger: Ledger, address: Pubkey, now: Now) -> dict[str, int]:
    """Split a window's fees."""
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    window = ledger.windows[address]
    _need_ended(window, now)
    need(not window.fees_done, "fees are done", "I12")
    need(window.pending_orders == 0 and window.positions == 0, "somebody is still in")
    fees = window.fee_escrow_e6
    lp = fees * ledger.params["lp_bps"] // BPS if ledger.supply else 0
    protocol = fees * ledger.params["protocol_bps"] // BPS
    window.fee_escrow_e6, window.fees_done = 0, 1
    ledger.pool.fee_escrow_e6 -= fees
    ledger.pool.fees_distributed_e6 += fees
    ledger.pool.cash_e6 += lp
    ledger.pool.insurance_e6 += fees - lp - protocol
    ledger.pool.protocol_fees_e6 += protocol
    return {"lp_e6": lp, "insurance_e6": fees - lp - protocol, "protocol_e6": protocol}


def collect(ledger: Ledger) -> dict[str, int]:
    """Pay the treasury the protocol's part of the fees."""
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    amount = ledger.pool.protocol_fees_e6
    need(amount > 0, "nothing to collect", "I12")
    ledger.pool.protocol_fees_e6 = 0
    ledger.move(ledger.vault, ledger.treasury_vault, amount)
    return {"amount_e6": amount}


def release_insurance(ledger: Ledger, amount: int) -> dict[str, int]:
    """Move insurance into the pool's cash."""
    need(ledger.supply > 0, "nobody holds shares", "I6")
    need(0 < amount <= ledger.pool.insurance_e6, "no such amount", "I4")
    ledger.pool.insurance_e6 -= amount
    ledger.pool.cash_e6 += amount
    return {"amount_e6": amount, "insurance_e6": ledger.pool.insurance_e6, "cash_e6": ledger.pool.cash_e6}


def _need_ended(window: Window, now: Now) -> None:
    need(window.state != OPEN, "not final", "I11")
    need(now.unix_s * 1000 >= window.dispute_until_ms, "in dispute", "I11")

"""One book for each account that holds or counts money, and the time of a step."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from momentum.pricing import Side
from oracle.windows import Part
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.rules import NOBODY, OPEN


@dataclass(slots=True)
class Margin:
    """A trader's collateral."""

    owner: Pubkey
    free_e6: int = 0
    deposits_e6: int = 0
    withdrawals_e6: int = 0
    reserved_e6: int = 0
    last_client_id: int = 0
    open_orders: int = 0
    open_positions: int = 0
    rate_unix: int = 0
    rate_count: int = 0


@dataclass(slots=True)
class Position:
    """A net position."""

    margin: Pubkey
    window: Pubkey
    rent_payer: Pubkey
    side: int = 0
    qty_e6: int = 0
    entry_cost_e6: int = 0
    collateral_e6: int = 0
    reserved_e6: int = 0
    fees_e6: int = 0
    opened_ms: int = 0
    pending_orders: int = 0
    generation: int = 0
    borrow_index_e12: int = 0


@dataclass(slots=True)
class Bond:
    """What a publisher has put at stake, and its score."""

    publisher: Pubkey
    lamports: int = 0
    release_unix_s: int = 0
    slashed_lamports: int = 0
    feeds: int = 0
    due: int = 0
    accepted: int = 0
    late: int = 0
    used: int = 0
    scored: int = 0
    deviation_e6: int = 0


@dataclass(slots=True)
class Session:
    """What a delegate may do with a margin account."""

    margin: Pubkey
    owner: Pubkey
    delegate: Pubkey
    expires_unix: int
    max_qty_e6: int
    budget_e6: int
    spent_e6: int = 0


@dataclass(slots=True)
class LpRequest:
    """A liquidity provider's wish that waits."""

    owner: Pubkey
    source: Pubkey
    """Where tokens or shares came from, and where they go when it is cancelled."""
    destination: Pubkey
    rent_payer: Pubkey
    kind: int
    id: int
    amount: int
    minimum: int
    ready_unix: int = 0
    marks_from_ms: int = 0
    tip_lamports: int = 0
    held: int = 0


@dataclass(slots=True)
class Order:
    """A committed order."""

    margin: Pubkey
    window: Pubkey
    position: Pubkey
    rent_payer: Pubkey
    client_id: int
    side: int
    flags: int
    period: int
    suspend_epoch: int
    qty_e6: int
    collateral_e6: int
    fee_reserve_e6: int
    commit_ms: int
    commit_slot: int
    commit_samples: int
    tip_lamports: int
    delay_ms: int
    expiry_ms: int
    limit_e6: int
    generation: int
    kind: int = 0
    trigger_e6: int = 0
    until_ms: int = 0
    cancelled: int = 0

    @property
    def escrow(self) -> int:
        """Return what the order holds."""
        return self.collateral_e6 + self.fee_reserve_e6


@dataclass(slots=True)
class Window:
    """One contract; ``feed`` is the twin of its match's feed."""

    window_id: int
    feed: Feedhouse
    market: Pubkey
    parts: tuple[Part, ...]
    k_e6: int
    state: int = OPEN
    fees_done: int = 0
    oi_long_e6: int = 0
    oi_short_e6: int = 0
    reserved_e6: int = 0
    fee_escrow_e6: int = 0
    fees_charged_e6: int = 0
    fees_returned_e6: int = 0
    finalised_unix: int = 0
    open_positions: int = 0
    pending_orders: int = 0
    settlement_e6: int = 0
    left_out_ms: int = 0
    positions: int = 0
    dispute_until_ms: int = 0
    challenger: Pubkey = NOBODY
    challenge_bond_e6: int = 0
    challenge: int = 0
    entry_long_e6: int = 0
    entry_short_e6: int = 0
    mark_gain_e6: int = 0
    mark_loss_e6: int = 0
    borrow_index_e12: int = 0
    borrow_rate_e12: int = 0
    borrow_ms: int = 0
    mark_round: int = 0
    rent_receiver: Pubkey = NOBODY

    def turn(self, side: int, qty: int, cost: int) -> None:
        """Change the open interest of a side and what it cost."""
        if side == Side.LONG:
            self.oi_long_e6 += qty
            self.entry_long_e6 += cost
        else:
            self.oi_short_e6 += qty
            self.entry_short_e6 += cost


@dataclass(slots=True)
class Pool:
    """The vault's balances and counters."""

    cash_e6: int = 0
    reserved_e6: int = 0
    margin_e6: int = 0
    position_collateral_e6: int = 0
    order_escrow_e6: int = 0
    fee_escrow_e6: int = 0
    protocol_fees_e6: int = 0
    insurance_e6: int = 0
    claimable_e6: int = 0
    open_positions: int = 0
    bad_debt_e6: int = 0
    fees_charged_e6: int = 0
    fees_distributed_e6: int = 0
    fees_returned_e6: int = 0
    outflow_hour_unix: int = 0
    outflow_hour_e6: int = 0
    outflow_day_unix: int = 0
    outflow_day_e6: int = 0
    live_windows: int = 0
    lp_requests: int = 0
    mark_gain_e6: int = 0
    mark_loss_e6: int = 0
    mark_data_ms: int = 0
    mark_slot: int = 0
    mark_round: int = 0
    marked_windows: int = 0


@dataclass(slots=True)
class Market:
    """One match: what it reserves, and which of its windows came and went."""

    reserved_e6: int = 0
    windows: int = 0
    closed: int = 0
    rent_receiver: Pubkey = NOBODY


@dataclass(slots=True)
class Now:
    """The cluster's time of a step."""

    unix_s: int
    slot: int
    restart_slot: int = 0
    """Slot of the cluster's last restart."""

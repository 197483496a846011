//! Events, emitted by self-CPI: they cannot be cut like log lines. Accounts are the truth.
use anchor_lang::{
    __alloc::vec::Vec,
    cpi::{CpiSeed, CpiSigner, InstructionAccount, InstructionView},
    event::EVENT_IX_TAG_LE,
    prelude::*,
};

/// Emit an event by self-CPI, as `emit_cpi!` does: one function for all events is 60 kB smaller than a copy for each.
macro_rules! emit {
    ($ctx:ident, $event:expr) => {
        $crate::events::record(
            $ctx.accounts.event_authority.account(),
            $ctx.bumps.event_authority,
            anchor_lang::Event::data(&$event),
        )?
    };
}
pub(crate) use emit;

/// Call this program with an event's bytes, signed by the event authority.
#[inline(never)]
pub(crate) fn record(authority: &AccountView, bump: u8, event: Vec<u8>) -> Result<()> {
    let mut data = Vec::with_capacity(EVENT_IX_TAG_LE.len() + event.len());
    data.extend_from_slice(EVENT_IX_TAG_LE);
    data.extend_from_slice(&event);
    let accounts = [InstructionAccount::readonly_signer(authority.address())];
    let instruction = InstructionView { program_id: &crate::ID, accounts: &accounts, data: &data };
    let bump = [bump];
    let seeds: [CpiSeed; 2] = [CpiSeed::from(b"__event_authority"), CpiSeed::from(&bump)];
    anchor_lang::pinocchio::cpi::invoke_signed::<1, AccountView>(
        &instruction,
        &[*authority],
        &[CpiSigner::from(&seeds)],
    )
}

/// Collateral came in (`deposit` 1) or went out (0).
#[event]
pub struct CollateralChanged {
    pub margin: Address,
    pub owner: Address,
    pub deposit: u8,
    pub amount_e6: u64,
    pub free_e6: u64,
}

/// Liquidity came in (`deposit` 1) or went out (0).
#[event]
pub struct LiquidityChanged {
    pub owner: Address,
    pub deposit: u8,
    pub amount_e6: u64,
    pub shares: u64,
    pub cash_before: u64,
    pub cash_after: u64,
    pub supply_before: u64,
    pub supply_after: u64,
    /// What the shares were priced on: cash and marks.
    pub value_e6: u64,
    /// 1: it could not be paid and waits for its owner in the request.
    pub held: u8,
}

/// An order was committed.
#[event]
pub struct OrderPlaced {
    pub order: Address,
    pub margin: Address,
    pub owner: Address,
    pub window: Address,
    pub client_id: u64,
    pub side: u8,
    pub flags: u8,
    pub qty_e6: u64,
    pub limit_e6: u32,
    pub collateral_e6: u64,
    pub fee_reserve_e6: u64,
    pub commit_ms: u64,
    pub expiry_ms: u32,
    pub suspend_epoch: u16,
    pub kind: u8,
    pub trigger_e6: u32,
}

/// A resting order is to end: samples from `until_ms` on no longer trigger it.
#[event]
pub struct OrderCancelRequested {
    pub order: Address,
    pub owner: Address,
    pub window: Address,
    pub client_id: u64,
    pub until_ms: u64,
}

/// An order ended; `reason` is an `EndReason`. Prices and sample are 0 where no sample was determined.
#[event]
pub struct OrderEnded {
    pub order: Address,
    pub owner: Address,
    pub window: Address,
    pub client_id: u64,
    pub side: u8,
    pub reason: u8,
    /// Asked.
    pub qty_e6: u64,
    /// Executed, opened or closed.
    pub filled_e6: u64,
    /// Of it, closed.
    pub closed_e6: u64,
    pub price_e6: u32,
    pub forward_e6: u32,
    pub conf_e6: u32,
    pub fee_e6: u64,
    /// Paid by the pool.
    pub gain_e6: u64,
    /// Paid to the pool out of collateral.
    pub loss_e6: u64,
    /// Loss beyond the collateral.
    pub bad_debt_e6: u64,
    /// Collateral that entered the position.
    pub collateral_in_e6: u64,
    /// Collateral that left the position, after the loss.
    pub collateral_out_e6: u64,
    /// Escrow that went back unused.
    pub refund_e6: u64,
    pub sample_index: u64,
    /// Absolute data time of the sample.
    pub data_ms: u64,
    pub commit_ms: u64,
    pub suspend_epoch: u16,
    /// Borrow fee taken from the collateral before anything else.
    pub borrow_e6: u64,
    pub kind: u8,
    /// Of the bad debt, paid by the insurance.
    pub insured_e6: u64,
}

/// A position was closed for lack of margin.
#[event]
pub struct PositionLiquidated {
    pub position: Address,
    pub owner: Address,
    pub window: Address,
    pub liquidator: Address,
    pub side: u8,
    pub qty_e6: u64,
    /// Closing price.
    pub price_e6: u32,
    /// Forward price that the margin was measured at.
    pub mark_e6: u32,
    pub collateral_e6: u64,
    pub gain_e6: u64,
    pub loss_e6: u64,
    pub bad_debt_e6: u64,
    pub fee_e6: u64,
    pub reward_e6: u64,
    /// To the owner's free margin.
    pub returned_e6: u64,
    /// Quantity that is still open.
    pub left_e6: u64,
    /// Stays in the position as collateral.
    pub kept_e6: u64,
    pub sample_index: u64,
    /// Borrow fee taken from the collateral before anything else.
    pub borrow_e6: u64,
    /// Of the bad debt, paid by the insurance.
    pub insured_e6: u64,
}

/// A match got a market.
#[event]
pub struct MarketCreated {
    pub market: Address,
    pub exchange: Address,
    pub feed: Address,
}

/// A window opened for trading.
#[event]
pub struct WindowOpened {
    pub window: Address,
    pub market: Address,
    pub feed: Address,
    pub window_id: u8,
    pub w_ms: u32,
    pub k_e6: u64,
}

/// A window's settlement is known (`state` 1) or it is void (2).
#[event]
pub struct WindowFinalised {
    pub window: Address,
    pub window_id: u8,
    pub state: u8,
    pub settlement_e6: u32,
    pub area: u64,
    pub left_out_ms: u32,
}

/// A position was paid out and its account closed.
#[event]
pub struct PositionSettled {
    pub position: Address,
    pub owner: Address,
    pub window: Address,
    pub side: u8,
    pub qty_e6: u64,
    pub entry_cost_e6: u64,
    pub collateral_e6: u64,
    pub reserved_e6: u64,
    pub settlement_e6: u32,
    /// Collateral plus gain minus loss, without returned fees.
    pub payout_e6: u64,
    pub gain_e6: u64,
    pub loss_e6: u64,
    pub bad_debt_e6: u64,
    /// Fees given back because the window is void.
    pub fees_returned_e6: u64,
    /// Borrow fee taken from the collateral before anything else.
    pub borrow_e6: u64,
    /// Of the bad debt, paid by the insurance.
    pub insured_e6: u64,
}

/// A window's fees were split.
#[event]
pub struct FeesDistributed {
    pub window: Address,
    pub lp_e6: u64,
    pub insurance_e6: u64,
    pub protocol_e6: u64,
}

/// The pause level changed.
#[event]
pub struct PauseChanged {
    pub exchange: Address,
    pub before: u8,
    pub after: u8,
}

/// Somebody doubts a window's settlement; its dispute time is longer now.
#[event]
pub struct WindowChallenged {
    pub window: Address,
    pub challenger: Address,
    pub bond_e6: u64,
    pub dispute_until_ms: u64,
}

/// Guardian or authority undid a settlement: collateral and fees go back.
#[event]
pub struct WindowVoided {
    pub window: Address,
    pub signer: Address,
    /// The settlement that was undone.
    pub settlement_e6: u32,
}

/// The bond of a challenge went back (`upheld` 1) or to the insurance (0).
#[event]
pub struct ChallengeResolved {
    pub window: Address,
    pub challenger: Address,
    pub bond_e6: u64,
    pub upheld: u8,
}

/// Collateral went from free margin into a position (`added` 1) or back (0).
#[event]
pub struct MarginMoved {
    pub position: Address,
    pub owner: Address,
    pub added: u8,
    pub amount_e6: u64,
    pub collateral_e6: u64,
    pub free_e6: u64,
    /// Borrow fee taken from the collateral first.
    pub borrow_e6: u64,
}

/// A liquidity provider asked for a deposit (`kind` 0) or a withdrawal (1).
#[event]
pub struct LiquidityRequested {
    pub request: Address,
    pub owner: Address,
    pub kind: u8,
    pub id: u64,
    /// Tokens of a deposit, shares of a withdrawal.
    pub amount: u64,
    pub minimum: u64,
    pub ready_unix: u64,
}

/// What a request held went to its owner: taken back, over its time, or the result that could not be paid.
#[event]
pub struct LiquidityCancelled {
    pub request: Address,
    pub owner: Address,
    /// 0 tokens, 1 shares.
    pub kind: u8,
    pub amount: u64,
}

/// A delegate may trade with a margin account (`active` 1) or no longer (0).
#[event]
pub struct SessionChanged {
    pub session: Address,
    pub margin: Address,
    pub delegate: Address,
    pub active: u8,
    pub expires_unix: u64,
    pub max_qty_e6: u64,
    pub budget_e6: u64,
}

/// An owner may open positions until `expires_unix`; 0: no longer.
#[event]
pub struct AttestationChanged {
    pub exchange: Address,
    pub owner: Address,
    pub attestor: Address,
    pub expires_unix: u64,
}

/// The authority moved insurance into the pool's cash.
#[event]
pub struct InsuranceReleased {
    pub exchange: Address,
    pub amount_e6: u64,
    /// What is left.
    pub insurance_e6: u64,
    pub cash_e6: u64,
}

/// The protocol's share of fees went to the treasury.
#[event]
pub struct ProtocolFeesCollected {
    pub exchange: Address,
    pub amount_e6: u64,
}

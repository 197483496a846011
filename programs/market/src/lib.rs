//! The market: window contracts on the mean index, filled at a determined sample, fully reserved by one pool.
//!
//! | instruction | who | what |
//! |---|---|---|
//! | `init_exchange`, `init_pool` | creator, anyone | a venue with its rules, vault and LP mint |
//! | `set_params` | authority | rules inside fixed limits |
//! | `set_operator`, `set_guardian`, `revoke_operator`, `revoke_guardian` | authority | roles |
//! | `propose_authority`, `accept_authority` | authority, successor | the authority changes hands in two steps |
//! | `set_pause` | authority; operator to tighten | Active, ReduceOnly, NoNewOrders, Halted |
//! | `guardian_pause`, `clear_guardian_pause` | guardian, authority | a tighter pause that ends by itself |
//! | `create_market`, `open_window`, `open_custom_window` | operator | lists a feed and its windows |
//! | `close_window`, `close_market` | anyone | gives the rent back when all is over |
//! | `migrate_account`, `init_lp_escrow` | anyone | brings accounts of version 1 up to date |
//! | `create_margin`, `deposit_collateral` | anyone | a trader's margin account |
//! | `withdraw_collateral` | owner | free margin back to the wallet |
//! | `request_deposit`, `request_withdrawal`, `cancel_request` | liquidity provider | pool shares, by request |
//! | `mark_window`, `execute_request` | anyone | marks of open positions; carries requests out at them |
//! | `submit_order` | owner, delegate | commits an order: it fills 5 s of data later, or rests for its price |
//! | `cancel_order` | owner, delegate | a resting order takes no later trigger |
//! | `crank_order` | anyone | ends an order at its determined sample, or a resting one at its trigger |
//! | `create_session`, `revoke_session` | owner; owner, delegate | a delegate that may trade and never withdraw |
//! | `set_attestor`; `attest`, `revoke_attestation` | authority; attestor | who may open positions |
//! | `add_margin`, `remove_margin` | owner | collateral of a position, down to the initial margin |
//! | `liquidate` | anyone | closes a position below maintenance margin, a large one by halves |
//! | `finalise_window` | anyone | settlement from the feed's areas |
//! | `challenge_window`, `resolve_challenge` | anyone, with a bond; anyone | a longer dispute; what becomes of the bond |
//! | `void_window` | guardian, authority | undoes a settlement in dispute, never sets one |
//! | `settle_position`, `distribute_fees`, `collect_protocol_fees` | anyone | pays out, splits the fees |
//! | `release_insurance` | authority | insurance into the pool's cash |
//! | `quote` | simulation | price of a trade now |
//!
//! `timing` says where a window stands at a sample, `matching` which sample an order belongs to, `resting` what
//! triggers one that waits, `state` keeps the books, `constants` the limits and end reasons. The maths are the crate
//! `model`. Reference: docs/programs.md.

#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod matching;
pub mod resting;
pub mod state;
pub mod timing;
pub mod tokens;

use anchor_lang::prelude::*;

pub use {constants::*, errors::MarketError, events::*, instructions::*, state::*};

include!("../../security_txt.rs");

declare_id!("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6");

#[program]
pub mod market {
    use super::*;

    /// Create the exchange of `creator`.
    pub fn init_exchange(ctx: &mut Context<InitExchange>, params: ExchangeParams) -> Result<()> {
        instructions::init_exchange(ctx, params)
    }

    /// Create the exchange's pool, vault and LP mint.
    pub fn init_pool(ctx: &mut Context<InitPool>) -> Result<()> {
        instructions::init_pool(ctx)
    }

    /// Set the pause level (0 Active, 1 ReduceOnly, 2 NoNewOrders, 3 Halted).
    pub fn set_pause(ctx: &mut Context<SetPause>, level: u8) -> Result<()> {
        instructions::set_pause(ctx, level)
    }

    /// Replace the parameters.
    pub fn set_params(ctx: &mut Context<SetParams>, params: ExchangeParams) -> Result<()> {
        instructions::set_params(ctx, params)
    }

    /// Replace the operator.
    pub fn set_operator(ctx: &mut Context<SetOperator>, operator: Address) -> Result<()> {
        instructions::set_operator(ctx, operator)
    }

    /// Replace the guardian.
    pub fn set_guardian(ctx: &mut Context<SetGuardian>, guardian: Address) -> Result<()> {
        instructions::set_guardian(ctx, guardian)
    }

    /// Leave the exchange without an operator.
    pub fn revoke_operator(ctx: &mut Context<RevokeOperator>) -> Result<()> {
        instructions::revoke_operator(ctx)
    }

    /// Leave the exchange without a guardian.
    pub fn revoke_guardian(ctx: &mut Context<RevokeGuardian>) -> Result<()> {
        instructions::revoke_guardian(ctx)
    }

    /// Offer the authority to another key.
    pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, successor: Address) -> Result<()> {
        instructions::propose_authority(ctx, successor)
    }

    /// Take over the authority.
    pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority(ctx)
    }

    /// Tighten the pause for a while.
    pub fn guardian_pause(ctx: &mut Context<GuardianPause>, level: u8, seconds: u32) -> Result<()> {
        instructions::guardian_pause(ctx, level, seconds)
    }

    /// End the guardian's pause.
    pub fn clear_guardian_pause(ctx: &mut Context<ClearGuardianPause>) -> Result<()> {
        instructions::clear_guardian_pause(ctx)
    }

    /// Doubt a window's settlement, with a bond.
    pub fn challenge_window(ctx: &mut Context<ChallengeWindow>) -> Result<()> {
        instructions::challenge_window(ctx)
    }

    /// Undo a window's settlement inside its dispute time.
    pub fn void_window(ctx: &mut Context<VoidWindow>) -> Result<()> {
        instructions::void_window(ctx)
    }

    /// Return a challenge's bond, or give it to the insurance.
    pub fn resolve_challenge(ctx: &mut Context<ResolveChallenge>) -> Result<()> {
        instructions::resolve_challenge(ctx)
    }

    /// List a feed.
    pub fn create_market(ctx: &mut Context<CreateMarket>) -> Result<()> {
        instructions::create_market(ctx)
    }

    /// Open window `window_id` (0..=5 quarters of an hour, 6 H1, 7 H2, 8 FT) with `k_e6` contracts a point of impact.
    pub fn open_window(ctx: &mut Context<OpenWindow>, window_id: u8, k_e6: u64) -> Result<()> {
        instructions::open_window(ctx, window_id, k_e6)
    }

    /// Open the custom window `window_id` (9..=15) over the minutes `from_minute..to_minute` (0..=90) of one half.
    pub fn open_custom_window(
        ctx: &mut Context<OpenWindow>,
        window_id: u8,
        from_minute: u8,
        to_minute: u8,
        k_e6: u64,
    ) -> Result<()> {
        instructions::open_custom_window(ctx, window_id, from_minute, to_minute, k_e6)
    }

    /// Close a window that is over and empty.
    pub fn close_window(ctx: &mut Context<CloseWindow>) -> Result<()> {
        instructions::close_window(ctx)
    }

    /// Close the market of a match that is over.
    pub fn close_market(ctx: &mut Context<CloseMarket>) -> Result<()> {
        instructions::close_market(ctx)
    }

    /// Grow an exchange, pool or margin account of version 1.
    pub fn migrate_account(ctx: &mut Context<MigrateAccount>) -> Result<()> {
        instructions::migrate_account(ctx)
    }

    /// Create the escrow that a migrated pool lacks.
    pub fn init_lp_escrow(ctx: &mut Context<InitLpEscrow>) -> Result<()> {
        instructions::init_lp_escrow(ctx)
    }

    /// Create the margin account of `owner`.
    pub fn create_margin(ctx: &mut Context<CreateMargin>) -> Result<()> {
        instructions::create_margin(ctx)
    }

    /// Deposit collateral into a margin account.
    pub fn deposit_collateral(ctx: &mut Context<DepositCollateral>, amount_e6: u64) -> Result<()> {
        instructions::deposit_collateral(ctx, amount_e6)
    }

    /// Withdraw free margin.
    pub fn withdraw_collateral(ctx: &mut Context<WithdrawCollateral>, amount_e6: u64) -> Result<()> {
        instructions::withdraw_collateral(ctx, amount_e6)
    }

    /// Ask for shares of the pool for tokens; `id` is the owner's number of the request.
    pub fn request_deposit(ctx: &mut Context<RequestDeposit>, id: u64, amount_e6: u64, min_shares: u64) -> Result<()> {
        instructions::request_deposit(ctx, id, amount_e6, min_shares)
    }

    /// Ask for the money of pool shares, after the cooldown.
    pub fn request_withdrawal(
        ctx: &mut Context<RequestWithdrawal>,
        id: u64,
        shares: u64,
        min_amount_e6: u64,
    ) -> Result<()> {
        instructions::request_withdrawal(ctx, id, shares, min_amount_e6)
    }

    /// Carry out a liquidity request at fresh marks.
    pub fn execute_request(ctx: &mut Context<ExecuteRequest>) -> Result<()> {
        instructions::execute_request(ctx)
    }

    /// Take a liquidity request back.
    pub fn cancel_request(ctx: &mut Context<CancelRequest>) -> Result<()> {
        instructions::cancel_request(ctx)
    }

    /// Measure what the traders of a window gain and lose now.
    pub fn mark_window(ctx: &mut Context<MarkWindow>) -> Result<()> {
        instructions::mark_window(ctx)
    }

    /// Commit an order; the arguments are the fields of `OrderParams`.
    #[allow(clippy::too_many_arguments)]
    pub fn submit_order(
        ctx: &mut Context<SubmitOrder>,
        client_id: u64,
        side: u8,
        flags: u8,
        qty_e6: u64,
        limit_e6: u32,
        collateral_e6: u64,
        expiry_ms: u32,
        kind: u8,
        trigger_e6: u32,
    ) -> Result<()> {
        let params =
            OrderParams { client_id, side, flags, qty_e6, limit_e6, collateral_e6, expiry_ms, kind, trigger_e6 };
        instructions::submit_order(ctx, params)
    }

    /// Let a resting order take no trigger later than the delay from now.
    pub fn cancel_order(ctx: &mut Context<CancelOrder>) -> Result<()> {
        instructions::cancel_order(ctx)
    }

    /// Let a delegate trade with a margin account.
    pub fn create_session(
        ctx: &mut Context<CreateSession>,
        expires_unix: u64,
        max_qty_e6: u64,
        budget_e6: u64,
    ) -> Result<()> {
        instructions::create_session(ctx, expires_unix, max_qty_e6, budget_e6)
    }

    /// End a session.
    pub fn revoke_session(ctx: &mut Context<RevokeSession>) -> Result<()> {
        instructions::revoke_session(ctx)
    }

    /// Replace the attestor.
    pub fn set_attestor(ctx: &mut Context<SetAttestor>, attestor: Address) -> Result<()> {
        instructions::set_attestor(ctx, attestor)
    }

    /// Attest that an owner may open positions.
    pub fn attest(ctx: &mut Context<Attest>, expires_unix: u64) -> Result<()> {
        instructions::attest(ctx, expires_unix)
    }

    /// Take an attestation back.
    pub fn revoke_attestation(ctx: &mut Context<RevokeAttestation>) -> Result<()> {
        instructions::revoke_attestation(ctx)
    }

    /// End an order at its determined sample (a resting one: `sample_index` is its trigger), or for the reason why
    /// there is none.
    pub fn crank_order(ctx: &mut Context<CrankOrder>, sample_index: u64) -> Result<()> {
        instructions::crank_order(ctx, sample_index)
    }

    /// Put more collateral into a position.
    pub fn add_margin(ctx: &mut Context<AddMargin>, amount_e6: u64) -> Result<()> {
        instructions::add_margin(ctx, amount_e6)
    }

    /// Take collateral out of a position, down to the initial margin.
    pub fn remove_margin(ctx: &mut Context<RemoveMargin>, amount_e6: u64) -> Result<()> {
        instructions::remove_margin(ctx, amount_e6)
    }

    /// Close a position that is below maintenance margin.
    pub fn liquidate(ctx: &mut Context<Liquidate>) -> Result<()> {
        instructions::liquidate(ctx)
    }

    /// Fix a window's settlement.
    pub fn finalise_window(ctx: &mut Context<FinaliseWindow>) -> Result<()> {
        instructions::finalise_window(ctx)
    }

    /// Pay a position out and close it.
    pub fn settle_position(ctx: &mut Context<SettlePosition>) -> Result<()> {
        instructions::settle_position(ctx)
    }

    /// Split a window's fees.
    pub fn distribute_fees(ctx: &mut Context<DistributeFees>) -> Result<()> {
        instructions::distribute_fees(ctx)
    }

    /// Pay the protocol's share of the fees to the treasury.
    pub fn collect_protocol_fees(ctx: &mut Context<CollectProtocolFees>) -> Result<()> {
        instructions::collect_protocol_fees(ctx)
    }

    /// Move insurance into the pool's cash.
    pub fn release_insurance(ctx: &mut Context<ReleaseInsurance>, amount_e6: u64) -> Result<()> {
        instructions::release_insurance(ctx, amount_e6)
    }

    /// Price of a trade at the newest sample; to be simulated.
    pub fn quote(ctx: &mut Context<ViewQuote>, side: u8, qty_e6: u64) -> Result<QuoteView> {
        instructions::quote(ctx, side, qty_e6)
    }
}

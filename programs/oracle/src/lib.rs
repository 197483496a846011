//! The oracle: publishers sign one quote a second, the feed aggregates each tick once.
//!
//! | instruction | who | what |
//! |---|---|---|
//! | `init_config` | anyone | a config with its authority and operator |
//! | `migrate_config` | anyone | grows a config of an earlier version |
//! | `set_operator`, `revoke_operator` | authority | names the operator; leaves none |
//! | `propose_authority`, `accept_authority` | authority; the proposed key | hands the authority over in two steps |
//! | `set_params` | authority | bonds and retention |
//! | `register_publisher_set`, `retire_publisher_set` | authority | whom feeds may be listed with |
//! | `register_methodology`, `retire_methodology` | authority | which index feeds may carry |
//! | `create_feed`, `grow_feed` | operator; anyone | lists a match (both in one transaction) |
//! | `push_quote` | publisher | one tick; aggregates it when the quorum is there |
//! | `set_hold` | operator, authority | suspends a feed whatever its publishers say |
//! | `finalise_feed` | operator; anyone after 6 h of silence | freezes the feed after the last period |
//! | `close_feed` | operator | closes a final feed after its retention, rent back |
//! | `record_score` | anyone | adds a final feed to a publisher's public score |
//! | `open_bond` | anyone | the account for a publisher's bond and score |
//! | `post_bond`, `request_bond_release`, `withdraw_bond` | publisher | its bond; 7 days of cooldown |
//! | `slash_bond` | authority | takes from a bond, for the config's receiver |
//!
//! The rules of aggregation are in `aggregate`, limits in `constants`.

#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

pub mod aggregate;
pub mod constants;
pub mod errors;
pub mod instructions;
pub mod state;

use anchor_lang::prelude::*;

pub use {constants::*, errors::OracleError, instructions::*, state::*};

include!("../../security_txt.rs");

declare_id!("81WWN8VYjXbJEFwX9MUspXkdes9yZ4cHtTGzZJcnRCo6");

#[program]
pub mod oracle {
    use super::*;

    /// Quote one tick.
    pub fn push_quote(ctx: &mut Context<PushQuote>, quote: Quote) -> Result<()> {
        instructions::push_quote(ctx, quote)
    }

    /// Create the config of `creator`.
    pub fn init_config(ctx: &mut Context<InitConfig>, operator: Address) -> Result<()> {
        instructions::init_config(ctx, operator)
    }

    /// Replace the operator.
    pub fn set_operator(ctx: &mut Context<SetOperator>, operator: Address) -> Result<()> {
        instructions::set_operator(ctx, operator)
    }

    /// List a match; `grow_feed` follows in the same transaction.
    pub fn create_feed(ctx: &mut Context<CreateFeed>, match_id: [u8; 32], start_unix_ms: u64) -> Result<()> {
        instructions::create_feed(ctx, match_id, start_unix_ms)
    }

    /// Grow a new feed to its full size.
    pub fn grow_feed(ctx: &mut Context<GrowFeed>) -> Result<()> {
        instructions::grow_feed(ctx)
    }

    /// Freeze a feed whose last period has ended, or that fell silent.
    pub fn finalise_feed(ctx: &mut Context<FinaliseFeed>) -> Result<()> {
        instructions::finalise_feed(ctx)
    }

    /// Close a final feed.
    pub fn close_feed(ctx: &mut Context<CloseFeed>) -> Result<()> {
        instructions::close_feed(ctx)
    }

    /// Leave the config without an operator.
    pub fn revoke_operator(ctx: &mut Context<RevokeOperator>) -> Result<()> {
        instructions::revoke_operator(ctx)
    }

    /// Set bonds and retention.
    pub fn set_params(
        ctx: &mut Context<SetParams>,
        bond_receiver: Address,
        min_bond_lamports: u64,
        retention_s: u32,
    ) -> Result<()> {
        instructions::set_params(ctx, bond_receiver, min_bond_lamports, retention_s)
    }

    /// Offer the authority to another key.
    pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, new_authority: Address) -> Result<()> {
        instructions::propose_authority(ctx, new_authority)
    }

    /// Take the authority that was offered.
    pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority(ctx)
    }

    /// Register publishers that feeds may be listed with.
    pub fn register_publisher_set(
        ctx: &mut Context<RegisterPublisherSet>,
        set_id: u32,
        publishers: [Address; 8],
        n_publishers: u8,
        min_publishers: u8,
    ) -> Result<()> {
        instructions::register_publisher_set(ctx, set_id, publishers, n_publishers, min_publishers)
    }

    /// List no more feeds with a publisher set.
    pub fn retire_publisher_set(ctx: &mut Context<RetirePublisherSet>) -> Result<()> {
        instructions::retire_publisher_set(ctx)
    }

    /// Register a specification of the index that feeds may carry.
    pub fn register_methodology(ctx: &mut Context<RegisterMethodology>, hash: [u8; 32], name: [u8; 32]) -> Result<()> {
        instructions::register_methodology(ctx, hash, name)
    }

    /// List no more feeds with a methodology.
    pub fn retire_methodology(ctx: &mut Context<RetireMethodology>) -> Result<()> {
        instructions::retire_methodology(ctx)
    }

    /// Hold a feed suspended, or lift the hold.
    pub fn set_hold(ctx: &mut Context<SetHold>, on: bool) -> Result<()> {
        instructions::set_hold(ctx, on)
    }

    /// Open the account for a publisher's bond and score.
    pub fn open_bond(ctx: &mut Context<OpenBond>) -> Result<()> {
        instructions::open_bond(ctx)
    }

    /// Grow a config of an earlier version to today's size.
    pub fn migrate_config(ctx: &mut Context<MigrateConfig>) -> Result<()> {
        instructions::migrate_config(ctx)
    }

    /// Post a bond, or add to it.
    pub fn post_bond(ctx: &mut Context<PostBond>, lamports: u64) -> Result<()> {
        instructions::post_bond(ctx, lamports)
    }

    /// Start a bond's cooldown.
    pub fn request_bond_release(ctx: &mut Context<RequestBondRelease>) -> Result<()> {
        instructions::request_bond_release(ctx)
    }

    /// Take a bond back after its cooldown.
    pub fn withdraw_bond(ctx: &mut Context<WithdrawBond>) -> Result<()> {
        instructions::withdraw_bond(ctx)
    }

    /// Take from a publisher's bond.
    pub fn slash_bond(ctx: &mut Context<SlashBond>, lamports: u64) -> Result<()> {
        instructions::slash_bond(ctx, lamports)
    }

    /// Add a final feed to a publisher's public score.
    pub fn record_score(ctx: &mut Context<RecordScore>) -> Result<()> {
        instructions::record_score(ctx)
    }
}

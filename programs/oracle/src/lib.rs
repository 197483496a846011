//! The oracle: publishers sign one quote a second, the feed aggregates each tick once.
//!
//! | instruction | who | what |
//! |---|---|---|
//! | `init_config` | anyone | a config with its authority and operator |
//! | `set_operator` | authority | replaces the operator |
//! | `create_feed`, `grow_feed` | operator | lists a match (both in one transaction) |
//! | `push_quote` | publisher | one tick; aggregates it when the quorum is there |
//! | `finalise_feed` | operator | freezes the feed after the last period |
//! | `close_feed` | operator | closes a final feed, rent back |
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
    #[allow(clippy::too_many_arguments)]
    pub fn create_feed(
        ctx: &mut Context<CreateFeed>,
        match_id: [u8; 32],
        methodology: [u8; 32],
        publishers: [Address; 8],
        n_publishers: u8,
        min_publishers: u8,
        start_unix_ms: u64,
    ) -> Result<()> {
        instructions::create_feed(ctx, match_id, methodology, publishers, n_publishers, min_publishers, start_unix_ms)
    }

    /// Grow a new feed to its full size.
    pub fn grow_feed(ctx: &mut Context<GrowFeed>) -> Result<()> {
        instructions::grow_feed(ctx)
    }

    /// Freeze a feed whose last period has ended.
    pub fn finalise_feed(ctx: &mut Context<FinaliseFeed>) -> Result<()> {
        instructions::finalise_feed(ctx)
    }

    /// Close a final feed.
    pub fn close_feed(ctx: &mut Context<CloseFeed>) -> Result<()> {
        instructions::close_feed(ctx)
    }
}

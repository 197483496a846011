use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::VERSION,
    errors::MarketError,
    events::{emit, MarketCreated},
    state::{Exchange, Market},
};

/// Accounts of `create_market`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateMarket {
    #[account(address = exchange.operator @ MarketError::NotOperator)]
    pub operator: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    pub exchange: Account<Exchange>,
    #[account(constraint = feed.config == exchange.oracle_config @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
    #[account(
        init, payer = payer, seeds = [b"market", exchange.address().as_ref(), feed.address().as_ref()], bump
    )]
    pub market: Account<Market>,
    pub system_program: Program<System>,
}

/// 1. Creates the market of one feed of the exchange's oracle.
pub fn create_market(ctx: &mut Context<CreateMarket>) -> Result<()> {
    let bump = ctx.bumps.market;
    let a = &mut ctx.accounts;
    let (exchange, feed) = (*a.exchange.address(), *a.feed.address());
    a.market.version = VERSION;
    a.market.bump = bump;
    a.market.exchange = exchange;
    a.market.feed = feed;
    a.market.rent_receiver = *a.payer.address();
    let market = *a.market.address();
    emit!(ctx, MarketCreated { market, exchange, feed });
    Ok(())
}

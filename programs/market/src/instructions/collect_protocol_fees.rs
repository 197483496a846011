use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::PAUSE_NO_NEW_ORDERS,
    errors::MarketError,
    events::{emit, ProtocolFeesCollected},
    state::{Exchange, Pool},
    tokens::pay,
};

/// Accounts of `collect_protocol_fees`.
#[event_cpi]
#[derive(Accounts)]
pub struct CollectProtocolFees {
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut, address = exchange.treasury_vault @ MarketError::WrongAccount)]
    pub treasury_vault: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Pays the protocol's share of all fees split so far to the treasury's vault. Anybody may call it, not while Halted.
pub fn collect_protocol_fees(ctx: &mut Context<CollectProtocolFees>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    let amount_e6 = core::mem::take(&mut a.pool.protocol_fees_e6);
    require!(amount_e6 > 0, MarketError::NothingToCollect);
    pay(&a.token_program, &mut a.vault, &mut a.treasury_vault, &a.pool, amount_e6)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let exchange = *a.exchange.address();
    emit!(ctx, ProtocolFeesCollected { exchange, amount_e6 });
    Ok(())
}

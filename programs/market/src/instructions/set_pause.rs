use anchor_lang::prelude::*;

use crate::{
    constants::PAUSE_HALTED,
    errors::MarketError,
    events::{emit, PauseChanged},
    state::Exchange,
};

/// Accounts of `set_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPause {
    pub signer: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Sets the pause level: the authority to any, the operator to a tighter one.
pub fn set_pause(ctx: &mut Context<SetPause>, level: u8) -> Result<()> {
    require!(level <= PAUSE_HALTED, MarketError::BadParameter);
    let signer = *ctx.accounts.signer.address();
    let exchange = &mut ctx.accounts.exchange;
    if signer != exchange.authority {
        require!(signer == exchange.operator, MarketError::NotAuthority);
        require!(level >= exchange.pause, MarketError::OnlyTighten);
    }
    let before = exchange.pause;
    exchange.pause = level;
    let exchange = *exchange.address();
    emit!(ctx, PauseChanged { exchange, before, after: level });
    Ok(())
}

use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, PauseChanged},
    state::Exchange,
};

/// Accounts of `guardian_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianPause {
    #[account(address = exchange.guardian @ MarketError::NotGuardian)]
    pub guardian: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Tightens the pause to `level` for `seconds`, at most 72 h; it ends by itself.
///
/// While it holds the guardian may only tighten it further, to the same end. The next one has to wait 72 h from that
/// end, so that a guardian alone cannot stop the exchange for good.
pub fn guardian_pause(ctx: &mut Context<GuardianPause>, level: u8, seconds: u32) -> Result<()> {
    let clock = Clock::get()?;
    let now = clock.unix_timestamp.max(0) as u64;
    let exchange = &mut ctx.accounts.exchange;
    require!((PAUSE_REDUCE_ONLY..=PAUSE_HALTED).contains(&level), MarketError::BadParameter);
    require!((1..=GUARDIAN_PAUSE_MAX_S).contains(&seconds), MarketError::BadParameter);
    let before = exchange.pause_at(&clock);
    require!(level > before, MarketError::OnlyTighten);
    if now >= exchange.guardian_until_unix {
        let first = exchange.guardian_until_unix == 0;
        let rested = now - exchange.guardian_until_unix >= GUARDIAN_PAUSE_MAX_S as u64;
        require!(first || rested, MarketError::GuardianRests);
        exchange.guardian_until_unix = now + seconds as u64;
    }
    exchange.guardian_pause = level;
    let exchange = *exchange.address();
    emit!(ctx, PauseChanged { exchange, before, after: level });
    Ok(())
}

use anchor_lang::prelude::*;

use crate::{
    constants::DAY_S,
    errors::MarketError,
    state::{Exchange, ExchangeParams},
};

/// Accounts of `set_params`.
#[derive(Accounts)]
pub struct SetParams {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Replaces the parameters, inside the limits fixed in the code. Pending orders keep their delay and fee reserve.
///
/// The outflow limits grow by a quarter a day at most, and once set are not lifted: who captures the authority cannot
/// open the vault at once.
pub fn set_params(ctx: &mut Context<SetParams>, params: ExchangeParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp.max(0) as u64;
    let exchange = &mut ctx.accounts.exchange;
    let hour = growth(exchange.outflow_hour_e6, params.outflow_hour_e6)?;
    let day = growth(exchange.outflow_day_e6, params.outflow_day_e6)?;
    if hour || day {
        require!(now >= exchange.outflow_raised_unix + DAY_S, MarketError::OutflowGrowth);
        exchange.outflow_raised_unix = now;
    }
    exchange.set(&params)
}

/// Whether a limit grows; an error if it does by more than a quarter. 0 means no limit.
fn growth(before: u64, after: u64) -> Result<bool> {
    let grows = before > 0 && (after == 0 || after > before);
    require!(!grows || (after > 0 && after - before <= before / 4), MarketError::OutflowGrowth);
    Ok(grows)
}

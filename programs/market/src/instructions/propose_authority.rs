use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `propose_authority`.
#[derive(Accounts)]
pub struct ProposeAuthority {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Offers the authority to a key, which has to accept: a mistyped key cannot lock the exchange.
///
/// The default key withdraws the offer.
pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, successor: Address) -> Result<()> {
    ctx.accounts.exchange.pending_authority = successor;
    Ok(())
}

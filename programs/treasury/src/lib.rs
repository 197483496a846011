//! Futstar treasury program.
use anchor_lang::prelude::*;
#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

declare_id!("31c5mHZYeqSc2DYxv7Lpc8qsMFSBP5cXHGPD5PvmBzj7");

#[derive(Accounts)]
pub struct Ping {
    pub payer: Signer,
}

#[program]
pub mod treasury {
    use super::*;

    pub fn ping(_ctx: &mut Context<Ping>) -> Result<()> {
        Ok(())
    }
}

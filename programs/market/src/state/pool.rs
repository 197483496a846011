use anchor_lang::prelude::*;

use super::{credit, debit, Exchange, Reduction};
use crate::{constants::*, errors::MarketError};

/// The vault's books. PDA `["pool", exchange]`; owner of the vault and mint authority of the LP shares.
///
/// Every unit in the vault is in exactly one balance (I1), and cash covers every reservation (I3).
#[account]
pub struct Pool {
    pub version: u8,
    pub bump: u8,
    pub vault_bump: u8,
    pub lp_mint_bump: u8,
    pub lp_escrow_bump: u8,
    pub _reserved: [u8; 3],
    pub exchange: Address,
    pub vault: Address,
    pub lp_mint: Address,
    /// Liquidity providers' money: pays gains, receives losses.
    pub cash_e6: u64,
    /// The most that open positions can gain in all; never above cash.
    pub reserved_e6: u64,
    /// Sum of free margin.
    pub margin_e6: u64,
    pub position_collateral_e6: u64,
    /// Collateral and fees of pending orders.
    pub order_escrow_e6: u64,
    /// Fees of windows that are not yet distributed.
    pub fee_escrow_e6: u64,
    /// Protocol's share of the fees that were split, until it is collected.
    pub protocol_fees_e6: u64,
    /// Pays bad debt; the authority may move it into cash.
    pub insurance_e6: u64,
    /// Deposits of liquidity that wait, and bonds of challenges.
    pub claimable_e6: u64,
    /// Positions with a quantity.
    pub open_positions: u64,
    /// Counter: losses beyond collateral, also those that the insurance paid.
    pub bad_debt_e6: u64,
    /// Counter: fees charged. Equals fee escrow + distributed + returned (I12).
    pub fees_charged_e6: u64,
    /// Counter: fees split between liquidity providers, insurance and protocol.
    pub fees_distributed_e6: u64,
    /// Counter: fees given back by void windows.
    pub fees_returned_e6: u64,
    /// Start of the running hour of winnings that left the vault.
    pub outflow_hour_unix: u64,
    /// Winnings that left in it.
    pub outflow_hour_e6: u64,
    /// Start of the running day of winnings that left the vault.
    pub outflow_day_unix: u64,
    /// Winnings that left in it.
    pub outflow_day_e6: u64,
    /// Windows with open interest.
    pub live_windows: u32,
    /// Liquidity requests that wait.
    pub lp_requests: u32,
    /// Gains of the traders in the windows marked in this round.
    pub mark_gain_e6: u64,
    /// Losses of the traders in them.
    pub mark_loss_e6: u64,
    /// Data time of the oldest mark of the round.
    pub mark_data_ms: u64,
    /// The slot that the round is of.
    pub mark_slot: u64,
    pub mark_round: u32,
    /// Live windows marked in the round.
    pub marked_windows: u32,
}

impl Pool {
    /// What the vault must hold (I1).
    #[inline(never)]
    pub fn total_e6(&self) -> Result<u64> {
        let mut sum = self.cash_e6;
        credit(&mut sum, self.margin_e6)?;
        credit(&mut sum, self.position_collateral_e6)?;
        credit(&mut sum, self.order_escrow_e6)?;
        credit(&mut sum, self.fee_escrow_e6)?;
        credit(&mut sum, self.protocol_fees_e6)?;
        credit(&mut sum, self.insurance_e6)?;
        credit(&mut sum, self.claimable_e6)?;
        Ok(sum)
    }

    /// I3, and `total_e6` as before for an instruction that moves no token (I4).
    #[inline(never)]
    pub fn invariant(&self, total_before_e6: u64) -> Result<()> {
        let kept = self.total_e6()? == total_before_e6;
        require!(kept && self.reserved_e6 <= self.cash_e6, MarketError::InvariantBroken);
        Ok(())
    }

    /// I1 and I3 after a token transfer. A donation to the vault is nobody's and never blocks.
    #[inline(never)]
    pub fn invariant_vault(&self, vault_e6: u64) -> Result<()> {
        let covered = self.total_e6()? <= vault_e6;
        require!(covered && self.reserved_e6 <= self.cash_e6, MarketError::InvariantBroken);
        Ok(())
    }

    /// Whether the three reservations stay below their shares of cash.
    pub fn within_caps(&self, exchange: &Exchange, pool_e6: u64, match_e6: u64, user_e6: u64) -> bool {
        let below = |reserved: u64, bps: u16| reserved as u128 * BPS as u128 <= self.cash_e6 as u128 * bps as u128;
        below(pool_e6, exchange.cap_pool_bps)
            && below(match_e6, exchange.cap_match_bps)
            && below(user_e6, exchange.cap_user_bps)
    }

    /// Count winnings that leave the vault; refuse what goes over the limit of the hour or of the day.
    pub fn count_outflow(&mut self, exchange: &Exchange, winnings_e6: u64, now_unix: u64) -> Result<()> {
        if now_unix >= self.outflow_hour_unix.saturating_add(HOUR_S) {
            self.outflow_hour_unix = now_unix;
            self.outflow_hour_e6 = 0;
        }
        if now_unix >= self.outflow_day_unix.saturating_add(DAY_S) {
            self.outflow_day_unix = now_unix;
            self.outflow_day_e6 = 0;
        }
        credit(&mut self.outflow_hour_e6, winnings_e6)?;
        credit(&mut self.outflow_day_e6, winnings_e6)?;
        let within = |sum: u64, limit: u64| limit == 0 || sum <= limit;
        require!(within(self.outflow_hour_e6, exchange.outflow_hour_e6), MarketError::OutflowHour);
        require!(within(self.outflow_day_e6, exchange.outflow_day_e6), MarketError::OutflowDay);
        Ok(())
    }

    /// Pay a gain out of cash and take a loss into it; what no collateral covers comes from the insurance as far as it
    /// reaches. Returns that part.
    #[inline(never)]
    pub fn settle_pnl(&mut self, done: &Reduction) -> Result<u64> {
        let insured_e6 = done.bad_debt_e6.min(self.insurance_e6);
        self.insurance_e6 -= insured_e6;
        credit(&mut self.cash_e6, insured_e6)?;
        credit(&mut self.cash_e6, done.loss_e6)?;
        debit(&mut self.cash_e6, done.gain_e6)?;
        credit(&mut self.bad_debt_e6, done.bad_debt_e6)?;
        Ok(insured_e6)
    }
}

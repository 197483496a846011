use anchor_lang::prelude::*;

use crate::{constants::*, errors::MarketError};

/// What the authority may change.
#[derive(Clone, Copy, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ExchangeParams {
    /// Delay between commit and fill sample, at least 3 s.
    pub delay_ms: u32,
    /// Life of an order that asks for none, at most 120 s.
    pub order_expiry_ms: u32,
    /// Time between finalisation and settlement of a window.
    pub dispute_ms: u32,
    /// Fee in points a contract.
    pub fee_e6: u32,
    /// Initial margin in points a contract.
    pub initial_margin_e6: u32,
    /// Share of fees to liquidity providers; the three shares make 10,000.
    pub lp_bps: u16,
    /// Share of fees to the insurance.
    pub insurance_bps: u16,
    /// Share of fees to the treasury.
    pub protocol_bps: u16,
    /// Most of the pool's cash that may be reserved in all.
    pub cap_pool_bps: u16,
    /// Most of the pool's cash that one match may reserve.
    pub cap_match_bps: u16,
    /// Most of the pool's cash that one margin account may reserve.
    pub cap_user_bps: u16,
    /// Paid to whoever ends an order.
    pub tip_lamports: u64,
}

impl ExchangeParams {
    /// Refuse what lies outside the limits fixed in the code.
    pub fn check(&self) -> Result<()> {
        let shares = self.lp_bps as u64 + self.insurance_bps as u64 + self.protocol_bps as u64;
        let caps = self.cap_pool_bps <= MAX_CAP_POOL_BPS
            && self.cap_match_bps <= self.cap_pool_bps
            && self.cap_user_bps <= self.cap_match_bps;
        let ranges = (MIN_DELAY_MS..=MAX_DELAY_MS).contains(&self.delay_ms)
            && (self.delay_ms..=MAX_EXPIRY_MS).contains(&self.order_expiry_ms)
            && (MIN_INITIAL_MARGIN_E6..=MAX_INITIAL_MARGIN_E6).contains(&self.initial_margin_e6)
            && self.fee_e6 <= MAX_FEE_E6
            && self.tip_lamports <= MAX_TIP_LAMPORTS;
        require!(shares == BPS && caps && ranges, MarketError::BadParameter);
        Ok(())
    }
}

/// One venue with its rules. PDA `["exchange", creator]`.
#[account]
pub struct Exchange {
    pub version: u8,
    pub bump: u8,
    /// 0 Active, 1 ReduceOnly, 2 NoNewOrders, 3 Halted.
    pub pause: u8,
    pub _reserved: [u8; 5],
    pub creator: Address,
    /// Sets parameters and lifts pauses; the treasury's executor in production.
    pub authority: Address,
    /// Lists markets and windows, may tighten the pause.
    pub operator: Address,
    pub collateral_mint: Address,
    /// Token account that receives the protocol's share of fees.
    pub treasury_vault: Address,
    /// Feeds must belong to this oracle config.
    pub oracle_config: Address,
    pub pool: Address,
    pub vault: Address,
    pub lp_mint: Address,
    pub tip_lamports: u64,
    pub delay_ms: u32,
    pub order_expiry_ms: u32,
    pub dispute_ms: u32,
    pub fee_e6: u32,
    pub initial_margin_e6: u32,
    pub lp_bps: u16,
    pub insurance_bps: u16,
    pub protocol_bps: u16,
    pub cap_pool_bps: u16,
    pub cap_match_bps: u16,
    pub cap_user_bps: u16,
}

impl Exchange {
    /// Take over checked parameters.
    pub fn set(&mut self, params: &ExchangeParams) -> Result<()> {
        params.check()?;
        self.delay_ms = params.delay_ms;
        self.order_expiry_ms = params.order_expiry_ms;
        self.dispute_ms = params.dispute_ms;
        self.fee_e6 = params.fee_e6;
        self.initial_margin_e6 = params.initial_margin_e6;
        self.lp_bps = params.lp_bps;
        self.insurance_bps = params.insurance_bps;
        self.protocol_bps = params.protocol_bps;
        self.cap_pool_bps = params.cap_pool_bps;
        self.cap_match_bps = params.cap_match_bps;
        self.cap_user_bps = params.cap_user_bps;
        self.tip_lamports = params.tip_lamports;
        Ok(())
    }

    /// Refuse when the pause is tighter than `most`.
    pub fn allows(&self, most: u8) -> Result<()> {
        require!(self.pause <= most, MarketError::Paused);
        Ok(())
    }
}

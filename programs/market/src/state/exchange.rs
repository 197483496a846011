use anchor_lang::prelude::*;

use crate::{constants::*, errors::MarketError};

/// What the authority may change.
#[derive(Clone, Copy, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ExchangeParams {
    /// Delay between commit and fill sample, 3 to 15 s.
    pub delay_ms: u32,
    /// Life of an order that asks for none, at most 120 s.
    pub order_expiry_ms: u32,
    /// Time between finalisation and settlement of a window, at most two days.
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
    /// Orders a margin account may place in a minute; 0: any number.
    pub orders_per_minute: u16,
    /// Share of reserved cash at which the borrow fee turns steep.
    pub borrow_kink_bps: u16,
    /// Borrow fee at the kink, 1e-12 of the reservation a second of play; 0: none.
    pub borrow_kink_e12: u64,
    /// Borrow fee when all cash is reserved.
    pub borrow_max_e12: u64,
    /// A position of at most this quantity is liquidated at once, a larger one by halves; 0: always at once.
    pub liquidation_dust_e6: u64,
    /// Bond of a challenge, at least 1 USDC where there are challenges.
    pub challenge_bond_e6: u64,
    /// By how much a challenge extends the dispute time; 0: there are no challenges.
    pub challenge_ms: u32,
    /// Time between a liquidity provider's request to withdraw and its execution, a day to a week; 0: none.
    pub lp_cooldown_s: u32,
    /// Most winnings that leave the vault in an hour; 0: any amount.
    pub outflow_hour_e6: u64,
    /// Most winnings that leave the vault in a day; 0: any amount.
    pub outflow_day_e6: u64,
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
            && self.tip_lamports <= MAX_TIP_LAMPORTS
            && self.borrow_kink_bps as u64 <= BPS
            && self.borrow_kink_e12 <= self.borrow_max_e12
            && self.borrow_max_e12 <= MAX_BORROW_E12
            && self.dispute_ms <= MAX_DISPUTE_MS
            && self.challenge_ms <= MAX_DISPUTE_MS
            && (self.challenge_ms == 0 || self.challenge_bond_e6 >= MIN_CHALLENGE_BOND_E6)
            && (self.lp_cooldown_s == 0 || (MIN_LP_COOLDOWN_S..=MAX_LP_COOLDOWN_S).contains(&self.lp_cooldown_s));
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
    /// May tighten the pause for a while, void a disputed window, never set a price; default key: nobody.
    pub guardian: Address,
    /// Signs attestations that orders then need; default key: none are needed.
    pub attestor: Address,
    /// Becomes the authority when it accepts; default key: nobody.
    pub pending_authority: Address,
    /// Until when the guardian's pause holds.
    pub guardian_until_unix: u64,
    pub borrow_kink_e12: u64,
    pub borrow_max_e12: u64,
    pub liquidation_dust_e6: u64,
    pub challenge_bond_e6: u64,
    pub outflow_hour_e6: u64,
    pub outflow_day_e6: u64,
    /// When the outflow limits last grew.
    pub outflow_raised_unix: u64,
    pub challenge_ms: u32,
    pub lp_cooldown_s: u32,
    /// Windows that are neither final nor void.
    pub open_windows: u32,
    pub orders_per_minute: u16,
    pub borrow_kink_bps: u16,
    /// The guardian's pause level; holds until `guardian_until_unix`.
    pub guardian_pause: u8,
    pub _reserved_2: [u8; 7],
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
        self.orders_per_minute = params.orders_per_minute;
        self.borrow_kink_bps = params.borrow_kink_bps;
        self.borrow_kink_e12 = params.borrow_kink_e12;
        self.borrow_max_e12 = params.borrow_max_e12;
        self.liquidation_dust_e6 = params.liquidation_dust_e6;
        self.challenge_bond_e6 = params.challenge_bond_e6;
        self.challenge_ms = params.challenge_ms;
        self.lp_cooldown_s = params.lp_cooldown_s;
        self.outflow_hour_e6 = params.outflow_hour_e6;
        self.outflow_day_e6 = params.outflow_day_e6;
        Ok(())
    }

    /// The pause in force: the authority's, or the guardian's while it holds, whichever is tighter.
    pub fn pause_at(&self, clock: &Clock) -> u8 {
        match clock.unix_timestamp < self.guardian_until_unix as i64 {
            true => self.pause.max(self.guardian_pause),
            false => self.pause,
        }
    }

    /// Refuse when the pause in force is tighter than `most`.
    #[inline(never)]
    pub fn allows(&self, most: u8, clock: &Clock) -> Result<()> {
        require!(self.pause_at(clock) <= most, MarketError::Paused);
        Ok(())
    }
}

use anchor_lang::prelude::*;
use model::Side;

use crate::constants::{FLAG_REDUCE_ONLY, KIND_MARKET};

/// A committed order. PDA `["order", margin, client_id]`; closed when it ends.
#[account]
pub struct Order {
    pub version: u8,
    pub bump: u8,
    /// Direction of the trade: 0 long, 1 short.
    pub side: u8,
    /// 1 reduce only.
    pub flags: u8,
    /// Period at commit.
    pub period: u8,
    /// 0 market, 1 limit, 2 stop-loss, 3 take-profit.
    pub kind: u8,
    /// Even suspend epoch at commit.
    pub suspend_epoch: u16,
    pub owner: Address,
    pub margin: Address,
    pub window: Address,
    pub position: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub client_id: u64,
    pub qty_e6: u64,
    pub collateral_e6: u64,
    pub fee_reserve_e6: u64,
    /// Absolute: the later of the cluster's clock and the feed's data time.
    pub commit_ms: u64,
    pub commit_slot: u64,
    /// Samples the feed had at commit: an earlier one never fills.
    pub commit_samples: u64,
    pub tip_lamports: u64,
    /// Delay at commit, so that a change of parameters touches no pending order.
    pub delay_ms: u32,
    pub expiry_ms: u32,
    /// Worst price: highest for a long, lowest for a short.
    pub limit_e6: u32,
    /// `Position::generation` at commit.
    pub generation: u32,
    /// Resting: samples from this data time on no longer trigger it; 0: it rests until its window is over.
    pub until_ms: u64,
    /// Stop-loss, take-profit: forward price at which it triggers.
    pub trigger_e6: u32,
    /// 1 once its cancel was asked for.
    pub cancelled: u8,
    pub _reserved: [u8; 3],
}

impl Order {
    /// Whether the order may only close.
    pub fn reduce_only(&self) -> bool {
        self.flags & FLAG_REDUCE_ONLY != 0
    }

    /// Whether it waits for its price instead of its sample.
    pub fn resting(&self) -> bool {
        self.kind != KIND_MARKET
    }

    /// Data time from which a sample can fill it.
    pub fn ripe_ms(&self) -> u64 {
        self.commit_ms + self.delay_ms as u64
    }

    /// Data time after which no sample fills it.
    pub fn expires_ms(&self) -> u64 {
        self.commit_ms + self.expiry_ms as u64
    }

    /// Whether `price_e6` is within its limit.
    pub fn accepts(&self, side: Side, price_e6: u32) -> bool {
        match side {
            Side::Long => price_e6 <= self.limit_e6,
            Side::Short => price_e6 >= self.limit_e6,
        }
    }

    /// What the order holds in the pool's order escrow.
    pub fn escrow_e6(&self) -> u64 {
        self.collateral_e6 + self.fee_reserve_e6
    }
}

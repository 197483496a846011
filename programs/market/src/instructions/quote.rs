use anchor_lang::prelude::*;
use model::Side;
use oracle::Feed;

use crate::{
    constants::{COMMIT_CLOSE_MS, PAUSE_ACTIVE},
    errors::MarketError,
    state::{math, Exchange, Window},
    timing::{sample_ms, Pricing},
};

/// What `quote` returns: the price of a trade at the newest sample, all in 1e-6 points.
#[derive(Clone, Copy, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct QuoteView {
    pub sample_index: u64,
    /// Absolute data time of the sample.
    pub data_ms: u64,
    pub forward_e6: u32,
    pub price_e6: u32,
    pub half_spread_e6: u32,
    pub conf_e6: u32,
    pub impact_e6: u64,
    /// 1 when the impact raises the price.
    pub impact_raises: u8,
    /// 1 when an order could be submitted now.
    pub tradable: u8,
    pub suspend_epoch: u16,
    pub left_ms: u32,
    pub lead_ms: u32,
    pub maintenance_margin_e6: u32,
    pub fee_e6: u64,
}

/// Accounts of `quote`.
#[derive(Accounts)]
pub struct ViewQuote {
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    pub window: Account<Window>,
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
}

/// 1. Returns the price of a trade of `qty_e6` in direction `side` at the newest sample. Changes nothing: simulate it.
pub fn quote(ctx: &mut Context<ViewQuote>, side: u8, qty_e6: u64) -> Result<QuoteView> {
    let a = &ctx.accounts;
    let side = Side::from_u8(side).ok_or(MarketError::BadParameter)?;
    let sample = a.feed.newest().ok_or(MarketError::NoSample)?;
    let pricing = Pricing::of(&a.feed, sample, &a.window)?;
    let window = &a.window;
    let (impact_e6, raises) = math(model::impact(side, qty_e6, window.oi_long_e6, window.oi_short_e6, window.k_e6))?;
    let tradable = window.is_open()
        && a.feed.status != oracle::STATUS_FINAL
        && !a.feed.suspended()
        && a.feed.in_break == 0
        && a.exchange.pause_at(&Clock::get()?) == PAUSE_ACTIVE
        && pricing.at.left_ms >= COMMIT_CLOSE_MS;
    Ok(QuoteView {
        sample_index: a.feed.samples - 1,
        data_ms: sample_ms(&a.feed, sample),
        forward_e6: pricing.forward_e6,
        price_e6: pricing.fill_price(side, qty_e6, window)?,
        half_spread_e6: pricing.half_spread_e6,
        conf_e6: pricing.conf_e4 as u32 * 100,
        impact_e6,
        impact_raises: raises as u8,
        tradable: tradable as u8,
        suspend_epoch: sample.suspend_epoch,
        left_ms: pricing.at.left_ms,
        lead_ms: pricing.at.lead_ms,
        maintenance_margin_e6: model::maintenance_margin(pricing.at.left_ms),
        fee_e6: math(model::fee(qty_e6, a.exchange.fee_e6))?,
    })
}

//! The bytes of every account, frozen. Written by `python -m tests.programs.negative.layouts` from the IDL, and
//! checked here against what the compiler does. Offsets count from behind the 8 bytes of the discriminator.
use core::mem::{offset_of, size_of};

/// Every field of `$type` with its offset, and the size. Pod types have no padding, so no byte is left out.
macro_rules! layout {
    ($test:ident, $type:ident, $size:literal, { $($field:ident: $offset:literal),+ $(,)? }) => {
        #[test]
        fn $test() {
            $(assert_eq!(offset_of!(market::$type, $field), $offset, stringify!($field));)+
            assert_eq!(size_of::<market::$type>(), $size, stringify!($type));
        }
    };
}

layout!(attestation_is_144_bytes, Attestation, 144, {
    version: 0, bump: 1, _reserved: 2, exchange: 8, owner: 40, attestor: 72, rent_payer: 104, expires_unix: 136,
});

layout!(exchange_is_520_bytes, Exchange, 520, {
    version: 0, bump: 1, pause: 2, _reserved: 3, creator: 8, authority: 40, operator: 72, collateral_mint: 104,
    treasury_vault: 136, oracle_config: 168, pool: 200, vault: 232, lp_mint: 264, tip_lamports: 296,
    delay_ms: 304, order_expiry_ms: 308, dispute_ms: 312, fee_e6: 316, initial_margin_e6: 320, lp_bps: 324,
    insurance_bps: 326, protocol_bps: 328, cap_pool_bps: 330, cap_match_bps: 332, cap_user_bps: 334,
    guardian: 336, attestor: 368, pending_authority: 400, guardian_until_unix: 432, borrow_kink_e12: 440,
    borrow_max_e12: 448, liquidation_dust_e6: 456, challenge_bond_e6: 464, outflow_hour_e6: 472,
    outflow_day_e6: 480, outflow_raised_unix: 488, challenge_ms: 496, lp_cooldown_s: 500, open_windows: 504,
    orders_per_minute: 508, borrow_kink_bps: 510, guardian_pause: 512, _reserved_2: 513,
});

layout!(lp_request_is_184_bytes, LpRequest, 184, {
    version: 0, bump: 1, kind: 2, held: 3, _reserved: 4, pool: 8, owner: 40, destination: 72, rent_payer: 104,
    id: 136, amount: 144, minimum: 152, ready_unix: 160, marks_from_ms: 168, tip_lamports: 176,
});

layout!(margin_is_136_bytes, Margin, 136, {
    version: 0, bump: 1, _reserved: 2, exchange: 8, owner: 40, free_e6: 72, deposits_e6: 80, withdrawals_e6: 88,
    reserved_e6: 96, last_client_id: 104, open_orders: 112, open_positions: 116, rate_unix: 120,
    rate_count: 128, _reserved_2: 132,
});

layout!(market_is_112_bytes, Market, 112, {
    version: 0, bump: 1, windows: 2, closed: 4, _reserved: 6, exchange: 8, feed: 40, reserved_e6: 72,
    rent_receiver: 80,
});

layout!(order_is_264_bytes, Order, 264, {
    version: 0, bump: 1, side: 2, flags: 3, period: 4, kind: 5, suspend_epoch: 6, owner: 8, margin: 40,
    window: 72, position: 104, rent_payer: 136, client_id: 168, qty_e6: 176, collateral_e6: 184,
    fee_reserve_e6: 192, commit_ms: 200, commit_slot: 208, commit_samples: 216, tip_lamports: 224,
    delay_ms: 232, expiry_ms: 236, limit_e6: 240, generation: 244, until_ms: 248, trigger_e6: 256,
    cancelled: 260, _reserved: 261,
});

layout!(pool_is_296_bytes, Pool, 296, {
    version: 0, bump: 1, vault_bump: 2, lp_mint_bump: 3, lp_escrow_bump: 4, _reserved: 5, exchange: 8,
    vault: 40, lp_mint: 72, cash_e6: 104, reserved_e6: 112, margin_e6: 120, position_collateral_e6: 128,
    order_escrow_e6: 136, fee_escrow_e6: 144, protocol_fees_e6: 152, insurance_e6: 160, claimable_e6: 168,
    open_positions: 176, bad_debt_e6: 184, fees_charged_e6: 192, fees_distributed_e6: 200,
    fees_returned_e6: 208, outflow_hour_unix: 216, outflow_hour_e6: 224, outflow_day_unix: 232,
    outflow_day_e6: 240, live_windows: 248, lp_requests: 252, mark_gain_e6: 256, mark_loss_e6: 264,
    mark_data_ms: 272, mark_slot: 280, mark_round: 288, marked_windows: 292,
});

layout!(position_is_200_bytes, Position, 200, {
    version: 0, bump: 1, side: 2, _reserved: 3, owner: 8, margin: 40, window: 72, rent_payer: 104, qty_e6: 136,
    entry_cost_e6: 144, collateral_e6: 152, reserved_e6: 160, fees_e6: 168, opened_ms: 176, pending_orders: 184,
    generation: 188, borrow_index_e12: 192,
});

layout!(session_is_168_bytes, Session, 168, {
    version: 0, bump: 1, _reserved: 2, margin: 8, owner: 40, delegate: 72, rent_payer: 104, expires_unix: 136,
    max_qty_e6: 144, budget_e6: 152, spent_e6: 160,
});

layout!(window_is_344_bytes, Window, 344, {
    version: 0, bump: 1, window_id: 2, state: 3, fees_done: 4, _reserved: 5, exchange: 8, market: 40, feed: 72,
    k_e6: 104, oi_long_e6: 112, oi_short_e6: 120, reserved_e6: 128, fee_escrow_e6: 136, fees_charged_e6: 144,
    fees_returned_e6: 152, finalised_unix: 160, open_positions: 168, pending_orders: 172, start_ms: 176,
    end_ms: 180, w_ms: 184, settlement_e6: 188, left_out_ms: 192, positions: 196, dispute_until_ms: 200,
    challenger: 208, challenge_bond_e6: 240, challenge: 248, _reserved_2: 249, entry_long_e6: 256,
    entry_short_e6: 264, mark_gain_e6: 272, mark_loss_e6: 280, borrow_index_e12: 288, borrow_rate_e12: 296,
    borrow_ms: 304, mark_round: 308, rent_receiver: 312,
});

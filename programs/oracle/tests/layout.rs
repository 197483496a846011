//! The bytes of every account, frozen: who reads accounts off chain, or has some that exist, relies on them.
//! Offsets count from behind the 8 bytes of the discriminator. New fields take reserved bytes, so sizes stay.
use core::mem::{align_of, offset_of, size_of};

use ::oracle::{Config, Feed, Methodology, PeriodMark, PublisherBond, PublisherQuote, PublisherSet, Sample};

/// Every field of `$type` with its offset, and the size. Pod types have no padding, so no byte is left out.
macro_rules! layout {
    ($type:ty, $size:literal, $align:literal, { $($field:ident: $offset:literal),+ $(,)? }) => {{
        $(assert_eq!(offset_of!($type, $field), $offset, concat!(stringify!($type), "::", stringify!($field)));)+
        assert_eq!(size_of::<$type>(), $size, stringify!($type));
        assert_eq!(align_of::<$type>(), $align, stringify!($type));
    }};
}

#[test]
fn config_is_240_bytes() {
    layout!(Config, 240, 8, {
        version: 0, bump: 1, _reserved: 2, creator: 8, authority: 40, operator: 72, pending_authority: 104,
        bond_receiver: 136, min_bond_lamports: 168, retention_s: 176, _reserved_2: 180,
    });
}

#[test]
fn publisher_set_is_304_bytes() {
    layout!(PublisherSet, 304, 4, {
        version: 0, bump: 1, status: 2, n_publishers: 3, min_publishers: 4, _reserved: 5, set_id: 8, _reserved_2: 12,
        config: 16, publishers: 48,
    });
}

#[test]
fn methodology_is_104_bytes() {
    layout!(Methodology, 104, 1, {
        version: 0, bump: 1, status: 2, _reserved: 3, config: 8, hash: 40, name: 72,
    });
}

#[test]
fn publisher_bond_is_176_bytes() {
    layout!(PublisherBond, 176, 8, {
        version: 0, bump: 1, _reserved: 2, feeds: 4, config: 8, publisher: 40, lamports: 72, release_unix_s: 80,
        slashed_lamports: 88, due: 96, accepted: 104, late: 112, used: 120, scored: 128, deviation_e6: 136,
        _reserved_2: 144,
    });
}

#[test]
fn sample_is_32_bytes() {
    layout!(Sample, 32, 8, {
        area: 0, data_ms: 8, play_ms: 12, x_e6: 16, mu_e6: 20, s_e4: 24, conf_e4: 28, suspend_epoch: 30,
    });
}

#[test]
fn period_mark_is_32_bytes() {
    layout!(PeriodMark, 32, 8, {
        start_play_ms: 0, end_play_ms: 4, start_data_ms: 8, end_data_ms: 12, start_area: 16, end_area: 24,
    });
}

#[test]
fn publisher_quote_is_88_bytes() {
    layout!(PublisherQuote, 88, 8, {
        tick: 0, data_ms: 4, play_ms: 8, x_e6: 12, mu_e6: 16, s_e4: 20, conf_e4: 24, period: 26, flags: 27,
        suspend_reason: 28, _reserved: 29, accepted: 32, late: 36, inputs_hash: 40, deviation_e6: 72, used: 80,
        scored: 84,
    });
}

#[test]
fn feed_is_20_312_bytes() {
    layout!(Feed, 20_312, 8, {
        version: 0, bump: 1, n_publishers: 2, min_publishers: 3, period: 4, in_break: 5, suspend_reason: 6, status: 7,
        match_id: 8, config: 40, rent_receiver: 72, methodology: 104, start_unix_ms: 136, samples: 144, last_slot: 152,
        tick: 160, data_ms: 164, play_ms: 168, revised: 172, left_out_ms: 176, suspend_epoch: 180, hold: 182,
        scores_recorded: 183, hash_chain: 184, publishers: 216, quotes: 472, periods: 1_176, last_unix_s: 1_304,
        finalised_unix_s: 1_312, suspended_ms: 1_320, suspended_since_ms: 1_324, set_id: 1_328, still_since_ms: 1_332,
        lone_since_ms: 1_336, lone_ms: 1_340, still_minutes: 1_344,
        minute_area: 1_352, minute_left_out_ms: 2_824, minute_suspended_ms: 3_560, ring: 3_928,
    });
}

#[test]
fn a_feed_fits_into_the_two_steps_by_which_it_is_made() {
    assert!(Feed::SPACE <= 2 * 10_240, "an account grows by 10,240 bytes an instruction: create_feed, grow_feed");
}

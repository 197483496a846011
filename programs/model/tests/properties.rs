//! What must hold for all inputs.
use model::*;
use proptest::prelude::*;

const W: u32 = 900_000;

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_liquidation_closes_half_or_more_and_never_more_than_there_is(
        qty in 1u64..=1_000_000_000_000, dust in 0u64..=1_000_000_000_000, equity in any::<u64>(), least in any::<u64>(),
    ) {
        let closed = liquidation_qty(qty, dust, equity, least);
        prop_assert!(qty.div_ceil(2) <= closed && closed <= qty);
    }

    #[test]
    fn what_is_small_or_deep_in_loss_is_liquidated_whole(
        qty in 1u64..=1_000_000_000_000, dust in 0u64..=1_000_000_000_000, least in 2u64..=u64::MAX, part in 0u64..100,
    ) {
        let equity = (least / 2 - 1) / 100 * part;
        prop_assert_eq!(liquidation_qty(qty, dust, equity, least), qty);
        prop_assert_eq!(liquidation_qty(qty, 0, least, least), qty);
        prop_assert_eq!(liquidation_qty(qty.min(dust.max(1)), dust, least, least), qty.min(dust.max(1)));
    }

    #[test]
    fn liquidation_by_halves_ends_after_as_many_steps_as_the_position_has_bits(
        qty in 1u64..=1_000_000_000_000, dust in 1u64..=1_000_000_000_000, least in 2u64..=u64::MAX,
    ) {
        let (mut left, mut steps) = (qty, 0);
        while left > 0 {
            left -= liquidation_qty(left, dust, least - 1, least);
            steps += 1;
        }
        prop_assert!(steps <= 1 + 64 - (qty / dust).leading_zeros());
    }

    #[test]
    fn decay_is_the_exponential(t in 0u32..20_000_000, tau in prop_oneof![Just(TAU_MS), Just(TAU2_MS)]) {
        let exact = (-(t as f64) / tau as f64).exp();
        prop_assert!((decay_q32(t, tau) as f64 / 4_294_967_296.0 - exact).abs() < 4e-9);
    }

    #[test]
    fn forward_stays_in_the_envelope(
        played in 0u32..=W, x in 0u32..=MAX_X_E6, mu in 0u32..=MAX_X_E6, s in any::<u32>(), mean in 0u64..=100_000_000,
    ) {
        let (area, r) = (mean * played as u64, W - played);
        let (low, high) = envelope(area, r, W).unwrap();
        let f = forward(area, r, 0, x, mu, s, W).unwrap();
        prop_assert!(low <= f && f <= high && high <= MAX_X_E6);
    }

    #[test]
    fn forward_is_the_formula(
        played in 0u32..=W, lead in 0u32..5_400_000, x in 0u32..=MAX_X_E6, mu in 0u32..=MAX_X_E6, s in -50_000i64..50_000,
        mean in 0u64..=100_000_000,
    ) {
        let (played, lead) = if lead > 2_700_000 { (played, 0) } else { (0, lead) };
        let (area, r) = (mean * played as u64, W - played);
        let f = forward(area, r, lead, x, mu, (S_BIAS as i64 + s) as u32, W).unwrap();
        let integral = |tau: f64| {
            tau * ((-(lead as f64) / tau).exp() - (-((lead + r) as f64) / tau).exp())
        };
        let raw = (area as f64 + mu as f64 * r as f64 + (x as f64 - mu as f64) * integral(3e5)
            + s as f64 * 100.0 * integral(1.2e5)) / W as f64;
        let (low, high) = envelope(area, r, W).unwrap();
        prop_assert!((f as f64 - raw.clamp(low as f64, high as f64)).abs() < 2.0, "{f} {raw}");
    }

    #[test]
    fn a_finished_window_is_worth_its_settlement(mean in 0u64..=100_000_000, x in 0u32..=MAX_X_E6) {
        let area = mean * W as u64;
        let f = forward(area, 0, 0, x, MAX_X_E6 - x, S_BIAS, W).unwrap();
        prop_assert_eq!(Some(f), settlement(area, W, 0).unwrap());
    }

    #[test]
    fn mirrored_sides_mirror_the_forward(played in 0u32..=W, x in 0u32..=MAX_X_E6, mu in 0u32..=MAX_X_E6, mean in 0u32..=MAX_X_E6) {
        let r = W - played;
        let home = forward(mean as u64 * played as u64, r, 0, x, mu, S_BIAS, W).unwrap();
        let away = forward((MAX_X_E6 - mean) as u64 * played as u64, r, 0, MAX_X_E6 - x, MAX_X_E6 - mu, S_BIAS, W).unwrap();
        prop_assert!((home + away).abs_diff(MAX_X_E6) <= 2);
    }

    #[test]
    fn a_trade_costs_no_less_in_pieces_also_at_the_edge_of_the_envelope(
        s in side(), pieces in prop::collection::vec(1u64..1_000_000_000, 2..12), f in 0u32..=MAX_X_E6,
        below in 0u32..3_000_000, above in 0u32..3_000_000, edge in 0u32..600_000, conf in 0u16..5_000,
        long in 0u64..1_000_000_000, short in 0u64..1_000_000_000, k in 1_000_000u64..1_000_000_000,
    ) {
        let limits = (f.saturating_sub(below), (f + above).min(MAX_X_E6));
        let at = |qty, long, short| fill_price(s, qty, f, edge, conf, long, short, k, limits).unwrap();
        let whole: u64 = pieces.iter().sum();
        let (mut held_long, mut held_short, mut sum) = (long, short, 0i128);
        for qty in &pieces {
            sum += at(*qty, held_long, held_short) as i128 * *qty as i128;
            *(if s == Side::Long { &mut held_long } else { &mut held_short }) += qty;
        }
        let one = at(whole, long, short) as i128 * whole as i128;
        let slack = 4 * whole as i128; // the whole one's own rounding: at most four parts of 1e-6 point
        match s { Side::Long => prop_assert!(sum >= one - slack), Side::Short => prop_assert!(sum <= one + slack) }
    }

    #[test]
    fn whoever_ends_where_he_began_has_paid(
        trades in prop::collection::vec((side(), 1u64..500_000_000), 1..14), f in 0u32..=MAX_X_E6,
        below in 0u32..3_000_000, above in 0u32..3_000_000, edge in 0u32..600_000, conf in 0u16..5_000,
        long in 0u64..1_000_000_000, short in 0u64..1_000_000_000, k in 1_000u64..1_000_000_000,
    ) {
        // Any trades of any accounts at one sample; one last trade brings the skew back to where it was.
        let limits = (f.saturating_sub(below), (f + above).min(MAX_X_E6));
        let (mut held_long, mut held_short, mut cash, mut net) = (long, short, 0i128, 0i128);
        let mut trade = |s: Side, qty: u64| {
            let price = fill_price(s, qty, f, edge, conf, held_long, held_short, k, limits).unwrap();
            let signed = if s == Side::Long { 1 } else { -1 };
            cash -= signed * price as i128 * qty as i128;
            *(if s == Side::Long { &mut held_long } else { &mut held_short }) += qty;
            net += signed * qty as i128;
            net
        };
        let mut left = 0;
        for (s, qty) in trades { left = trade(s, qty); }
        if left != 0 {
            let back = if left > 0 { Side::Short } else { Side::Long };
            trade(back, left.unsigned_abs() as u64);
        }
        prop_assert!(cash <= 0, "gained {cash}");
    }

    #[test]
    fn a_round_trip_never_gains(
        s in side(), qty in 1u64..1_000_000_000_000, f in 0u32..=MAX_X_E6, hs in 0u32..600_000, conf in 0u16..5_000,
        long in 0u64..1_000_000_000_000, short in 0u64..1_000_000_000_000, k in 1_000_000u64..1_000_000_000_000,
    ) {
        let entry = fill_price(s, qty, f, hs, conf, long, short, k, (0, MAX_X_E6)).unwrap();
        let (long, short) = match s { Side::Long => (long + qty, short), Side::Short => (long, short + qty) };
        let exit = fill_price(s.opposite(), qty, f, hs, conf, long, short, k, (0, MAX_X_E6)).unwrap();
        let cost = entry_cost(s, qty, entry).unwrap();
        prop_assert_eq!(pnl(s, qty, cost, exit).unwrap().gain_e6, 0);
    }

    #[test]
    fn the_reservation_covers_every_gain(s in side(), qty in 0u64..1_000_000_000_000, entry in 0u32..=MAX_X_E6, mark in 0u32..=MAX_X_E6) {
        let cost = entry_cost(s, qty, entry).unwrap();
        let reserved = reservation(s, qty, cost).unwrap();
        let result = pnl(s, qty, cost, mark).unwrap();
        prop_assert!(result.gain_e6 <= reserved);
        prop_assert!(result.gain_e6 == 0 || result.loss_e6 == 0);
    }

    #[test]
    fn deposit_and_withdrawal_never_lower_the_share_price(
        cash in 0u64..1_000_000_000_000_000, supply in 0u64..1_000_000_000_000, amount in 0u64..1_000_000_000_000,
    ) {
        let price = |cash: u64, supply: u64| (cash as u128 + VIRTUAL_CASH_E6 as u128, supply as u128 + VIRTUAL_SHARES as u128);
        let not_lower = |a: (u128, u128), b: (u128, u128)| b.0 * a.1 >= a.0 * b.1;
        let shares = shares_for_deposit(amount, cash, supply).unwrap();
        let after = price(cash + amount, supply + shares);
        prop_assert!(not_lower(price(cash, supply), after));
        let back = amount_for_shares(shares, cash + amount, supply + shares).unwrap();
        prop_assert!(back <= amount);
        prop_assert!(not_lower(after, price(cash + amount - back, supply)));
    }

    #[test]
    fn parts_make_the_whole(total in any::<u64>(), a in 0u64..1_000_000_000, b in 1u64..1_000_000_000) {
        let floor = part_floor(total, a, a + b).unwrap();
        let ceil = part_ceil(total, b, a + b).unwrap();
        prop_assert_eq!(floor + ceil, total);
    }

    #[test]
    fn splitting_a_deposit_or_a_withdrawal_gains_nothing(
        cash in 0u64..1_000_000_000_000_000, supply in 0u64..1_000_000_000_000, a in 1u64..1_000_000_000_000, b in 1u64..1_000_000_000_000,
    ) {
        let whole = shares_for_deposit(a + b, cash, supply).unwrap();
        let first = shares_for_deposit(a, cash, supply).unwrap();
        let second = shares_for_deposit(b, cash + a, supply + first).unwrap();
        prop_assert!(first + second <= whole);

        let (cash, supply) = (cash + a + b, supply + whole);
        prop_assume!(whole > 1);
        let part = 1 + a % (whole - 1);
        let at_once = amount_for_shares(whole, cash, supply).unwrap();
        let one = amount_for_shares(part, cash, supply).unwrap();
        let two = amount_for_shares(whole - part, cash - one, supply - part).unwrap();
        prop_assert!(one + two <= at_once + 1); // the second finds the rest of the first one's last unit
    }

    #[test]
    fn in_and_out_at_a_mark_gains_nothing(
        cash in 0u64..1_000_000_000_000, supply in 0u64..1_000_000_000_000, amount in 1u64..1_000_000_000_000,
        losses in 0u64..1_000_000_000_000, gains in 0u64..1_000_000_000_000,
    ) {
        let gains = gains.min(cash);
        let shares = shares_for_deposit(amount, cash + losses, supply).unwrap();
        let back = amount_for_shares(shares, cash + amount - gains, supply + shares).unwrap();
        prop_assert!(back <= amount);
    }

    #[test]
    fn a_first_deposit_and_a_donation_to_it_rob_nobody(first in 1u64..1_000_000_000, gift in 0u64..1_000_000_000_000, second in 1u64..1_000_000_000_000) {
        let mine = shares_for_deposit(first, 0, 0).unwrap();
        let theirs = shares_for_deposit(second, first + gift, mine).unwrap();
        let cash = first + gift + second;
        let back = amount_for_shares(mine, cash, mine + theirs).unwrap();
        // The gift is shared with the virtual shares, so the giver loses more than the next one does.
        let lost = second.saturating_sub(amount_for_shares(theirs, cash, mine + theirs).unwrap());
        prop_assert!((first + gift).saturating_sub(back) + 2 >= lost);
    }

    #[test]
    fn the_mark_is_never_below_the_sum_of_the_positions(
        s in side(), mark in 0u32..=MAX_X_E6, held in prop::collection::vec((1u64..1_000_000_000_000, 0u32..=MAX_X_E6), 1..8),
    ) {
        let (mut qty, mut entry, mut gains, mut losses) = (0u64, 0u64, 0u64, 0u64);
        for (q, price) in &held {
            let cost = entry_cost(s, *q, *price).unwrap();
            let one = pnl(s, *q, cost, mark).unwrap();
            (qty, entry, gains, losses) = (qty + q, entry + cost, gains + one.gain_e6, losses + one.loss_e6);
        }
        let all = mark_side(s, qty, entry, mark, held.len() as u64).unwrap();
        prop_assert!(all.gain_e6 >= gains.saturating_sub(losses));
        prop_assert!(all.loss_e6 >= losses.saturating_sub(gains));
        prop_assert!(all.gain_e6 <= gains.saturating_sub(losses) + held.len() as u64 + 1);
        prop_assert!(all.loss_e6 <= losses.saturating_sub(gains) + 2 * held.len() as u64 + 1);
    }

    #[test]
    fn the_borrow_rate_rises_with_utilisation_between_its_points(
        cash in 1u64..1_000_000_000_000, a in 0u64..1_000_000_000_000, b in 0u64..1_000_000_000_000, kink in 0u16..=10_000,
        low in 0u64..27_777_778, more in 0u64..27_777_778,
    ) {
        let (a, b) = (a.min(b).min(cash), a.max(b).min(cash));
        let rate = |reserved| borrow_rate(reserved, cash, kink, low, low + more).unwrap();
        prop_assert!(rate(a) <= rate(b) && rate(b) <= low + more);
        prop_assert_eq!(rate(0), 0);
        if a > 0 && a as u128 * 10_000 <= cash as u128 * kink as u128 {
            prop_assert!(rate(a) <= low);
        } else if a > 0 {
            prop_assert!(rate(a) >= low);
        }
    }

    #[test]
    fn a_borrow_fee_in_parts_is_the_fee_of_the_whole(
        reserved in 0u64..1_000_000_000_000_000, rate in 0u64..=27_777_778, a in 0u64..10_000_000, b in 0u64..10_000_000,
    ) {
        let whole = borrow_growth(rate, a + b).unwrap();
        let (first, second) = (borrow_growth(rate, a).unwrap(), borrow_growth(rate, b).unwrap());
        prop_assert!(first + second <= whole && whole <= first + second + 1);
        let owed = borrow_owed(reserved, first + second).unwrap();
        let parts = borrow_owed(reserved, first).unwrap() + borrow_owed(reserved, second).unwrap();
        prop_assert!(owed <= parts && parts <= owed + 1);
        let exact = reserved as u128 * (first + second) as u128;
        prop_assert!(owed as u128 * 1_000_000_000_000 >= exact && (owed as u128) < exact / 1_000_000_000_000 + 2);
    }
}

#[test]
fn the_borrow_rate_has_its_points() {
    let rate = |reserved| borrow_rate(reserved, 10_000, 8_000, 1_000_000, 11_000_000).unwrap();
    assert_eq!((rate(0), rate(4_000), rate(8_000)), (0, 500_000, 1_000_000));
    assert_eq!((rate(9_000), rate(10_000), rate(20_000)), (6_000_000, 11_000_000, 11_000_000));
    assert_eq!(borrow_rate(1, 0, 8_000, 1, 5), Ok(5));
    assert_eq!(borrow_rate(1, 1, 0, 0, 0), Ok(0));
    assert_eq!(borrow_rate(1, 1, 0, 2, 1), Err(MathError::Borrow));
    assert_eq!(borrow_growth(u64::MAX, 2_000), Err(MathError::Borrow));
    assert_eq!(borrow_owed(u64::MAX, u64::MAX), Err(MathError::Borrow));
}

#[test]
fn the_spread_has_the_listed_points() {
    let points = [(600_001, 500_000), (600_000, 500_000), (360_000, 400_000), (240_000, 300_000), (120_000, 200_000)];
    for (left, spread) in points.into_iter().chain([(60_000, 100_000), (30_000, 75_000), (0, 50_000)]) {
        assert_eq!(half_spread(left, 0), spread);
    }
    assert_eq!(half_spread(900_000, 1), 600_000);
}

#[test]
fn the_maintenance_margin_has_its_steps() {
    for (left, margin) in [(600_001, 7_500_000), (600_000, 6_000_000), (300_000, 6_000_000), (299_999, 4_500_000)] {
        assert_eq!(maintenance_margin(left), margin);
    }
    assert_eq!((maintenance_margin(180_000), maintenance_margin(179_999)), (4_500_000, 3_000_000));
}

#[test]
fn a_window_with_a_tenth_left_out_settles_and_with_more_is_void() {
    assert_eq!(settlement(50_000_000 * 810_000, W, 90_000).unwrap(), Some(50_000_000));
    assert_eq!(settlement(50_000_000 * 809_999, W, 90_001).unwrap(), None);
    assert_eq!(settlement(1, 0, 0), Err(MathError::Window));
}

#[test]
fn overflow_is_an_error() {
    assert_eq!(value_ceil(u64::MAX, MAX_X_E6), Err(MathError::Value));
    assert_eq!(impact(Side::Long, 1, u64::MAX, 0, 1), Err(MathError::Impact));
    assert_eq!(impact(Side::Long, 1, 0, 0, 0), Err(MathError::Impact));
    assert_eq!(amount_for_shares(2, 5, 1), Err(MathError::Shares));
    assert_eq!(reservation(Side::Long, 1_000_000, 100_000_001), Err(MathError::Reservation));
    assert_eq!(envelope(u64::MAX, 1, 1), Err(MathError::Window));
    assert_eq!(part_floor(1, 1, 0), Err(MathError::Part));
    assert_eq!((Side::from_u8(0), Side::from_u8(1), Side::from_u8(2)), (Some(Side::Long), Some(Side::Short), None));
    assert_eq!(Pnl { gain_e6: 0, loss_e6: 9 }.equity(5), 0);
}

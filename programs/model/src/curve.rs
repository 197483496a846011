use crate::{MathError, MathResult, MAX_X_E6};

/// Time constant of the index's way back to mu: k = 1/300 s.
pub const TAU_MS: u32 = 300_000;
/// Time constant of the present attack: k2 = 1/120 s.
pub const TAU2_MS: u32 = 120_000;
/// `s_e4` is stored plus this.
pub const S_BIAS: u32 = 1 << 31;

const ONE_Q32: u64 = 1 << 32;
const LN2_Q32: u64 = 2_977_044_472;
/// |s| beyond 100 points is a hundred points.
const MAX_S_E4: u32 = 1_000_000;

/// exp(-t/tau) in 2^-32 units. Error below 4e-9.
pub fn decay_q32(t_ms: u32, tau_ms: u32) -> u64 {
    let y = ((t_ms as u64) << 32) / tau_ms as u64;
    let halvings = y / LN2_Q32;
    if halvings >= 32 {
        return 0;
    }
    let f = y % LN2_Q32;
    // exp(-f) = 1 - f/1 (1 - f/2 (1 - ... (1 - f/12))), 0 <= f < ln 2; f and the rest stay below 2^32.
    let mut rest = ONE_Q32;
    let mut k = 12;
    while k > 0 {
        rest = ONE_Q32 - ((f * rest) >> 32) / k;
        k -= 1;
    }
    rest >> halvings
}

/// Integral of exp(-u/tau) for u from `from_ms` to `from_ms + span_ms`, in 2^-16 ms.
pub fn decay_integral_q16(from_ms: u32, span_ms: u32, tau_ms: u32) -> u64 {
    let end = from_ms.saturating_add(span_ms);
    let fall = decay_q32(from_ms, tau_ms).saturating_sub(decay_q32(end, tau_ms));
    (fall * tau_ms as u64) >> 16
}

/// Fair price of "mean index over a window", inside the envelope.
///
/// `area` is the window's area so far, `r_ms` the play left in it, `lead_ms` the play until it starts (0 inside it),
/// `w_ms` its length (less what was left out). `s_e4` is biased by [`S_BIAS`].
pub fn forward(area: u64, r_ms: u32, lead_ms: u32, x_e6: u32, mu_e6: u32, s_e4: u32, w_ms: u32) -> MathResult<u32> {
    let (low, high) = envelope(area, r_ms, w_ms)?;
    let (x_e6, mu_e6) = (x_e6.min(MAX_X_E6), mu_e6.min(MAX_X_E6));
    let s_e6 = s_e4.abs_diff(S_BIAS).min(MAX_S_E4) as u64 * 100;
    let gap = (x_e6.abs_diff(mu_e6) as u64 * decay_integral_q16(lead_ms, r_ms, TAU_MS)) >> 16;
    let push = (s_e6 * decay_integral_q16(lead_ms, r_ms, TAU2_MS)) >> 16;
    let mut plus = area.checked_add(mu_e6 as u64 * r_ms as u64).ok_or(MathError::Window)?;
    let mut minus = 0;
    for (rises, size) in [(x_e6 >= mu_e6, gap), (s_e4 >= S_BIAS, push)] {
        let sum = if rises { &mut plus } else { &mut minus };
        *sum = sum.checked_add(size).ok_or(MathError::Window)?;
    }
    let mean = plus.saturating_sub(minus) / w_ms as u64;
    Ok((mean.min(u32::MAX as u64) as u32).clamp(low, high))
}

/// What the window's mean can still become: (area/W, (area + 100 r)/W), whatever the model says.
pub fn envelope(area: u64, r_ms: u32, w_ms: u32) -> MathResult<(u32, u32)> {
    if w_ms == 0 {
        return Err(MathError::Window);
    }
    let cap = |sum: u64| (sum / w_ms as u64).min(MAX_X_E6 as u64) as u32;
    let most = area.checked_add(MAX_X_E6 as u64 * r_ms as u64).ok_or(MathError::Window)?;
    Ok((cap(area), cap(most)))
}

/// Mean of a window of which `left_out_ms` were not measured (or not played); None when that is over a tenth: void.
pub fn settlement(area: u64, w_ms: u32, left_out_ms: u32) -> MathResult<Option<u32>> {
    if w_ms == 0 {
        return Err(MathError::Window);
    }
    if left_out_ms as u64 * 10 > w_ms as u64 {
        return Ok(None);
    }
    let mean = area / (w_ms - left_out_ms) as u64;
    Ok(Some(mean.min(MAX_X_E6 as u64) as u32))
}

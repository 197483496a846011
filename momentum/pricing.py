"""The market's mathematics in Python, bit for bit as in `programs/model`: integers only, pinned by golden vectors.

Units: prices and the index in 1e-6 points (`_e6`), quantities in 1e-6 contracts, money in 1e-6 USDC (one contract over
one point is one USDC), areas in 1e-6 points x ms, times in ms. Gains are floored, costs ceiled. Every function raises
`PricingError` where the Rust function returns an error: a result beyond 64 bits, or a window without length.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MAX_X_E6 = 100_000_000
TAU_MS = 300_000
TAU2_MS = 120_000
S_BIAS = 1 << 31
VIRTUAL_CASH_E6 = 1_000_000
VIRTUAL_SHARES = 1_000_000
LEAD_HALF_SPREAD_E6 = 600_000
HALF_SPREADS = (
    (0, 50_000),
    (60_000, 100_000),
    (120_000, 200_000),
    (240_000, 300_000),
    (360_000, 400_000),
    (600_000, 500_000),
)

_U32 = (1 << 32) - 1
_U64 = (1 << 64) - 1
_LN2_Q32 = 2_977_044_472
_ONE_Q32 = 1 << 32
_MAX_S_E4 = 1_000_000
_BPS = 10_000
_MAX_IMPACT_E6 = 1 << 60


class PricingError(ArithmeticError):
    """A computation left the range of its type; the message names it."""


class Side(IntEnum):
    """Direction of a trade or of a position."""

    LONG = 0
    SHORT = 1

    @property
    def opposite(self) -> Side:
        """Return the side that closes this one."""
        return Side(1 - self)


@dataclass(frozen=True, slots=True)
class Pnl:
    """Gain or loss of a position; one of them is 0."""

    gain_e6: int
    loss_e6: int

    def equity(self, collateral_e6: int) -> int:
        """Return collateral plus gain minus loss, at least 0."""
        return max(min(collateral_e6 + self.gain_e6, _U64) - self.loss_e6, 0)


def _fits(value: int, what: str) -> int:
    if not 0 <= value <= _U64:
        raise PricingError(f"{what}: the result does not fit 64 bits")
    return value


def mul_div(a: int, b: int, c: int, what: str = "mul_div") -> int:
    """Return a * b / c, floored."""
    if c == 0:
        raise PricingError(f"{what}: division by zero")
    return _fits(a * b // c, what)


def mul_div_ceil(a: int, b: int, c: int, what: str = "mul_div_ceil") -> int:
    """Return a * b / c, ceiled."""
    if c == 0:
        raise PricingError(f"{what}: division by zero")
    return _fits(-(-a * b // c), what)


def value_floor(qty_e6: int, price_e6: int) -> int:
    """Return what selling `qty_e6` brings, floored."""
    return mul_div(qty_e6, price_e6, 1_000_000, "value")


def value_ceil(qty_e6: int, price_e6: int) -> int:
    """Return what buying `qty_e6` costs, ceiled."""
    return mul_div_ceil(qty_e6, price_e6, 1_000_000, "value")


def part_floor(total: int, part: int, whole: int) -> int:
    """Return the part `part / whole` of `total`, floored."""
    return mul_div(total, part, whole, "part")


def part_ceil(total: int, part: int, whole: int) -> int:
    """Return the part `part / whole` of `total`, ceiled."""
    return mul_div_ceil(total, part, whole, "part")


def decay_q32(t_ms: int, tau_ms: int) -> int:
    """Return exp(-t/tau) in 2^-32 units; error below 4e-9."""
    halvings, f = divmod((t_ms << 32) // tau_ms, _LN2_Q32)
    if halvings >= 32:
        return 0
    rest = _ONE_Q32
    for k in range(12, 0, -1):
        rest = _ONE_Q32 - ((f * rest) >> 32) // k
    return rest >> halvings


def decay_integral_q16(from_ms: int, span_ms: int, tau_ms: int) -> int:
    """Return the integral of exp(-u/tau) from `from_ms` over `span_ms`, in 2^-16 ms."""
    end = min(from_ms + span_ms, _U32)
    fall = max(decay_q32(from_ms, tau_ms) - decay_q32(end, tau_ms), 0)
    return (fall * tau_ms) >> 16


def envelope(area: int, r_ms: int, w_ms: int) -> tuple[int, int]:
    """Return what a window's mean can still become: (area/W, (area + 100 r)/W) in 1e-6 points."""
    if w_ms == 0:
        raise PricingError("window: no length")
    most = _fits(area + MAX_X_E6 * r_ms, "window")
    return min(area // w_ms, MAX_X_E6), min(most // w_ms, MAX_X_E6)


def forward(area: int, r_ms: int, lead_ms: int, x_e6: int, mu_e6: int, s_e4: int, w_ms: int) -> int:
    """Return the fair price of "mean index over a window" in 1e-6 points, inside the envelope.

    `area` is the window's area so far, `r_ms` the play left in it, `lead_ms` the play until it starts (0 inside it),
    `w_ms` its length (less what was left out); `s_e4` is biased by 2^31.
    """
    low, high = envelope(area, r_ms, w_ms)
    x_e6, mu_e6 = min(x_e6, MAX_X_E6), min(mu_e6, MAX_X_E6)
    s_e6 = min(abs(s_e4 - S_BIAS), _MAX_S_E4) * 100
    gap = (abs(x_e6 - mu_e6) * decay_integral_q16(lead_ms, r_ms, TAU_MS)) >> 16
    push = (s_e6 * decay_integral_q16(lead_ms, r_ms, TAU2_MS)) >> 16
    # Two sums, because the programs have unsigned integers only and never go below zero on the way.
    plus = area + mu_e6 * r_ms + (gap if x_e6 >= mu_e6 else 0) + (push if s_e4 >= S_BIAS else 0)
    minus = (0 if x_e6 >= mu_e6 else gap) + (0 if s_e4 >= S_BIAS else push)
    return min(max(max(_fits(plus, "window") - minus, 0) // w_ms, low), high)


def settlement(area: int, w_ms: int, left_out_ms: int) -> int | None:
    """Return the mean of a window of which `left_out_ms` were not measured; None (void) when that is over a tenth."""
    if w_ms == 0:
        raise PricingError("window: no length")
    if left_out_ms * 10 > w_ms:
        return None
    return min(area // (w_ms - left_out_ms), MAX_X_E6)


def half_spread(left_ms: int, lead_ms: int) -> int:
    """Return the half-spread in 1e-6 points, `left_ms` before a window's end and `lead_ms` before its start."""
    if lead_ms > 0:
        return LEAD_HALF_SPREAD_E6
    t0, s0 = HALF_SPREADS[0]
    for t1, s1 in HALF_SPREADS:
        if left_ms < t1:
            return s0 + (s1 - s0) * (left_ms - t0) // (t1 - t0)
        t0, s0 = t1, s1
    return s0


def impact(side: Side, qty_e6: int, oi_long_e6: int, oi_short_e6: int, k_e6: int) -> tuple[int, bool]:
    """Return the price impact (skew + dq/2)/K as (size in 1e-6 points, whether it raises the price).

    Skew is long minus short open interest, `k_e6` contracts per point; rounded against the trader.
    """
    up = _fits(2 * oi_long_e6 + (qty_e6 if side is Side.LONG else 0), "impact")
    down = _fits(2 * oi_short_e6 + (qty_e6 if side is Side.SHORT else 0), "impact")
    twice_k = _fits(2 * k_e6, "impact")
    raises = up >= down
    divide = mul_div_ceil if raises == (side is Side.LONG) else mul_div
    return divide(abs(up - down), 1_000_000, twice_k, "impact"), raises


def fill_price(
    side: Side,
    qty_e6: int,
    forward_e6: int,
    half_spread_e6: int,
    conf_e4: int,
    oi_long_e6: int,
    oi_short_e6: int,
    k_e6: int,
    limits: tuple[int, int],
) -> int:
    """Return the average price of a trade in 1e-6 points, rounded against the trader.

    The integral of forward -+ (half-spread + conf) + skew/K, kept inside `limits` (the envelope) at every point of the
    way, over the contracts: a trade costs the same whole or in pieces. `side` is the direction of the trade: closing a
    long is a short trade.
    """
    low, high = limits
    edge = half_spread_e6 + conf_e4 * 100
    base = forward_e6 + (edge if side is Side.LONG else -edge)

    def at(qty: int) -> int:
        size, raises = impact(side, qty, oi_long_e6, oi_short_e6, k_e6)
        size = min(size, _MAX_IMPACT_E6)
        return base + (size if raises else -size)

    first, last = sorted((at(0), at(_fits(2 * qty_e6, "impact"))))
    if (first >= low and last <= high) or first == last:
        return min(max(at(qty_e6), low), high)
    start, end = (min(max(price, low), high) for price in (first, last))
    up = int(side is Side.LONG)
    divide = mul_div_ceil if up else mul_div

    def part(price: int, stretch: int) -> int:
        return divide(price, max(stretch, 0), last - first, "impact")

    price = part(low, min(last, low) - first) + part(high, last - max(first, high))
    price += part((start + end + up) // 2, end - start)
    return min(max(price, low), high)


def fee(qty_e6: int, fee_e6: int) -> int:
    """Return the fee of a trade at `fee_e6` points a contract, ceiled, in 1e-6 USDC."""
    return value_ceil(qty_e6, fee_e6)


def maintenance_margin(left_ms: int) -> int:
    """Return the maintenance margin in 1e-6 points a contract, `left_ms` before the window's end."""
    if left_ms > 600_000:
        return 7_500_000
    if left_ms >= 300_000:
        return 6_000_000
    return 4_500_000 if left_ms >= 180_000 else 3_000_000


def margin_required(qty_e6: int, margin_e6: int) -> int:
    """Return the money that `margin_e6` points a contract ask for, ceiled."""
    return value_ceil(qty_e6, margin_e6)


def entry_cost(side: Side, qty_e6: int, price_e6: int) -> int:
    """Return what entering costs (long, ceiled) or brings (short, floored)."""
    return value_ceil(qty_e6, price_e6) if side is Side.LONG else value_floor(qty_e6, price_e6)


def reservation(side: Side, qty_e6: int, entry_cost_e6: int) -> int:
    """Return the most the pool can lose on a position: long qty x 100 - cost, short its proceeds."""
    if side is Side.SHORT:
        return entry_cost_e6
    return _fits(value_ceil(qty_e6, MAX_X_E6) - entry_cost_e6, "reservation")


def pnl(side: Side, qty_e6: int, entry_cost_e6: int, price_e6: int) -> Pnl:
    """Return gain (floored) or loss (ceiled) of a position at a price; the loss may exceed the collateral."""
    if side is Side.LONG:
        gets, pays = value_floor(qty_e6, price_e6), entry_cost_e6
    else:
        gets, pays = entry_cost_e6, value_ceil(qty_e6, price_e6)
    return Pnl(max(gets - pays, 0), max(pays - gets, 0))


def mark_side(side: Side, qty_e6: int, entry_e6: int, price_e6: int, positions: int) -> Pnl:
    """Return what all positions of one side gain or lose together, never less than the sum over the positions."""
    low, high = value_floor(qty_e6, price_e6), value_ceil(qty_e6, price_e6)
    if side is Side.LONG:
        gain, loss = max(high - entry_e6, 0), max(entry_e6 - low, 0)
    else:
        gain, loss = max(entry_e6 - low, 0), max(high - entry_e6, 0)
    return Pnl(gain, min(loss + (positions if loss else 0), _U64))


def borrow_rate(reserved_e6: int, cash_e6: int, kink_bps: int, kink_e12: int, max_e12: int) -> int:
    """Return the borrow fee a second of play, 1e-12 of the reservation: straight to the kink, then to the most."""
    if max_e12 == 0 or reserved_e6 == 0:
        return 0
    used = mul_div_ceil(min(reserved_e6, cash_e6), _BPS, cash_e6, "borrow") if cash_e6 else _BPS
    if used <= kink_bps:
        return mul_div_ceil(kink_e12, used, kink_bps, "borrow")
    steep = _fits(max_e12 - kink_e12, "borrow")
    return _fits(kink_e12 + mul_div_ceil(steep, used - kink_bps, _fits(_BPS - kink_bps, "borrow"), "borrow"), "borrow")


def borrow_growth(rate_e12: int, ms: int) -> int:
    """Return by how much the borrow index grows in `ms` of play, floored."""
    return mul_div(rate_e12, ms, 1_000, "borrow")


def borrow_owed(reserved_e6: int, growth_e12: int) -> int:
    """Return the borrow fee of a reservation over a growth of the index, ceiled."""
    return mul_div_ceil(reserved_e6, growth_e12, 10**12, "borrow")


def shares_for_deposit(amount_e6: int, cash_e6: int, supply: int) -> int:
    """Return the shares that a deposit into the pool buys, floored."""
    cash, shares = _fits(cash_e6 + VIRTUAL_CASH_E6, "shares"), _fits(supply + VIRTUAL_SHARES, "shares")
    return mul_div(amount_e6, shares, cash, "shares")


def amount_for_shares(shares: int, cash_e6: int, supply: int) -> int:
    """Return the money that shares bring, floored, never more than the pool's cash."""
    if shares > supply:
        raise PricingError("shares: more than there are")
    cash, total = _fits(cash_e6 + VIRTUAL_CASH_E6, "shares"), _fits(supply + VIRTUAL_SHARES, "shares")
    return min(mul_div(shares, cash, total, "shares"), cash_e6)

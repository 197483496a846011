"""The program's `quote` against a second reckoning: areas summed second by second here, maths from the Python twin."""

from __future__ import annotations

import random

from chain.clients import market as m
from momentum import pricing
from tests.programs.market_kit import LONG, USDC, Venue

HALF_S = 2_700
PARTS = {
    0: [(1, 0, 900)],
    1: [(1, 900, 1_800)],
    2: [(1, 1_800, 2_700)],
    3: [(2, 0, 900)],
    4: [(2, 900, 1_800)],
    5: [(2, 1_800, 2_700)],
    6: [(1, 0, 2_700)],
    7: [(2, 0, 2_700)],
    8: [(1, 0, 2_700), (2, 0, 2_700)],
}


class Reckoning:
    """The index of every second so far, by period, as it holds from one sample to the next."""

    def __init__(self) -> None:
        self.held: dict[int, list[int]] = {1: [], 2: []}
        self.period, self.play_s = 1, 0

    def tick(self, period: int, play_s: int, last_x_e6: int) -> None:
        """Take note of a sample: the index before it held until now."""
        if period == self.period:
            self.held[period] += [last_x_e6] * (play_s - self.play_s)
        self.period, self.play_s = period, play_s

    def window(self, window_id: int) -> tuple[int, int, int, int]:
        """Return (area in 1e-6 points x ms, ms left, ms of lead, length)."""
        area = left = 0
        lead = None
        for period, start, end in PARTS[window_id]:
            area += sum(self.held[period][start:end]) * 1_000
            if period < self.period:
                passed = end
            elif period > self.period:
                passed = start
            else:
                passed = min(max(self.play_s, start), end)
            left += end - passed
            if lead is None:
                rest = max(HALF_S - self.play_s, 0) + start if period > self.period else max(start - self.play_s, 0)
                lead = rest if period >= self.period else 0
        return area, left * 1_000, (lead or 0) * 1_000, sum(e - s for _, s, e in PARTS[window_id]) * 1_000


def compare(venue: Venue, reckoning: Reckoning, x_e6: int, mu_e6: int, s_e4: int, conf_e4: int) -> None:
    """Compare every window's quote with the reckoning."""
    for window_id, window in venue.windows.items():
        area, left_ms, lead_ms, w_ms = reckoning.window(window_id)
        ix = m.ix_quote(exchange=venue.exchange, window=window, feed=venue.feed, side=LONG, qty_e6=2 * USDC)
        view = m.returned_quote(bytes(venue.chain.send(ix).return_data().data))
        assert (view.left_ms, view.lead_ms) == (left_ms, lead_ms), window_id
        forward = pricing.forward(area, left_ms, lead_ms, x_e6, mu_e6, s_e4, w_ms)
        assert view.forward_e6 == forward, window_id
        half = pricing.half_spread(left_ms, lead_ms)
        assert (view.half_spread_e6, view.conf_e6) == (half, conf_e4 * 100)
        envelope = pricing.envelope(area, left_ms, w_ms)
        price = pricing.fill_price(pricing.Side.LONG, 2 * USDC, forward, half, conf_e4, 0, 0, 1_000 * USDC, envelope)
        assert view.price_e6 == price, window_id
        assert view.maintenance_margin_e6 == pricing.maintenance_margin(left_ms)


def test_quotes_of_all_windows_agree_with_a_second_reckoning() -> None:
    rng = random.Random(11)
    venue = Venue.make()
    for window_id in PARTS:
        venue.open_window(window_id)
    reckoning = Reckoning()
    x_e6 = mu_e6 = 50_000_000
    for period in (1, 2):
        play_s = 0
        while play_s <= HALF_S + 120:
            last = x_e6
            x_e6 = min(100_000_000, max(0, x_e6 + rng.randint(-9_000_000, 9_000_000)))
            mu_e6 = min(100_000_000, max(0, mu_e6 + rng.randint(-25_000_000, 25_000_000)))
            s_e4 = (1 << 31) + rng.randint(-80_000, 80_000)
            conf_e4 = rng.randint(0, 9_000)
            ends = 4 if play_s > HALF_S + 90 else 0
            venue.tick(
                play_s, x_e6 / 1e6, period=period, x_e6=x_e6, mu_e6=mu_e6, s_e4=s_e4, conf_e4=conf_e4, flags=ends
            )
            reckoning.tick(period, play_s, last)
            if rng.random() < 0.3 or play_s % 900 == 0:
                compare(venue, reckoning, x_e6, mu_e6, s_e4, conf_e4)
            if ends:
                break
            play_s = min(play_s + rng.randint(1, 45), play_s // 900 * 900 + 900)
    for window_id, window in venue.windows.items():
        area, left_ms, _, w_ms = reckoning.window(window_id)
        assert left_ms == 0
        assert venue.finalise(window).settlement_e6 == pricing.settlement(area, w_ms, 0) == area // w_ms


def test_a_gap_of_over_a_minute_shortens_the_window_and_too_much_of_it_voids() -> None:
    venue = Venue.make()
    quarter, half = venue.open_window(0), venue.open_window(6)
    venue.play(0, 300, 40.0)
    venue.tick(480, 60.0)  # 180 s: the index holds for 60 of them
    venue.play(510, 900, 60.0)
    final = venue.finalise(quarter)
    assert (final.state, final.left_out_ms) == (2, 120_000)
    venue.play(930, 2_700, 60.0)
    whole = venue.finalise(half)
    assert (whole.state, whole.left_out_ms) == (1, 120_000)
    assert whole.settlement_e6 == (360 * 40 + 2_220 * 60) * 1_000_000 // 2_580

"""Errors, bias, band, conf and traders' tables on made-up moments with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from momentum.evaluation import prices, trades
from momentum.evaluation.intervals import Interval, Ints
from momentum.evaluation.prices import Cut
from momentum.evaluation.sample import INDICES, LEARNED, LEARNED_PRIOR, LEARNING, QUOTES, TWO, Moments
from momentum.evaluation.strategies import STRATEGIES
from momentum.evaluation.trades import BINS, Cell, Fills
from momentum.pricing import half_spread

MATCHES, EACH = 200, 180
MATCH: Ints = np.repeat(np.arange(MATCHES), EACH)


def made(seed: int = 4, bias: float = 0.0, tail: float = 0.0) -> Moments:
    """Errors of standard deviation left/900, the learned quotes' half as large; ``bias`` on the learned quote in play,
    ``tail`` on the one with a prior where the index is above 60."""
    rng = np.random.default_rng(seed)
    n = MATCHES * EACH
    left_s = np.tile(np.arange(900, 0, -5), MATCHES)
    x = rng.uniform(30, 70, n)
    error = rng.normal(0, 1, (n, len(QUOTES))) * (left_s / 900)[:, None]
    for name in LEARNING:
        error[:, QUOTES.index(name)] /= 2
    error[:, QUOTES.index(LEARNED)] += bias
    error[:, QUOTES.index(LEARNED_PRIOR)] += tail * (x > 60)
    follows = np.where(left_s > 450, 1.0, np.nan)[:, None]
    return Moments(
        score=np.zeros((n, len(INDICES))),
        xg_ahead=np.zeros(n),
        next_shot=np.full(n, np.nan),
        next_shot_s=np.full(n, np.inf),
        x=x,
        left_s=left_s,
        open=np.ones(n, dtype=bool),
        error=error,
        next_error=error * follows,
        inside=(rng.random((n, 2)) < [0.9, 0.7]).astype(float),
        conf=np.full((n, 2), 0.3),
    )


def of(cuts: list[Cut], quote: str, cut: str) -> list[Cut]:
    return [c for c in cuts if (c.quote, c.cut) == (quote, cut)]


def test_errors_stand_in_the_bin_of_their_time_left() -> None:
    found = prices.errors(made(), MATCH, MATCHES)
    assert [(e.low_s, e.high_s) for e in found] == [
        (840, 900),
        (600, 840),
        (360, 600),
        (240, 360),
        (120, 240),
        (60, 120),
        (1, 60),
        (1, 900),
    ]
    assert sum(e.n for e in found[:-1]) == found[-1].n == MATCHES * EACH
    assert found[0].rmse[TWO] == pytest.approx(870 / 900, rel=0.03)
    assert found[-1].rmse[TWO] == pytest.approx(math.sqrt(1 / 3), rel=0.03)
    for e in found:
        assert e.better[LEARNED].low < 50 < e.better[LEARNED].high or abs(e.better[LEARNED].mean - 50) < 3
    after = prices.errors(made(), MATCH, MATCHES, next_window=True)
    assert [e.n > 0 for e in after] == [True, True, True, False, False, False, False, True]
    assert math.isnan(after[4].rmse[TWO])


def test_where_nobody_has_odds_the_quote_that_needs_them_has_no_figure() -> None:
    moments = made()
    moments.error[:, QUOTES.index(LEARNED_PRIOR)] = np.nan
    moments.inside[:, LEARNING.index(LEARNED_PRIOR)] = np.nan
    moments.conf[:, LEARNING.index(LEARNED_PRIOR)] = np.nan
    (*_, pooled) = prices.errors(moments, MATCH, MATCHES)
    assert math.isnan(pooled.rmse[LEARNED_PRIOR])
    assert math.isnan(pooled.better[LEARNED_PRIOR].mean)
    assert all(math.isnan(c.value.mean) for c in of(prices.biases(moments, MATCH), LEARNED_PRIOR, "X"))
    assert math.isnan(prices.conf_sizes(moments, MATCH, np.zeros(MATCHES, dtype=int))[1].ratio)


def test_no_bias_stays_within_its_errors_and_a_real_one_stands_out_where_it_is() -> None:
    clean = prices.biases(made(), MATCH)
    assert len([c for c in clean if c.cut in ("X", "time left") and c.value.in_se > 3]) <= 1  # of 60
    assert all(len(of(clean, name, cut)) == 10 for name in prices.JUDGED for cut in ("X", "time left"))
    shifted = prices.biases(made(bias=0.1, tail=0.4), MATCH)
    (whole,) = of(shifted, LEARNED, "all")
    assert whole.value.mean == pytest.approx(0.1, abs=0.01)
    assert all(c.value.in_se > 3 for c in of(shifted, LEARNED, "X"))
    tails = of(shifted, LEARNED_PRIOR, "X")
    assert [c.value.in_se > 3 for c in tails[:7]] == [False] * 7
    assert [c.value.mean for c in tails[-2:]] == pytest.approx([0.4, 0.4], abs=0.05)
    assert sum(c.value.n for c in tails) == MATCHES * EACH
    assert sum(c.value.n for c in of(shifted, LEARNED, "time left")) == MATCHES * EACH


def test_the_band_is_counted_in_every_cut() -> None:
    found = prices.coverage(made(), MATCH)
    for name, share in zip(LEARNING, (0.9, 0.7), strict=True):
        for cut in ("all", "time left", prices.LEAN):
            for c in of(found, name, cut):
                assert math.isnan(c.value.mean) or abs(c.value.mean - share) < 5 * c.value.se + 1e-9
    assert [c.place for c in of(found, LEARNED, prices.LEAN)] == [
        "0 to 5",
        "5 to 10",
        "10 to 15",
        "15 to 20",
        "20 to 50",
    ]


def test_conf_of_the_right_size_has_a_ratio_near_one() -> None:
    """Each of 10 groups by decile has an error of its own of standard deviation 0.3, and conf says 0.3."""
    rng = np.random.default_rng(6)
    moments, groups = made(), np.arange(MATCHES) % 10
    # Deciles of what is looked at: the first minute of windows.
    first = moments.left_s >= 840
    decile = np.digitize(moments.x, np.percentile(moments.x[first], range(10, 100, 10)))
    own = rng.normal(0, 0.3, (10, 10))[groups[MATCH], decile]
    moments.error[:, QUOTES.index(LEARNED)] += own
    size, other = prices.conf_sizes(moments, MATCH, groups)
    assert 90 <= size.cells <= 100
    assert (size.mean_open, size.sent) == pytest.approx((0.3, 0.3))
    assert size.ratio == pytest.approx(1.0, abs=0.35)
    assert size.found == pytest.approx(0.3, abs=0.05)
    assert abs(other.ratio) < 4 * other.ratio_se + 0.05  # nothing to foretell: conf is wide


# Traders


def fills(kind: int, edge: float, n: int, left_s: int = 700) -> Fills:
    rng = np.random.default_rng(n)
    return Fills(
        match=np.arange(n) % 50,
        strategy=np.full(n, kind),
        left_s=np.full(n, left_s),
        edge=rng.normal(edge, 0.5, n),
        conf=np.full(n, 0.3),
    )


def test_a_result_takes_the_schedule_then_conf_and_fee() -> None:
    found = trades.results(Fills.joined([fills(0, 0.7, 400), fills(1, -0.1, 400, left_s=-1)]), 50)
    assert [r.name for r in found] == [s.name for s in STRATEGIES]
    first, second, third = found[:3]
    assert first.edge is not None
    assert first.after_spread is not None
    assert first.net is not None
    assert first.edge.mean == pytest.approx(0.7, abs=0.1)
    assert first.edge.mean - first.after_spread.mean == pytest.approx(half_spread(700_000, 0) / 1e6)
    assert first.after_spread.mean - first.net.mean == pytest.approx(0.3 + 0.05)
    assert second.edge is not None
    assert second.after_spread is not None
    assert second.edge.mean - second.after_spread.mean == pytest.approx(0.6)
    assert (third.n, third.edge, third.net) == (0, None, None)
    assert [cell.n for cell in first.edge_by_time] == [400, 0, 400, 0, 0, 0, 0, 0]
    assert [cell.n for cell in second.edge_by_time] == [400, 400, 0, 0, 0, 0, 0, 0]


def test_the_half_spread_covers_the_highest_upper_bound_of_whoever_trades_enough() -> None:
    none = [Cell(0, None)] * (len(BINS) - 1)
    rows = [
        [Cell(200, Interval(0.1, 0.0, 0.3)), *none],
        [Cell(199, Interval(0.9, 0.5, 1.4)), *none],
        [Cell(5_000, Interval(-0.2, -0.3, -0.1)), *none],
    ]
    assert trades.allowed(rows) == [0.3, *([None] * (len(BINS) - 1))]
    assert trades.allowed([]) == [None] * len(BINS)


def test_after_the_half_spread_it_asks_for_nobody_gains() -> None:
    found = trades.results(fills(0, 0.7, 400), 50)
    needed = trades.allowed(r.edge_by_time for r in found)
    at = list(BINS).index("600 to 900 s")
    again = trades.results(fills(0, 0.7 - needed[at], 400), 50)
    assert again[0].edge is not None
    assert again[0].edge.high == pytest.approx(0.0, abs=1e-9)

"""The Python twin returns what the programs' mathematics return, and the mathematics are fair."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momentum import pricing as p

VECTORS = Path(__file__).parents[1] / "vectors" / "model.json"
W = 900_000
MONEY = st.integers(0, 10**15)
# A million USDC: beyond it, shares of an empty pool leave 64 bits, which is an error of its own.
AMOUNT = st.integers(0, 10**12)
QTY = st.integers(1, 10**12)
INDEX = st.integers(0, p.MAX_X_E6)
SIDE = st.sampled_from(p.Side)
EDGES = (0, p.MAX_X_E6)


def plain(value: Any) -> Any:
    """Turn a result into what JSON holds."""
    if isinstance(value, p.Pnl):
        return [value.gain_e6, value.loss_e6]
    return list(value) if isinstance(value, tuple) else value


def test_every_golden_vector_of_the_rust_model_comes_out_the_same() -> None:
    cases = json.loads(VECTORS.read_text())
    assert len(cases) > 2_000
    for name, args, want in cases:
        function: Callable[..., Any] = getattr(p, name)
        if name in {"impact", "fill_price", "entry_cost", "reservation", "pnl", "mark_side"}:
            args[0] = p.Side(args[0])
        if name == "fill_price":
            args[-1] = tuple(args[-1])
        if want is None:
            with pytest.raises(p.PricingError):
                function(*args)
            continue
        got = function(*args)
        assert ([got] if name == "settlement" else plain(got)) == want, (name, args)


@given(st.integers(0, 2**32 - 1), st.sampled_from([p.TAU_MS, p.TAU2_MS]))
def test_the_decay_is_the_exponential(t_ms: int, tau_ms: int) -> None:
    assert math.isclose(p.decay_q32(t_ms, tau_ms) / 2**32, math.exp(-t_ms / tau_ms), abs_tol=4e-9)


@given(st.integers(0, W), INDEX, INDEX, st.integers(0, 2**32 - 1), INDEX)
def test_the_forward_stays_between_what_the_window_can_still_become(
    played: int, x: int, mu: int, s: int, mean: int
) -> None:
    area, left = mean * played, W - played
    low, high = p.envelope(area, left, W)
    assert low <= p.forward(area, left, 0, x, mu, s, W) <= high


@given(SIDE, QTY, INDEX, st.integers(0, 600_000), st.integers(0, 5_000), MONEY, MONEY, st.integers(10**6, 10**12))
def test_a_round_trip_at_the_same_forward_never_gains(
    side: p.Side, qty: int, f: int, spread: int, conf: int, long: int, short: int, k: int
) -> None:
    entry = p.fill_price(side, qty, f, spread, conf, long, short, k, EDGES)
    long, short = (long + qty, short) if side is p.Side.LONG else (long, short + qty)
    leave = p.fill_price(side.opposite, qty, f, spread, conf, long, short, k, EDGES)
    assert p.pnl(side, qty, p.entry_cost(side, qty, entry), leave).gain_e6 == 0


@given(
    st.lists(st.tuples(SIDE, st.integers(1, 500_000_000)), min_size=1, max_size=12),
    INDEX,
    st.integers(0, 3_000_000),
    st.integers(0, 3_000_000),
    st.integers(0, 600_000),
    st.integers(1_000_000, 10**9),
)
def test_no_sequence_of_trades_at_one_sample_gains_also_at_the_edge_of_the_envelope(
    trades: list[tuple[p.Side, int]], f: int, below: int, above: int, spread: int, k: int
) -> None:
    limits = (max(f - below, 0), min(f + above, p.MAX_X_E6))
    held, cash = {p.Side.LONG: 0, p.Side.SHORT: 0}, 0

    def trade(side: p.Side, qty: int) -> None:
        nonlocal cash
        price = p.fill_price(side, qty, f, spread, 0, held[p.Side.LONG], held[p.Side.SHORT], k, limits)
        cash += price * qty * (1 if side is p.Side.SHORT else -1)
        held[side] += qty

    for side, qty in trades:
        trade(side, qty)
    net = held[p.Side.LONG] - held[p.Side.SHORT]
    if net:
        trade(p.Side.SHORT if net > 0 else p.Side.LONG, abs(net))
    assert cash <= 0


@given(SIDE, QTY, INDEX, INDEX)
def test_the_reservation_covers_every_gain_and_a_position_gains_or_loses(
    side: p.Side, qty: int, entry: int, mark: int
) -> None:
    cost = p.entry_cost(side, qty, entry)
    result = p.pnl(side, qty, cost, mark)
    assert result.gain_e6 <= p.reservation(side, qty, cost)
    assert 0 in (result.gain_e6, result.loss_e6)


@given(AMOUNT, MONEY, AMOUNT)
def test_a_deposit_taken_back_at_once_never_returns_more(amount: int, cash: int, supply: int) -> None:
    shares = p.shares_for_deposit(amount, cash, supply)
    assert p.amount_for_shares(shares, cash + amount, supply + shares) <= amount


@settings(max_examples=50)
@given(st.lists(INDEX, min_size=2, max_size=40), st.integers(0, 1))
def test_a_window_without_model_error_settles_where_its_last_forward_stood(xs: list[int], lead: int) -> None:
    step = W // len(xs)
    area = sum(x * step for x in xs)
    length = step * len(xs)
    assert p.forward(area, 0, lead * 0, xs[-1], xs[-1], p.S_BIAS, length) == p.settlement(area, length, 0)


def test_a_window_with_more_than_a_tenth_left_out_is_void() -> None:
    assert p.settlement(50_000_000 * 810_000, W, 90_000) == 50_000_000
    assert p.settlement(50_000_000 * 809_999, W, 90_001) is None


def test_what_does_not_fit_64_bits_or_has_no_length_is_an_error() -> None:
    for call in (
        lambda: p.value_ceil(2**64 - 1, p.MAX_X_E6),
        lambda: p.impact(p.Side.LONG, 1, 2**64 - 1, 0, 1),
        lambda: p.impact(p.Side.LONG, 1, 0, 0, 0),
        lambda: p.part_floor(1, 1, 0),
        lambda: p.settlement(1, 0, 0),
        lambda: p.forward(0, 0, 0, 0, 0, p.S_BIAS, 0),
        lambda: p.amount_for_shares(2, 5, 1),
        lambda: p.reservation(p.Side.LONG, 1_000_000, 100_000_001),
    ):
        with pytest.raises(p.PricingError):
            call()


def test_equity_is_never_negative() -> None:
    assert p.Pnl(0, 9).equity(5) == 0
    assert p.Pnl(4, 0).equity(5) == 9

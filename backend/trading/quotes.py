"""The live price of a window, by the same integers as the program's `quote`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from momentum import pricing
from momentum.pricing import Side
from oracle.windows import PARTS, FeedState, Part, SampleLike, forward_e6, parts_between

Row = Mapping[str, Any]
ONE_CONTRACT_E6 = 1_000_000
COMMIT_CLOSE_MS = 20_000
"""Orders are refused in the last seconds of a window: no sample could fill them."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What one contract of a window costs now; prices in 1e-6 points, times in ms of play."""

    mark_e6: int
    bid_e6: int
    ask_e6: int
    half_spread_e6: int
    conf_e6: int
    left_ms: int
    lead_ms: int
    maintenance_margin_e6: int
    tradable: bool


def feed_state(row: Row) -> FeedState:
    """The timing part of a row of `feeds`."""
    return FeedState(
        period=row["period"],
        in_break=row["in_break"],
        play_ms=row["play_ms"],
        left_out_ms=row["left_out_ms"],
        periods=[(item["start_play_ms"], item["end_play_ms"], item["end_area"]) for item in row["periods"]],
        minute_area=row["minute_area"],
        minute_left_out_ms=row["minute_left_out_ms"],
    )


def window_parts(row: Row) -> tuple[Part, ...]:
    """The minutes of a row of `windows`; a custom window's are in its body."""
    if row["window_id"] < len(PARTS):
        return PARTS[row["window_id"]]
    return parts_between(row["body"]["start_ms"], row["body"]["end_ms"])


def quote(feed: Row, sample: Row, window: Row, *, paused: bool = False) -> Quote | None:
    """Price ``window`` at the feed's newest ``sample``; None before the first sample and for a window that is over."""
    if window["state"] != 0:
        return None
    biased = sample["s_e4"] + pricing.S_BIAS
    numbers = SampleLike(sample["area"], sample["x_e6"], sample["mu_e6"], biased)
    try:
        forward, at, envelope = forward_e6(feed_state(feed), numbers, window_parts(window))
    except LookupError:  # before the first sample
        return None
    spread = pricing.half_spread(at.left_ms, at.lead_ms)

    def price(side: Side) -> int:
        return pricing.fill_price(
            side,
            ONE_CONTRACT_E6,
            forward,
            spread,
            sample["conf_e4"],
            window["oi_long_e6"],
            window["oi_short_e6"],
            window["k_e6"],
            envelope,
        )

    tradable = (
        not paused
        and feed["status"] == 0
        and not feed["in_break"]
        and feed["suspend_epoch"] % 2 == 0
        and at.left_ms >= COMMIT_CLOSE_MS
    )
    return Quote(
        mark_e6=forward,
        bid_e6=price(Side.SHORT),
        ask_e6=price(Side.LONG),
        half_spread_e6=spread,
        conf_e6=sample["conf_e4"] * 100,
        left_ms=at.left_ms,
        lead_ms=at.lead_ms,
        maintenance_margin_e6=pricing.maintenance_margin(at.left_ms),
        tradable=tradable,
    )


def unrealised_e6(position: Row, price_e6: int) -> int:
    """Gain (floored) or loss (ceiled, negative) of a row of `positions` at a price."""
    result = pricing.pnl(Side(position["side"]), position["qty_e6"], position["entry_cost_e6"], price_e6)
    return result.gain_e6 - result.loss_e6

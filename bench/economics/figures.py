"""What a season comes to: the pool's result, drawdown and flow, and what each kind of trader made, with intervals.

Every fill is valued at its window's settlement: sign x (settlement - price). Summed over fills this is the traders'
gain and loses nothing: the pool's own books must agree to the last rounding, and `reconcile` says by how much.
Intervals are bootstrapped over matches, because trades of one match are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.economics.season import Fill, Played
from momentum.evaluation import intervals
from momentum.evaluation.intervals import Interval
from momentum.evaluation.match import Match
from momentum.evaluation.strategies import Strategy
from momentum.pricing import half_spread

Floats = NDArray[np.float64]
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """A kind of trader, in points a contract traded to open (liquidations are part of the result, not of `n`)."""

    name: str
    group: str
    n: int
    sent: int
    suspended: int
    """Refused or refunded because trading was suspended."""
    liquidated: int
    edge: float
    """Against the forward at the fill, before spread, conf, impact and fee."""
    spread: float
    conf: float
    impact: float
    fee: float
    after_spread: Interval | None
    """Edge less the half-spread alone: what would be left if `conf`, impact and fee were not there."""
    net: Interval | None


@dataclass(frozen=True, slots=True)
class LpResult:
    """The liquidity providers', in USDC."""

    matches: int
    trades: int
    contracts: float
    per_match: Interval
    per_match_without_fees: Interval
    per_contract_points: Interval
    sd_per_match: float
    share_of_matches_won: float
    worst_match: float
    worst_within_match: float
    worst_drawdown: float
    capital: float
    bad_debt: float
    reconciliation_error: float
    informed_share: float


def ratio(total: Floats, weight: Floats) -> Interval:
    """Sum of `total` over sum of `weight`, both by match, with its interval."""
    return intervals.ratio(total, weight, RESAMPLES)


def worth(fill: Fill, played: Played) -> float:
    """Points a contract that the trader gains on this fill by settlement; 0 in a void window."""
    settled = played.settlements.get(fill.window)
    return 0.0 if settled is None else fill.sign * (settled - fill.price_e6) / 1e6


def strategy_result(strategy: Strategy, season: Sequence[Played]) -> StrategyResult:
    """All fills of one strategy."""
    total, contracts, after_spread = (np.zeros(len(season)) for _ in range(3))
    parts = {"edge": 0.0, "spread": 0.0, "conf": 0.0, "fee": 0.0}
    n = sent = suspended = liquidated = 0
    for at, played in enumerate(season):
        for (name, how), count in played.ended.items():
            if name == strategy.name and how != "position liquidated":
                sent += count
                suspended += count * how.endswith("suspended")
        for fill in played.fills:
            if fill.strategy != strategy.name or fill.window not in played.settlements:
                continue
            qty = fill.qty_e6 / 1e6
            total[at] += qty * worth(fill, played) - (fill.fee_e6 + fill.reward_e6) / 1e6
            if fill.liquidation:
                liquidated += 1
                continue
            n, contracts[at] = n + 1, contracts[at] + qty
            edge = qty * fill.sign * (played.settlements[fill.window] - fill.forward_e6) / 1e6
            spread = qty * half_spread(fill.left_s * 1000, fill.lead_s * 1000) / 1e6
            after_spread[at] += edge - spread
            parts["edge"] += edge
            parts["spread"] += spread
            parts["conf"] += qty * fill.conf_e6 / 1e6
            parts["fee"] += fill.fee_e6 / 1e6
    whole = max(contracts.sum(), 1e-9)
    mean = {key: value / whole for key, value in parts.items()}
    paid = sum(
        f.qty_e6 / 1e6 * f.sign * (f.price_e6 - f.forward_e6) / 1e6
        for p in season
        for f in p.fills
        if f.strategy == strategy.name and not f.liquidation and f.window in p.settlements
    )
    return StrategyResult(
        name=strategy.name,
        group=strategy.group,
        n=n,
        sent=sent,
        suspended=suspended,
        liquidated=liquidated,
        impact=paid / whole - mean["spread"] - mean["conf"],
        after_spread=ratio(after_spread, contracts) if n else None,
        net=ratio(total, contracts) if n else None,
        **mean,
    )


def equity_path(match: Match, played: Played) -> Floats:
    """The pool's gain since kick-off at every tick, positions at the forward; fees not counted."""
    path = np.zeros(len(match.period))
    for fill in played.fills:
        if fill.window in played.settlements:
            value = match.forward[fill.window, fill.tick :] - fill.price_e6 / 1e6
            path[fill.tick :] -= fill.sign * fill.qty_e6 / 1e6 * value
    return path


def drawdown(path: Floats) -> float:
    """The deepest fall from a peak, at least 0."""
    return float(np.max(np.maximum.accumulate(np.concatenate([[0.0], path])) - np.concatenate([[0.0], path])))


def lp_result(
    matches: Sequence[Match], season: Sequence[Played], strategies: Sequence[Strategy], capital: float
) -> LpResult:
    """The pool's books over the season."""
    cash = np.array([p.cash_change_e6 for p in season]) / 1e6
    fees = np.array([p.lp_fees_e6 for p in season]) / 1e6
    contracts = np.array([sum(f.qty_e6 for f in p.fills if not f.liquidation) for p in season]) / 1e6
    informed = {s.name for s in strategies if s.group in ("informed", "leak")}
    by_informed = sum(f.qty_e6 for p in season for f in p.fills if f.strategy in informed and not f.liquidation) / 1e6
    error, within, running, paths = 0.0, 0.0, 0.0, []
    for match, played, change, fee in zip(matches, season, cash, fees, strict=True):
        path = equity_path(match, played)
        traders = sum(f.qty_e6 / 1e6 * worth(f, played) for f in played.fills)
        error = max(error, abs(change - fee + traders))
        within = min(within, float(path.min(initial=0)))
        paths.append(running + path)
        running += change
        paths.append(np.array([running]))
    ones = np.ones(len(season))
    return LpResult(
        matches=len(season),
        trades=sum(not f.liquidation for p in season for f in p.fills),
        contracts=float(contracts.sum()),
        per_match=ratio(cash, ones),
        per_match_without_fees=ratio(cash - fees, ones),
        per_contract_points=ratio(cash, contracts),
        sd_per_match=float(cash.std(ddof=1)) if len(cash) > 1 else 0.0,
        share_of_matches_won=float((cash > 0).mean()),
        worst_match=float(cash.min()),
        worst_within_match=within,
        worst_drawdown=drawdown(np.concatenate(paths)),
        capital=capital,
        bad_debt=sum(p.bad_debt_e6 for p in season) / 1e6,
        reconciliation_error=error,
        informed_share=by_informed / float(contracts.sum()),
    )


def groups(season: Sequence[Played], strategies: Sequence[Strategy]) -> dict[str, tuple[float, Interval]]:
    """By group: share of contracts, and points a contract that the pool gains from it, without its part of fees."""
    whole = sum(f.qty_e6 for p in season for f in p.fills if not f.liquidation)
    result = {}
    for group in dict.fromkeys(s.group for s in strategies):
        gain, contracts = taken_from(season, {s.name for s in strategies if s.group == group})
        result[group] = (float(contracts.sum() * 1e6 / whole), ratio(gain, contracts))
    return result


def taken_from(season: Sequence[Played], names: Collection[str]) -> tuple[Floats, Floats]:
    """What the pool gains from these traders in USDC, and the contracts they opened, by match."""
    gain, contracts = np.zeros(len(season)), np.zeros(len(season))
    for at, played in enumerate(season):
        for fill in played.fills:
            if fill.strategy in names:
                gain[at] -= fill.qty_e6 / 1e6 * worth(fill, played)
                contracts[at] += 0 if fill.liquidation else fill.qty_e6 / 1e6
    return gain, contracts


@dataclass(frozen=True, slots=True)
class Hostile:
    """The harshest reading: the only informed flow is that of traders who end with a gain, all else is noise."""

    winners: list[str]
    pool_gain_from_winners: Interval | None
    at_a_fifth: Interval | None
    """Points a contract that the pool gains when a fifth of all contracts is theirs."""
    break_even_share: float


def hostile(season: Sequence[Played], results: Sequence[StrategyResult]) -> Hostile:
    """Put the winners beside the noise, in parts of one to four."""
    winners = [r.name for r in results if r.net is not None and r.net.mean > 0]
    if not winners:
        return Hostile([], None, None, 1.0)
    theirs, noise = taken_from(season, winners), taken_from(season, {r.name for r in results if r.group == "noise"})
    counts = intervals.draws(len(season), RESAMPLES)
    mixed = sum(w * (counts @ g) / (counts @ c) for w, (g, c) in ((0.2, theirs), (0.8, noise)))
    loss, gain = -theirs[0].sum() / theirs[1].sum(), noise[0].sum() / noise[1].sum()
    low, high = np.percentile(mixed, (2.5, 97.5))
    fifth = Interval(float(0.8 * gain - 0.2 * loss), float(low), float(high))
    share = float(gain / (gain + loss)) if loss > 0 else 1.0
    return Hostile(winners, ratio(*theirs), fifth, share)


def table(
    lp: LpResult, flow: dict[str, tuple[float, Interval]], results: Sequence[StrategyResult], worst: Hostile
) -> str:
    """All figures as markdown."""
    lines = [
        "| liquidity providers | |",
        "|---|---|",
        f"| matches, trades, contracts | {lp.matches}, {lp.trades:,}, {lp.contracts:,.0f} |",
        f"| result a match, USDC | **{lp.per_match.mean:+.1f}** [{lp.per_match.low:+.1f}, {lp.per_match.high:+.1f}] |",
        f"| without their part of the fees | {lp.per_match_without_fees.mean:+.1f} "
        f"[{lp.per_match_without_fees.low:+.1f}, {lp.per_match_without_fees.high:+.1f}] |",
        f"| result in points a contract | {lp.per_contract_points} |",
        f"| standard deviation a match; matches won | {lp.sd_per_match:.1f}; {lp.share_of_matches_won:.0%} |",
        f"| worst match; lowest within a match | {lp.worst_match:+.1f}; {lp.worst_within_match:+.1f} |",
        f"| worst drawdown | {lp.worst_drawdown:.1f} ({lp.worst_drawdown / lp.capital:.2%} of capital) |",
        f"| bad debt; largest difference from the pool's books | {lp.bad_debt:.6f}; {lp.reconciliation_error:.6f} |",
        f"| informed flow, part of contracts | {lp.informed_share:.1%} |",
        f"| pool's gain if a fifth of the flow were the winners below and the rest noise, points a contract "
        f"| {worst.at_a_fifth or '-'} |",
        f"| part of the flow that winners need for the pool to lose | {worst.break_even_share:.0%} |",
        "",
        "| flow | part of contracts | points a contract the pool gains |",
        "|---|---|---|",
        *(f"| {name} | {share:.1%} | {gain} |" for name, (share, gain) in flow.items()),
        "",
        "| trader | group | n | suspended | liquidated | edge at forward | half-spread "
        "| after half-spread | conf | impact | fee | net |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        lines.append(
            f"| {r.name} | {r.group} | {r.n} | {r.suspended / max(r.sent, 1):.0%} | {r.liquidated} | {r.edge:+.2f} "
            f"| {r.spread:.2f} | {r.after_spread or '-'} | {r.conf:.2f} | {r.impact:+.2f} | {r.fee:.2f} "
            f"| {r.net or '-'} |"
        )
    return "\n".join(lines)


def document(**parts: Any) -> dict[str, Any]:
    """Everything as plain JSON values."""
    plain: Callable[[Any], Any] = lambda v: asdict(v) if hasattr(v, "__dataclass_fields__") else v  # noqa: E731
    return {key: [plain(v) for v in value] if isinstance(value, list) else plain(value) for key, value in parts.items()}

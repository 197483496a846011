"""Collects what the invariants are checked on: the chain's accounts and the mirror's rows."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from backend.db.pool import Database
from backend.demo.invariants import (
    Evidence,
    Fill,
    LiquidityChange,
    Movement,
    PositionRow,
    SampleRow,
    Settlement,
    Snapshot,
)
from oracle import aggregate as aggregation
from oracle import transcript
from oracle.books import Books
from oracle.keeper import VOID
from oracle.windows import HALF_S, PARTS, FeedState, SampleLike, forward_e6, nominal_s

_SETTLED = tuple(name for name in Settlement.__dataclass_fields__ if name != "void")

_BUCKETS = (
    "cash_e6",
    "margin_e6",
    "position_collateral_e6",
    "order_escrow_e6",
    "fee_escrow_e6",
    "protocol_fees_e6",
    "insurance_e6",
    "claimable_e6",
)


def snapshot(books: Books) -> Snapshot:
    """The auditor's view of the market's accounts."""
    windows = books.windows.values()
    return Snapshot(
        vault_e6=books.vault_e6,
        buckets_e6=tuple(int(getattr(books.pool, name)) for name in _BUCKETS),
        cash_e6=books.pool.cash_e6,
        reserved_e6=books.pool.reserved_e6,
        window_reserved_e6=sum(w.reserved_e6 for w in windows),
        oi_long_e6=sum(w.oi_long_e6 for w in windows),
        oi_short_e6=sum(w.oi_short_e6 for w in windows),
        positions=tuple(
            PositionRow(str(p.window), p.side, p.qty_e6, p.reserved_e6) for p in books.positions.values() if p.qty_e6
        ),
    )


def leftovers_e6(books: Books) -> tuple[int, ...]:
    """What must be zero: everything once all windows are settled and their fees split, until then what those have."""
    if not all(window.fees_done for window in books.windows.values()):
        done = [(address, window) for address, window in books.windows.items() if window.fees_done]
        return (
            sum(w.oi_long_e6 + w.oi_short_e6 + w.reserved_e6 + w.fee_escrow_e6 for _, w in done),
            sum(p.window == address for p in books.positions.values() for address, _ in done),
        )
    return (
        books.pool.reserved_e6,
        books.pool.position_collateral_e6,
        books.pool.order_escrow_e6,
        books.pool.fee_escrow_e6,
        books.pool.open_positions,
        len(books.orders),
        sum(p.qty_e6 for p in books.positions.values()),
        sum(w.oi_long_e6 + w.oi_short_e6 + w.reserved_e6 for w in books.windows.values()),
    )


def declared_e6(name: str, body: dict[str, Any]) -> int:
    """What an event says went into the vault (negative: out of it)."""
    if name == "CollateralChanged":
        return int(body["amount_e6"]) if int(body["deposit"]) else -int(body["amount_e6"])
    if name == "LiquidityChanged":  # a deposit's tokens came in with its request
        return 0 if int(body["deposit"]) or int(body["held"]) else -int(body["amount_e6"])
    if name in ("LiquidityRequested", "LiquidityCancelled") and int(body["kind"]) == 0:
        return int(body["amount"]) if name == "LiquidityRequested" else -int(body["amount"])
    return -int(body["amount_e6"]) if name == "ProtocolFeesCollected" else 0


def sample_rows(path: Path) -> tuple[SampleRow, ...]:
    """The published samples of a transcript, each with the forward of the quarter under way and its envelope."""
    rows: list[SampleRow] = []

    def note(feed: aggregation.Feed, item: transcript.Aggregated) -> None:
        sample = item.sample
        state = FeedState.of(feed)
        numbers = SampleLike(sample.area, sample.x_e6, sample.mu_e6, sample.s_e4)
        price = low = high = 0
        for parts in PARTS[:6]:
            start_s, end_s = nominal_s(parts)
            inside_ms = item.quote.play_ms + (item.quote.period - 1) * HALF_S * 1000
            if start_s * 1000 <= inside_ms < end_s * 1000 and item.quote.play_ms < HALF_S * 1000:
                price, _, (low, high) = forward_e6(state, numbers, parts)
        rows.append(SampleRow(item.quote.tick, sample.x_e6, price, low, high))

    transcript.aggregate(transcript.read(path), note)
    return tuple(rows)


async def collect(
    database: Database, snapshots: list[Snapshot], final: Books, samples: tuple[SampleRow, ...]
) -> Evidence:
    """Everything for `invariants.check`: ``snapshots`` of the run, the books at the end and the mirror's rows."""
    declared: dict[str, int] = defaultdict(int)
    for row in await database.rows("SELECT signature, name, body FROM chain_events"):
        declared[row["signature"]] += declared_e6(row["name"], row["body"])
    movements = await database.rows(
        "SELECT signature, failed, coalesce(vault_delta_e6, 0) AS delta FROM chain_transactions"
        " ORDER BY slot, signature"
    )
    fills = await database.rows(
        "SELECT e.commit_ms, e.data_ms, o.suspend_epoch AS commit_epoch, e.suspend_epoch AS sample_epoch"
        ' FROM order_ends e JOIN orders o USING ("order") WHERE e.reason = 0 ORDER BY e.slot, e.signature'
    )
    settlements = await database.rows("SELECT * FROM settlements ORDER BY slot, signature, outer_ix, inner_ix")
    liquidity = await database.rows("SELECT * FROM lp_changes ORDER BY slot, signature")
    fees = await database.row(
        "SELECT (SELECT coalesce(sum(fee_e6), 0) FROM order_ends) + (SELECT coalesce(sum(fee_e6), 0) FROM liquidations)"
        " AS charged"
    )
    void = {str(address) for address, window in final.windows.items() if window.state == VOID}
    return Evidence(
        snapshots=(*snapshots, snapshot(final)),
        movements=tuple(
            Movement(r["signature"], not r["failed"], int(r["delta"]), declared[r["signature"]]) for r in movements
        ),
        fills=tuple(Fill(delay_ms=final.exchange.delay_ms, **r) for r in fills),
        settlements=tuple(
            Settlement(**{name: int(r[name]) for name in _SETTLED}, void=r["window"] in void) for r in settlements
        ),
        liquidity=tuple(
            LiquidityChange(r["cash_before_e6"], r["cash_after_e6"], int(r["supply_before"]), int(r["supply_after"]))
            for r in liquidity
        ),
        samples=samples,
        leftovers_e6=leftovers_e6(final),
        fees_booked_e6=final.pool.fees_charged_e6,
        fees_charged_e6=int(fees["charged"]) if fees else 0,
    )

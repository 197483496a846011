"""The report of a run: figures, money, invariants. Everything but the timings is equal for equal seeds."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from backend.db.pool import Database
from backend.demo.invariants import Check
from backend.demo.loop import LoopStats
from backend.demo.people import Person, Provider
from backend.views import END_REASONS, WINDOW_STATES, named
from oracle.books import Books
from oracle.core import KeeperCore
from oracle.keeper import CrankStats
from oracle.windows import NAMES


class Played(Protocol):
    """What the report reads of a run."""

    @property
    def core(self) -> KeeperCore:
        """The keeper's state at the end."""
        ...

    @property
    def people(self) -> Sequence[Person]:
        """The traders."""
        ...

    @property
    def providers(self) -> Sequence[Provider]:
        """The liquidity providers."""
        ...

    @property
    def database(self) -> Database:
        """The mirror's rows."""
        ...


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile by the nearest rank, in the unit of the values; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 2)


def latencies(stats: LoopStats) -> dict[str, Any]:
    """Wall milliseconds: p50 and p95 of sample due -> confirmed, and of event -> confirmed."""
    event = stats.event_to_confirmed_ms
    return {
        "p50": quantile(stats.due_to_confirmed_ms, 0.50),
        "p95": quantile(stats.due_to_confirmed_ms, 0.95),
        "event_p50": quantile(event, 0.50),
        "event_p95": quantile(event, 0.95),
    }


async def order_ends(database: Database) -> Counter[str]:
    """Ended orders by reason."""
    rows = await database.rows("SELECT reason, count(*) AS n FROM order_ends GROUP BY reason")
    return Counter({named(END_REASONS, row["reason"]): row["n"] for row in rows})


async def profits(run: Played, books: Books) -> list[dict[str, Any]]:
    """Each trader's result in USDC 1e-6: taken out and still inside, less put in."""
    rows = await run.database.rows(
        "SELECT owner, count(*) AS orders FROM orders GROUP BY owner",
    )
    orders = {row["owner"]: row["orders"] for row in rows}
    margins = {str(m.owner): m for m in books.margins.values()}
    result = []
    for person in run.people:
        owner = str(person.wallet.address)
        margin = margins[owner]
        inside = margin.free_e6 + sum(p.collateral_e6 for p in books.positions.values() if str(p.owner) == owner)
        result.append(
            {
                "name": person.name,
                "style": person.strategy.style,
                "orders": orders.get(owner, 0),
                "refused": dict(sorted(person.book.refused.items())),
                "profit_e6": margin.withdrawals_e6 + inside - margin.deposits_e6,
            }
        )
    return result


async def providers(run: Played) -> list[dict[str, Any]]:
    """Each liquidity provider's result in USDC 1e-6; null while it is still invested."""
    rows = await run.database.rows(
        "SELECT owner, sum(CASE WHEN deposit THEN -amount_e6 ELSE amount_e6 END)::bigint AS net,"
        " bool_or(NOT deposit) AS left FROM lp_changes GROUP BY owner"
    )
    nets = {row["owner"]: row for row in rows}
    result = []
    for provider in run.providers:
        row = nets[str(provider.wallet.address)]
        result.append({"name": provider.name, "profit_e6": int(row["net"]) if row["left"] else None})
    return result


def windows(books: Books) -> list[dict[str, Any]]:
    """Every window with its settlement (null where it has none)."""
    rows = []
    for window in sorted(books.windows.values(), key=lambda w: w.window_id):
        state = named(WINDOW_STATES, window.state)
        rows.append(
            {
                "name": NAMES[window.window_id],
                "state": state,
                "settlement": f"{window.settlement_e6 / 1_000_000:.6f}" if state == "final" else None,
                "fees_charged_e6": window.fees_charged_e6,
                "left_out_ms": window.left_out_ms,
            }
        )
    return rows


async def fees(database: Database, books: Books) -> dict[str, int]:
    """Fees charged and where they went, USDC 1e-6."""
    row = await database.row(
        "SELECT coalesce(sum(lp_e6), 0)::bigint AS lp, coalesce(sum(insurance_e6), 0)::bigint AS insurance,"
        " coalesce(sum(protocol_e6), 0)::bigint AS protocol FROM fee_distributions"
    )
    assert row is not None
    return {"charged_e6": books.pool.fees_charged_e6, **{f"{name}_e6": int(value) for name, value in row.items()}}


def checked(checks: Mapping[str, Check]) -> dict[str, Any]:
    """The invariants as the report shows them."""
    return {name: dataclasses.asdict(check) for name, check in checks.items()}


async def build_report(
    run: Played,
    stats: LoopStats,
    books: Books,
    checks: Mapping[str, Check],
    cranked: CrankStats,
    transactions: int,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything a run has to say for itself, as JSON-able data."""
    info, core = run.core.info, run.core
    ends = await order_ends(run.database)
    home, away = core.score()
    liquidated = await run.database.row("SELECT count(*) AS n FROM liquidations")
    closes = await run.database.row("SELECT count(*) AS n FROM order_ends WHERE reason = 0 AND closed_e6 > 0")
    failed = await run.database.row("SELECT count(*) AS n FROM chain_transactions WHERE failed")
    return {
        "match": {
            "id": info.match_id,
            "provider": info.provider,
            "home": info.home.name,
            "away": info.away.name,
            "competition": info.competition,
        },
        "score": {"home": home, "away": away},
        "options": dict(asked),
        "samples": {
            "due": stats.due,
            "landed": stats.landed,
            "missed": stats.missed,
            "revised": len(core.revisions),
            "feed_transactions": transactions,
        },
        "feed": {"messages": stats.messages, "problems": core.problems, "events": len(core.timeline)},
        "latency_ms": latencies(stats),
        "fills": ends["filled"],
        "refunds": sum(ends.values()) - ends["filled"],
        "order_ends": dict(sorted(ends.items())),
        "closes": closes["n"] if closes else 0,
        "liquidations": liquidated["n"] if liquidated else 0,
        "failed_transactions": failed["n"] if failed else 0,
        "cranked": {"done": dict(sorted(cranked.done.items())), "refused": dict(sorted(cranked.refused.items()))},
        "revisions": [dataclasses.asdict(r) for r in core.revisions[:5]],
        "windows": windows(books),
        "traders": await profits(run, books),
        "providers": await providers(run),
        "fees": await fees(run.database, books),
        "invariants": checked(checks),
    }

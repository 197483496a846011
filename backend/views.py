"""Rows of the database as the documents that REST and stream both show: one shape each, decimals as strings.

Pure. Amounts leave the integers here and nowhere else; times become ISO-8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backend.trading.quotes import Quote, window_parts
from oracle.windows import nominal_s, window_name

Row = Mapping[str, Any]
SIDES = ("long", "short")
PAUSES = ("active", "reduce_only", "no_new_orders", "halted")
WINDOW_STATES = ("open", "final", "void")
END_REASONS = (
    "filled",
    "limit_not_met",
    "suspended",
    "no_sample",
    "window_over",
    "period_break",
    "window_void",
    "sample_gone",
    "cancelled",
    "liquidated",
    "cap",
    "nothing_to_reduce",
    "cluster_restarted",
    "expired",
)
SUSPEND_REASONS = ("none", "goal", "penalty", "var", "red_card", "corner", "feed_loss", "operator")


_FEED_NUMBERS = (
    "health",
    "silence_ms",
    "quiet_ms",
    "gap_ms",
    "gap_recent_ms",
    "corrections_last_minute",
    "unknown_types",
    "skew_ms",
    "arrivals",
    "unchanged",
    "older",
    "broken",
    "lost",
    "events",
    "corrections",
    "deletions",
    "late",
    "problems",
)


def feed_view(row: Row) -> dict[str, Any]:
    """One provider's feed of a match, as it was in one minute."""
    return {
        "match_id": row["match_id"],
        "home_name": row["home_name"],
        "away_name": row["away_name"],
        "provider": row["provider"],
        "at": iso_ms(row["at_ms"]),
        "difference": decimal(row["difference_e4"], 4),
        **{name: row[name] for name in _FEED_NUMBERS},
    }


def named(names: tuple[str, ...], value: int) -> str:
    """The name of a number from the chain; a number that is newer than this table stays visible."""
    return names[value] if 0 <= value < len(names) else f"unknown_{value}"


def decimal(value: int | None, places: int = 6) -> str | None:
    """An integer with ``places`` decimals as text, without trailing zeros: 57300000 is "57.3"."""
    if value is None:
        return None
    whole, part = divmod(abs(int(value)), 10**places)
    tail = f"{part:0{places}d}".rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


def iso_ms(unix_ms: int | None) -> str | None:
    """Milliseconds since 1970 as ISO-8601."""
    return None if unix_ms is None else iso(datetime.fromtimestamp(int(unix_ms) / 1000, UTC))


def iso(moment: datetime | None) -> str | None:
    """A moment as ISO-8601 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def match_view(row: Row) -> dict[str, Any]:
    """A match, with where its feed stands if it has one."""
    return {
        "match_id": row["match_id"],
        "provider": row["provider"],
        "competition": row["competition"],
        **{f"{side}_{name}": row[f"{side}_{name}"] for side in ("home", "away") for name in ("name", "short", "score")},
        "kickoff_at": iso(row["kickoff_at"]),
        "start_at": iso_ms(row["start_unix_ms"]),
        "status": row["status"],
        "period": row["period"],
        "play_ms": row["play_ms"],
        "in_break": row["in_break"],
        "feed": row["feed"],
        "tick": row["tick"],
        "suspended": None if row["suspend_epoch"] is None else row["suspend_epoch"] % 2 == 1,
        "suspend_reason": None if row["suspend_reason"] is None else named(SUSPEND_REASONS, row["suspend_reason"]),
    }


def tick_view(row: Row, start_unix_ms: int | None) -> dict[str, Any]:
    """One second of the index. ``play_ms`` is cumulative over the periods, ``second`` counts from the kick-off."""
    at = None if start_unix_ms is None else start_unix_ms + row["data_ms"]
    epoch = row.get("suspend_epoch")
    return {
        "tick": row["tick"],
        "period": row["period"],
        "second": row["second"],
        "play_ms": row["play_ms"],
        "data_ms": row["data_ms"],
        "at": iso_ms(at),
        "x": decimal(row["x_e6"]),
        "mu": decimal(row["mu_e6"]),
        "s": decimal(row["s_e4"], 4),
        "conf": decimal(row["conf_e4"], 4),
        "suspended": None if epoch is None else epoch % 2 == 1,
        "suspend_epoch": epoch,
        "sample_index": row.get("sample_index"),
        "slot": row.get("slot"),
        "status": row["status"],
    }


def event_view(row: Row) -> dict[str, Any]:
    """A canonical event as it is known now; a withdrawn one says ``deleted``."""
    body = dict(row["body"] or {})
    xg = body.pop("xg_e6", None)
    view = {
        "event_id": row["event_id"],
        "version": row["version"],
        "deleted": row["deleted"],
        "period": row["period"],
        "play_ms": row["play_ms"],
        "data_ms": row["data_ms"],
        **body,
        "kind": row["kind"],
        "side": row["side"],
    }
    return view if xg is None else {**view, "xg": decimal(xg)}


def revision_view(row: Row) -> dict[str, Any]:
    """A published tick that would be another with what is known now."""
    return {
        "revision": row["revision"],
        "tick": row["tick"],
        "old": decimal(row["old_e6"]),
        "new": decimal(row["new_e6"]),
        "old_e6": row["old_e6"],
        "new_e6": row["new_e6"],
        "reason": row["reason"],
        "event_id": row["event_id"],
        "data_ms": row["data_ms"],
    }


def level_of(row: Row) -> str:
    """How sure a chain row is."""
    return "finalized" if row.get("finalized") else "confirmed"


def place(row: Row) -> dict[str, Any]:
    """Where on the chain, and where in the match, a row belongs. ``play_ms`` counts from the period's kick-off."""
    return {
        "at": iso(row.get("block_time")),
        "slot": row["slot"],
        "signature": row["signature"],
        "level": level_of(row),
        "match_id": row.get("match_id"),
        "window": None if row.get("window_id") is None else window_name(row["window_id"]),
        "window_address": row["window"],
        "period": row.get("period"),
        "play_ms": None if row.get("second") is None else row["second"] * 1000,
    }


def order_view(row: Row) -> dict[str, Any]:
    """An order with its end, if it has come."""
    return {
        "id": row["order"],
        "kind": "order",
        **place(row),
        "owner": row["owner"],
        "margin": row["margin"],
        "client_id": str(row["client_id"]),
        "client_order_id": row.get("client_order_id"),
        "side": named(SIDES, row["side"]),
        "reduce_only": row["flags"] & 1 == 1,
        "qty": decimal(row["qty_e6"]),
        "limit": decimal(row["limit_e6"]),
        "collateral": decimal(row["collateral_e6"]),
        "fee_reserve": decimal(row["fee_reserve_e6"]),
        "commit_at": iso_ms(row["commit_ms"]),
        "expires_at": iso_ms(row["commit_ms"] + row["expiry_ms"]),
        "status": "pending" if row.get("end_reason") is None else named(END_REASONS, row["end_reason"]),
    }


def trade_view(row: Row) -> dict[str, Any]:
    """The end of an order: a fill, or a refund with its reason. It replaces the order of the same ``id``."""
    filled = row["reason"] == 0
    return {
        "id": row["order"],
        "kind": "trade",
        **place(row),
        "owner": row["owner"],
        "client_id": str(row["client_id"]),
        "side": named(SIDES, row["side"]),
        "reason": named(END_REASONS, row["reason"]),
        "qty": decimal(row["filled_e6"] if filled else row["qty_e6"]),
        "closed": decimal(row["closed_e6"]),
        "price": decimal(row["price_e6"]) if filled else None,
        "forward": decimal(row["forward_e6"]) if filled else None,
        "conf": decimal(row["conf_e6"]) if filled else None,
        "fee": decimal(row["fee_e6"]),
        "gain": decimal(row["gain_e6"]),
        "loss": decimal(row["loss_e6"]),
        "refund": decimal(row["refund_e6"]),
        "sample_index": int(row["sample_index"]) if filled else None,
        "data_at": iso_ms(row["data_ms"]) if row["data_ms"] else None,
        "commit_at": iso_ms(row["commit_ms"]),
    }


def liquidation_view(row: Row) -> dict[str, Any]:
    """A position that was closed for lack of margin."""
    return {
        "id": f"{row['signature']}:{row['outer_ix']}:{row['inner_ix']}",
        "kind": "liquidation",
        **place(row),
        "owner": row["owner"],
        "position": row["position"],
        "side": named(SIDES, row["side"]),
        "qty": decimal(row["qty_e6"]),
        "price": decimal(row["price_e6"]),
        "mark": decimal(row["mark_e6"]),
        "gain": decimal(row["gain_e6"]),
        "loss": decimal(row["loss_e6"]),
        "fee": decimal(row["fee_e6"]),
        "reward": decimal(row["reward_e6"]),
        "returned": decimal(row["returned_e6"]),
    }


def settlement_view(row: Row) -> dict[str, Any]:
    """A position that was paid out."""
    return {
        "id": f"{row['signature']}:{row['outer_ix']}:{row['inner_ix']}",
        "kind": "settlement",
        **place(row),
        "owner": row["owner"],
        "position": row["position"],
        "side": named(SIDES, row["side"]),
        "qty": decimal(row["qty_e6"]),
        "settlement": decimal(row["settlement_e6"]),
        "entry_cost": decimal(row["entry_cost_e6"]),
        "collateral": decimal(row["collateral_e6"]),
        "payout": decimal(row["payout_e6"]),
        "pnl": decimal(row["gain_e6"] - row["loss_e6"]),
    }


_POOL = (
    "cash",
    "reserved",
    "margin",
    "position_collateral",
    "order_escrow",
    "fee_escrow",
    "protocol_fees",
    "insurance",
    "claimable",
    "bad_debt",
    "fees_charged",
)


def pool_view(row: Row) -> dict[str, Any]:
    """The pool's books."""
    body = row["body"]
    return {
        "address": row["address"],
        "exchange": row["exchange"],
        **{name: decimal(body.get(f"{name}_e6", 0)) for name in _POOL},
        "open_positions": body.get("open_positions", 0),
        "slot": row["slot"],
        "level": "confirmed",
    }


def margin_view(row: Row) -> dict[str, Any]:
    """A trader's margin account."""
    body = row["body"]
    return {
        "address": row["address"],
        "free": decimal(row["free_e6"]),
        "deposits": decimal(body.get("deposits_e6", 0)),
        "withdrawals": decimal(body.get("withdrawals_e6", 0)),
        "reserved": decimal(body.get("reserved_e6", 0)),
        "last_client_id": str(body.get("last_client_id", 0)),
        "open_orders": body.get("open_orders", 0),
        "open_positions": body.get("open_positions", 0),
        "slot": row["slot"],
    }


def window_view(row: Row, quote: Quote | None) -> dict[str, Any]:
    """A window with its live price (None before the first sample and once it is final)."""
    body = row["body"]
    start_s, end_s = nominal_s(window_parts(row))
    price: dict[str, str | None] = {"mark": None, "bid": None, "ask": None, "half_spread": None, "conf": None}
    timing: dict[str, Any] = {"left_ms": None, "lead_ms": None, "maintenance_margin": None, "tradable": False}
    if quote is not None:
        price = {name: decimal(getattr(quote, f"{name}_e6")) for name in price}
        timing = {
            "left_ms": quote.left_ms,
            "lead_ms": quote.lead_ms,
            "maintenance_margin": decimal(quote.maintenance_margin_e6),
            "tradable": quote.tradable,
        }
    finalised = body.get("finalised_unix") or None
    return {
        "address": row["address"],
        "market": row["market"],
        "feed": row["feed"],
        "match_id": row["match_id"],
        "window_id": row["window_id"],
        "name": window_name(row["window_id"]),
        "state": named(WINDOW_STATES, row["state"]),
        "start_s": start_s,
        "end_s": end_s,
        **price,
        **timing,
        "oi_long": decimal(row["oi_long_e6"]),
        "oi_short": decimal(row["oi_short_e6"]),
        "impact_contracts": decimal(row["k_e6"]),
        "reserved": decimal(row["reserved_e6"]),
        "fee_escrow": decimal(body.get("fee_escrow_e6", 0)),
        "fees_charged": decimal(body.get("fees_charged_e6", 0)),
        "open_positions": row["open_positions"],
        "pending_orders": body.get("pending_orders", 0),
        "settlement": decimal(row["settlement_e6"]) if row["state"] == 1 else None,
        "left_out_ms": body.get("left_out_ms", 0),
        "finalised_at": None if finalised is None else iso_ms(finalised * 1000),
        "tick": row.get("tick"),
        "slot": row["slot"],
    }


def position_view(row: Row, mark_e6: int | None, pnl_e6: int | None) -> dict[str, Any]:
    """An open position at its window's mark; gains and losses are None before there is a price."""
    qty = row["qty_e6"]
    equity = None if pnl_e6 is None else max(0, row["collateral_e6"] + pnl_e6)
    return {
        "address": row["address"],
        "owner": row["owner"],
        "margin": row["margin"],
        "match_id": row["match_id"],
        "window": window_name(row["window_id"]) if row["window_id"] is not None else None,
        "window_address": row["window"],
        "side": named(SIDES, row["side"]),
        "qty": decimal(qty),
        "entry_price": decimal(row["entry_cost_e6"] * 1_000_000 // qty) if qty else None,
        "entry_cost": decimal(row["entry_cost_e6"]),
        "collateral": decimal(row["collateral_e6"]),
        "reserved": decimal(row["reserved_e6"]),
        "mark": decimal(mark_e6),
        "pnl": decimal(pnl_e6),
        "equity": decimal(equity),
        "opened_at": iso_ms(row["body"].get("opened_ms") or None),
        "slot": row["slot"],
    }

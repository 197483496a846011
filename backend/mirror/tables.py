"""Which table an event and an account go to. Pure; the columns are those of the migrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backend.mirror.records import EventRow, body_of

KEY: Final = ("signature", "outer_ix", "inner_ix", "event_ix", "slot", "block_time")

EVENTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "OrderPlaced": (
        "orders",
        (
            "order", "margin", "owner", "window", "client_id", "side", "flags", "qty_e6", "limit_e6", "collateral_e6",
            "fee_reserve_e6", "commit_ms", "expiry_ms", "suspend_epoch",
        ),
    ),
    "OrderEnded": (
        "order_ends",
        (
            "order", "owner", "window", "client_id", "side", "reason", "qty_e6", "filled_e6", "closed_e6", "price_e6",
            "forward_e6", "conf_e6", "fee_e6", "gain_e6", "loss_e6", "bad_debt_e6", "collateral_in_e6",
            "collateral_out_e6", "refund_e6", "sample_index", "data_ms", "commit_ms", "suspend_epoch",
        ),
    ),
    "PositionLiquidated": (
        "liquidations",
        (
            "position", "owner", "window", "liquidator", "side", "qty_e6", "price_e6", "mark_e6", "collateral_e6",
            "gain_e6", "loss_e6", "bad_debt_e6", "fee_e6", "reward_e6", "returned_e6", "sample_index",
        ),
    ),
    "PositionSettled": (
        "settlements",
        (
            "position", "owner", "window", "side", "qty_e6", "entry_cost_e6", "collateral_e6", "reserved_e6",
            "settlement_e6", "payout_e6", "gain_e6", "loss_e6", "bad_debt_e6", "fees_returned_e6",
        ),
    ),
    "WindowFinalised": (
        "window_results",
        ("window", "window_id", "state", "settlement_e6", "area", "left_out_ms"),
    ),
    "LiquidityChanged": (
        "lp_changes",
        (
            "owner", "deposit", "amount_e6", "shares", "cash_before_e6", "cash_after_e6", "supply_before",
            "supply_after",
        ),
    ),
    "CollateralChanged": ("collateral_changes", ("margin", "owner", "deposit", "amount_e6", "free_e6")),
    "FeesDistributed": ("fee_distributions", ("window", "lp_e6", "insurance_e6", "protocol_e6")),
}  # fmt: skip

_ALIASES: Final = {"cash_before_e6": "cash_before", "cash_after_e6": "cash_after"}

ACCOUNTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "Exchange": ("exchanges", ("creator", "authority", "operator", "pause")),
    "Pool": ("pools", ("exchange", "cash_e6", "reserved_e6")),
    "Market": ("markets", ("exchange", "feed", "reserved_e6")),
    "Window": (
        "windows",
        (
            "market", "window_id", "state", "k_e6", "w_ms", "oi_long_e6", "oi_short_e6", "reserved_e6",
            "settlement_e6", "open_positions",
        ),
    ),
    "Position": (
        "positions",
        ("owner", "margin", "window", "side", "qty_e6", "entry_cost_e6", "collateral_e6", "reserved_e6"),
    ),
    "Margin": ("margins", ("owner", "free_e6")),
    "Treasury": ("treasuries", ("kind",)),
    "Proposal": ("treasuries", ("kind",)),
}  # fmt: skip
"""Accounts that are mirrored; orders live in events, feeds have a module of their own."""


def event_values(row: EventRow) -> tuple[str, dict[str, Any]] | None:
    """Table and values of an event's own columns; None for an event that only `chain_events` keeps.

    Raises KeyError when the event lacks a column: the program is of another version than the tables.
    """
    found = EVENTS.get(row.name)
    if found is None:
        return None
    table, columns = found
    values = {name: row.body[name] if name in row.body else row.body[_ALIASES[name]] for name in columns}
    if "deposit" in values:
        values["deposit"] = bool(values["deposit"])
    return table, values


def account_values(decoded: Any) -> tuple[str, dict[str, Any]] | None:
    """Table and values of a decoded account, its whole body included; None for one that is not mirrored."""
    kind = type(decoded).__name__
    found = ACCOUNTS.get(kind)
    if found is None:
        return None
    table, columns = found
    body: Mapping[str, Any] = body_of(decoded)
    values: dict[str, Any] = {name: body[name] for name in columns if name != "kind"}
    if "kind" in columns:
        values["kind"] = kind.lower()
    return table, {**values, "body": dict(body)}

"""The report on the terminal, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def usdc(value_e6: int | None) -> str:
    """An amount with two decimals."""
    return "-" if value_e6 is None else f"{value_e6 / 1_000_000:,.2f}"


def print_summary(report: Mapping[str, Any], path: Path, console: Console | None = None) -> None:
    """Print the report; ``path`` is where it was written."""
    console = console or Console()
    match, score, samples, late = report["match"], report["score"], report["samples"], report["latency_ms"]
    console.rule(f"{match['home']} {score['home']} - {score['away']} {match['away']}")
    console.print(
        f"samples  {samples['due']} due, {samples['landed']} landed, {samples['missed']} missed, "
        f"{samples['revised']} corrections of the past marked revised"
    )
    console.print(
        f"latency  sample due to confirmed p50 {late['p50']} ms, p95 {late['p95']} ms; "
        f"event to confirmed p50 {late['event_p50']} ms, p95 {late['event_p95']} ms"
    )
    ends = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in report["order_ends"].items())
    console.print(f"orders   {ends}; {report['closes']} closed by their owner, {report['liquidations']} liquidations")
    fees = report["fees"]
    console.print(
        f"fees     {usdc(fees['charged_e6'])} charged: {usdc(fees['lp_e6'])} liquidity, "
        f"{usdc(fees['insurance_e6'])} insurance, {usdc(fees['protocol_e6'])} treasury"
    )
    table = Table("window", "state", "settlement", box=None, pad_edge=False)
    for window in report["windows"]:
        table.add_row(window["name"], window["state"], window["settlement"] or "-")
    console.print(table)
    table = Table("who", "what", "orders", "profit USDC", box=None, pad_edge=False)
    for trader in report["traders"]:
        table.add_row(trader["name"], trader["style"], str(trader["orders"]), usdc(trader["profit_e6"]))
    for provider in report["providers"]:
        table.add_row(provider["name"], "liquidity", "-", usdc(provider["profit_e6"]))
    console.print(table)
    table = Table("invariant", "", "left", "right", box=None, pad_edge=False)
    for name, check in report["invariants"].items():
        table.add_row(
            f"{name} {check['text']}", "ok" if check["ok"] else "FAILED", str(check["left"]), str(check["right"])
        )
    console.print(table)
    console.print(f"verify   .venv/bin/futstar verify --report {path}", soft_wrap=True)

"""Turns what happens into the terminal view's state: the shell between the run and `backend.demo.view`."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console

from backend.demo.loop import LoopStats, PublishedTick
from backend.demo.people import e6
from backend.demo.report import quantile
from backend.demo.stream import Stream
from backend.demo.view import EventLine, LineView, OrderLine, PoolLine, View, ViewState, WindowLine, open_view
from ingest.events import Event, Kind, MatchInfo
from ingest.timeline import Applied
from momentum.state import Reason
from oracle.core import KeeperCore

SHOWN = 8
_TOLD = {
    Kind.SHOT: "shot",
    Kind.CORNER: "corner",
    Kind.YELLOW: "yellow card",
    Kind.RED: "red card",
    Kind.PENALTY_AWARDED: "penalty",
    Kind.VAR_START: "VAR check",
    Kind.PERIOD_START: "kick-off",
    Kind.PERIOD_END: "whistle",
}


class Asked(Protocol):
    """What the screen needs of the options."""

    @property
    def speed(self) -> float | None:
        """Factor, None for max."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the run."""
        ...

    @property
    def port(self) -> int:
        """Port of the page."""
        ...

    @property
    def headless(self) -> bool:
        """No live screen."""
        ...


class Screen:
    """Collects events, orders and prices, and draws after each tick."""

    def __init__(self, asked: Asked, info: MatchInfo, names: Mapping[str, str]) -> None:
        self._asked, self._info, self._names = asked, info, names
        self._view: View = LineView(Console(), 10) if asked.headless else open_view()
        self._events: deque[EventLine] = deque(maxlen=SHOWN)
        self._history: list[int] = []
        self._half_tick: int | None = None
        self._markets: Sequence[Mapping[str, Any]] = ()
        self._revised = 0

    def close(self) -> None:
        """Leave the last picture."""
        self._view.close()

    def events(self, applied: Sequence[Applied]) -> None:
        """Tell what people on the pitch would tell."""
        for change in applied:
            if change.new is not None and change.old is None and change.new.kind in _TOLD:
                self._events.appendleft(self._line(change.new, ""))
            elif change.old is not None and change.new is None and change.old.kind in _TOLD:
                self._events.appendleft(self._line(change.old, " withdrawn"))

    def _line(self, event: Event, note: str) -> EventLine:
        what = "GOAL" if event.goal else _TOLD[event.kind]
        player = f" {event.player}" if event.player else ""
        return EventLine(
            clock=_clock(event.period, event.play_ms // 1000),
            side=str(event.side) if event.side else "",
            text=f"{what}{player}{note}",
            important=event.goal or event.kind in (Kind.RED, Kind.PENALTY_AWARDED, Kind.VAR_START),
        )

    def markets(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """The windows as `/v1/markets` showed them last."""
        self._markets = rows

    def tick(self, tick: PublishedTick, stats: LoopStats, core: KeeperCore, stream: Stream) -> None:
        """Draw the state after a sample."""
        sample = tick.sample
        self._history.append(sample.x_e6)
        if sample.period == 2 and self._half_tick is None:
            self._half_tick = len(self._history) - 1
        self._revised += bool(sample.flags & 2)
        latency = stats.due_to_confirmed_ms[-600:]
        home, away = core.score()
        suspended = bool(sample.flags & 1)
        state = ViewState(
            competition=self._info.competition,
            home=self._info.home.name,
            away=self._info.away.name,
            home_goals=home,
            away_goals=away,
            status="suspended" if suspended else "break" if sample.flags & 4 else "live",
            suspend_reason=Reason(sample.reason).name.lower().replace("_", " ") if suspended else "",
            period=sample.period,
            play_s=sample.second,
            history_e6=self._history,
            half_tick=self._half_tick,
            events=tuple(self._events),
            orders=tuple(self._orders(stream)),
            windows=tuple(self._windows()),
            pool=_pool(stream.pool),
            samples_due=stats.due,
            samples_landed=stats.landed,
            samples_missed=stats.missed,
            samples_revised=self._revised,
            latency_p50_ms=quantile(latency, 0.50),
            latency_p95_ms=quantile(latency, 0.95),
            fills=stream.ends["filled"],
            refunds=stream.ends.total() - stream.ends["filled"],
            liquidations=stream.counts["liquidation"],
            speed="max" if self._asked.speed is None else f"{self._asked.speed:g}x",
            seed=self._asked.seed,
            url=f"http://127.0.0.1:{self._asked.port}",
        )
        self._view.update(state)

    def _orders(self, stream: Stream) -> list[OrderLine]:
        rows = [
            r
            for kind in ("trade", "liquidation", "settlement")
            for r in list(stream.rows.get(kind, {}).values())[-SHOWN:]
        ]
        rows.sort(key=lambda row: row["slot"], reverse=True)
        lines = []
        for row in rows[:SHOWN]:
            kind = str(row["kind"])
            if kind == "trade":
                kind = "fill" if row["reason"] == "filled" else "refund"
            price = row.get("price") or row.get("settlement")
            lines.append(
                OrderLine(
                    clock=_clock(row["period"], row["play_ms"] // 1000) if row.get("period") and row["play_ms"] else "",
                    trader=self._names.get(row["owner"], row["owner"][:6]),
                    kind=kind,
                    side=row["side"],
                    window=row["window"] or "",
                    qty_e6=e6(row["qty"]),
                    price_e6=e6(price) if price else None,
                    note=str(row.get("reason", "")).replace("_", " ") if kind == "refund" else "",
                )
            )
        return lines

    def _windows(self) -> list[WindowLine]:
        return [
            WindowLine(
                name=m["name"],
                state=m["state"],
                length_s=m["end_s"] - m["start_s"],
                left_s=((m["left_ms"] or 0) + (m["lead_ms"] or 0)) // 1000,
                mark_e6=e6(m["mark"]) if m["mark"] else None,
                oi_long_e6=e6(m["oi_long"]),
                oi_short_e6=e6(m["oi_short"]),
                settlement_e6=e6(m["settlement"]) if m["settlement"] else None,
            )
            for m in self._markets
        ]


def _pool(row: Mapping[str, Any] | None) -> PoolLine | None:
    if row is None:
        return None
    return PoolLine(
        cash_e6=e6(row["cash"]),
        reserved_e6=e6(row["reserved"]),
        margin_e6=e6(row["margin"]),
        position_collateral_e6=e6(row["position_collateral"]),
        fees_e6=e6(row["fee_escrow"]),
    )


def _clock(period: int, play_s: int) -> str:
    base_min, added_s = (45 if period == 2 else 0), play_s - 2_700
    if added_s >= 0:
        return f"{base_min + 45}+{added_s // 60}:{added_s % 60:02d}"
    return f"{base_min + play_s // 60:02d}:{play_s % 60:02d}"

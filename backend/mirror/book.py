"""The newest state of feeds, markets and windows in memory, so that every tick can price every window. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backend.mirror.feeds import FeedProgress, feed_values
from backend.mirror.records import body_of
from backend.mirror.store import AccountChange, FeedChange
from backend.trading.quotes import Quote, quote
from backend.views import window_view
from chain.clients import market
from chain.clients.oracle import Feed

STEP_E6 = 5_000
"""A price is told again when it has moved by half a hundredth of a point: what a screen can show."""
PRICE_FIELDS = (
    "address", "match_id", "name", "mark", "bid", "ask", "half_spread", "conf", "left_ms", "lead_ms",
    "maintenance_margin", "tradable", "tick",
)  # fmt: skip
"""What is told of a window of which only the price has moved."""
Row = Mapping[str, Any]


class Book:
    """What the mirror knows of prices."""

    def __init__(self) -> None:
        self._paused: dict[str, bool] = {}
        self._markets: dict[str, market.Market] = {}
        self._windows: dict[str, dict[str, Any]] = {}
        self._feeds: dict[str, dict[str, Any]] = {}
        self._samples: dict[str, dict[str, Any]] = {}
        self._told: dict[str, tuple[Any, ...]] = {}
        self.progress: dict[str, FeedProgress] = {}

    def account(self, change: AccountChange) -> str | None:
        """Take a new account state; return the window's address when it is one."""
        decoded = change.decoded
        if isinstance(decoded, market.Exchange):
            self._paused[change.address] = decoded.pause != 0
        elif isinstance(decoded, market.Market):
            self._markets[change.address] = decoded
        elif isinstance(decoded, market.Window):
            body = body_of(decoded)
            self._windows[change.address] = {**body, "body": body, "address": change.address, "slot": change.slot}
            self._told.pop(change.address, None)
            return change.address
        return None

    def feed(self, change: FeedChange) -> None:
        """Take a new feed state."""
        self._feeds[change.address] = feed_values(change.feed)
        if change.samples:
            newest = change.samples[-1]
            self._samples[change.address] = {
                name: getattr(newest, name) for name in ("tick", "area", "x_e6", "mu_e6", "s_e4", "conf_e4")
            }

    def differs(self, address: str, feed: Feed) -> bool:
        """Whether something besides the publishers' quotes changed."""
        known = self._feeds.get(address)
        names = ("samples", "tick", "status", "period", "suspend_epoch", "left_out_ms")
        return known is None or any(known[name] != getattr(feed, name) for name in names)

    def feed_of(self, window: str) -> str | None:
        """The feed a window settles on."""
        known = self._windows.get(window)
        return None if known is None else str(known["feed"])

    def price(self, window: str) -> Quote | None:
        """The price of a window at the newest sample."""
        known = self._windows[window]
        feed, sample = self._feeds.get(known["feed"]), self._samples.get(known["feed"])
        if feed is None or sample is None:
            return None
        return quote(feed, sample, known, paused=self._paused.get(known["exchange"], False))

    def news(
        self, feeds: Iterable[str], windows: Iterable[str], matches: Mapping[str, str]
    ) -> list[tuple[str, dict[str, Any]]]:
        """(feed, document) of windows to tell: changed ones whole, of those whose price moved only the price."""
        wanted, changed = set(feeds), set(windows)
        found = []
        for address, known in sorted(self._windows.items(), key=lambda item: (item[1]["feed"], item[1]["window_id"])):
            if address not in changed and known["feed"] not in wanted:
                continue
            price = self.price(address)
            told = _rounded(price)
            if address not in changed and self._told.get(address) == told:
                continue
            self._told[address] = told
            sample = self._samples.get(known["feed"])
            row = {**known, "match_id": matches.get(known["feed"]), "tick": sample["tick"] if sample else None}
            document = window_view(row, price)
            if address not in changed:
                document = {name: document[name] for name in PRICE_FIELDS}
            found.append((known["feed"], document))
        return found

    def feeds_of_exchange(self, exchange: str) -> list[str]:
        """Feeds with a market on an exchange."""
        return sorted(str(item.feed) for item in self._markets.values() if str(item.exchange) == exchange)


def _rounded(price: Quote | None) -> tuple[Any, ...]:
    if price is None:
        return ()
    values = (price.mark_e6, price.bid_e6, price.ask_e6)
    return (*(round(value / STEP_E6) for value in values), price.tradable, price.maintenance_margin_e6)

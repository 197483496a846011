"""The demo's people at work: strategies behind wallets, through the public API and nothing else."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from solders.keypair import Keypair

from backend.demo.strategies import Holding, Intent, Strategy, View, Whale, WindowView, foreseen
from backend.demo.wallet import Answer, Wallet

USDC = 1_000_000
STAKE_USDC = 20_000
EXPIRY_MS = 30_000


def e6(text: str | None) -> int:
    """A decimal of the API in 1e-6 units; 0 for null."""
    return 0 if text is None else int(Decimal(text) * 1_000_000)


def plain(value_e6: int) -> str:
    """An amount in 1e-6 units as the API wants it."""
    return format(Decimal(value_e6) / 1_000_000, "f")


@dataclass
class Book:
    """What a person did and was told: counts by outcome of the API, not of the chain."""

    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Person:
    """A trader: a strategy, a wallet and a source of chance of its own."""

    def __init__(self, http: httpx.AsyncClient, key: Keypair, strategy: Strategy, seed: int) -> None:
        self.strategy = strategy
        self.wallet = Wallet(http, key)
        self.book = Book()
        self._rng = random.Random(f"{seed} {strategy.name}")
        self._client_id = 0

    @property
    def name(self) -> str:
        """What the report calls the person."""
        return self.strategy.name

    async def join(self, stake_usdc: int = STAKE_USDC) -> None:
        """Open a margin account and put test USDC into it."""
        _must(await self.wallet.do("create_margin", {}), self.name)
        _must(await self.wallet.do("deposit_collateral", {"amount": str(stake_usdc)}), self.name)

    async def leave(self) -> None:
        """Take everything out of the margin account."""
        account = await self.wallet.get(f"/v1/accounts/{self.wallet.address}")
        free = account["margin"]["free"] if account.get("margin") else "0"
        if e6(free):
            _must(await self.wallet.do("withdraw_collateral", {"amount": free}), self.name)

    def due(self, play_s: int, foresight: Mapping[int, str]) -> bool:
        """Whether the person looks at the market at this second."""
        if self.strategy.every_s == 1:  # a courtsider acts on what it saw, and only then
            return any(foreseen(at_s, play_s) for at_s in foresight)
        return play_s % self.strategy.every_s == 0

    async def act(self, play_s: int, x_e6: int, windows: Sequence[WindowView], foresight: Mapping[int, str]) -> None:
        """Look at one's own positions and orders, decide, sign."""
        owner = str(self.wallet.address)
        account = await self.wallet.get(f"/v1/accounts/{owner}")
        view = View(
            play_s=play_s,
            x_e6=x_e6,
            windows=windows,
            holdings={p["window_address"]: Holding(p["side"], e6(p["qty"])) for p in account["positions"]},
            pending=frozenset(o["window_address"] for o in account["orders"]),
            foresight=foresight,
        )
        for intent in self.strategy.decide(view, self._rng):
            await self._order(intent)

    async def _order(self, intent: Intent) -> None:
        self._client_id += 1
        params: dict[str, Any] = {
            "window": intent.window,
            "side": intent.side,
            "qty": plain(intent.qty_e6),
            "limit": plain(intent.limit_e6),
            "collateral": plain(intent.qty_e6 * intent.margin_e6 // 1_000_000),
            "reduce_only": intent.reduce_only,
            "client_id": str(self._client_id),
            "expiry_ms": EXPIRY_MS,
        }
        answer = await self.wallet.do("submit_order", params)
        if not answer.ok and isinstance(self.strategy, Whale):
            # Refused by the simulation; it insists, and the program refuses for good.
            answer = await self.wallet.do("submit_order", params, insist=True)
        self.book.sent += answer.ok
        if not answer.ok:
            self.book.refused[answer.code] += 1


class Provider:
    """A liquidity provider: deposits before kick-off, withdraws after the last settlement."""

    def __init__(self, http: httpx.AsyncClient, key: Keypair, name: str, usdc: int) -> None:
        self.name = name
        self.usdc = usdc
        self.wallet = Wallet(http, key)

    async def join(self) -> None:
        """Deposit everything."""
        params = {"amount": str(self.usdc), "min_shares": "0"}
        _must(await self.wallet.do("deposit_liquidity", params), self.name)

    async def leave(self) -> None:
        """Redeem all shares."""
        account = await self.wallet.get(f"/v1/accounts/{self.wallet.address}")
        if e6(account["shares"]):
            _must(
                await self.wallet.do("withdraw_liquidity", {"shares": account["shares"], "min_amount": "0"}), self.name
            )


def _must(answer: Answer, who: str) -> None:
    if not answer.ok:
        raise RuntimeError(f"{who} was refused: {answer.code}: {answer.detail}")


def windows_of(markets: Sequence[Mapping[str, Any]]) -> list[WindowView]:
    """The open, priced windows of `/v1/markets`."""
    return [
        WindowView(m["address"], m["name"], m["start_s"], m["end_s"], e6(m["mark"]))
        for m in markets
        if m["state"] == "open" and m["mark"] is not None
    ]


def foresight_of(goals: Sequence[tuple[int, int, str]], base_s: Mapping[int, int]) -> dict[int, str]:
    """Seconds of nominal play by the side they favour, from (period, second, side) of goals and penalty awards."""
    return {base_s[period] + second: side for period, second, side in goals if period in base_s}

"""What liquidity providers do with a venue's pool: requests, their execution and cancellation, marks."""

from __future__ import annotations

from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.programs.market_base import Founded, Trader, events


class Pooled(Founded):
    """A founded venue whose liquidity providers come and go."""

    def add_liquidity(self, trader: Trader, amount: int, minimum: int = 0) -> m.LiquidityChanged:
        """Deposit into the pool: request and execution in one transaction."""
        return self._at_once(trader, self.ix_request_deposit(trader, amount, minimum), trader.shares)

    def remove_liquidity(self, trader: Trader, shares: int, minimum: int = 0) -> m.LiquidityChanged:
        """Burn pool shares: request and execution in one transaction."""
        return self._at_once(trader, self.ix_request_withdrawal(trader, shares, minimum), trader.tokens)

    def _at_once(self, trader: Trader, asked: Instruction, destination: Pubkey) -> m.LiquidityChanged:
        request = pda.lp_request(self.pool, trader.key.pubkey(), trader.next_request)
        done = self.ix_execute_request(request, destination, trader.key.pubkey(), trader.key.pubkey())
        found = events(self.chain.send([asked, done], trader.key))
        trader.next_request += 1
        event: m.LiquidityChanged = found[-1]
        return event

    def ix_request_deposit(self, trader: Trader, amount: int, minimum: int = 0, **changes: Any) -> Instruction:
        """Return the request for a deposit of liquidity."""
        fields: dict[str, Any] = {
            "owner": trader.key.pubkey(),
            "payer": trader.key.pubkey(),
            "exchange": self.exchange,
            "pool": self.pool,
            "vault": self.vault,
            "source": trader.tokens,
            "destination": trader.shares,
            "id": trader.next_request,
            "amount_e6": amount,
            "min_shares": minimum,
        }
        return m.ix_request_deposit(**(fields | changes))

    def ix_request_withdrawal(self, trader: Trader, shares: int, minimum: int = 0, **changes: Any) -> Instruction:
        """Return the request for a withdrawal of liquidity."""
        fields: dict[str, Any] = {
            "owner": trader.key.pubkey(),
            "payer": trader.key.pubkey(),
            "exchange": self.exchange,
            "pool": self.pool,
            "source": trader.shares,
            "destination": trader.tokens,
            "id": trader.next_request,
            "shares": shares,
            "min_amount_e6": minimum,
        }
        return m.ix_request_withdrawal(**(fields | changes))

    def request(self, trader: Trader, asked: Instruction) -> Pubkey:
        """Send a request made with the trader's next number; return its address."""
        self.chain.send(asked, trader.key)
        address = pda.lp_request(self.pool, trader.key.pubkey(), trader.next_request)
        trader.next_request += 1
        self.requests.add(address)
        return address

    def ix_execute_request(
        self, request: Pubkey, destination: Pubkey, rent_payer: Pubkey, executor: Pubkey
    ) -> Instruction:
        """Return the instruction that carries a request out."""
        return m.ix_execute_request(
            executor=executor,
            exchange=self.exchange,
            pool=self.pool,
            vault=self.vault,
            lp_mint=self.lp_mint,
            destination=destination,
            request=request,
            rent_payer=rent_payer,
        )

    def execute(self, request: Pubkey, key: Keypair | None = None) -> m.LiquidityChanged:
        """Carry a request out; anybody may."""
        signer = key or self.chain.payer
        wish = m.LpRequest.from_account(self.chain.data(request))
        ix = self.ix_execute_request(request, wish.destination, wish.rent_payer, signer.pubkey())
        event: m.LiquidityChanged = events(self.chain.send(ix, signer))[0]
        if not event.held:
            self.requests.discard(request)
        return event

    def cancel_request(
        self, trader: Trader, request: Pubkey, key: Keypair | None = None, **changes: Any
    ) -> m.LiquidityCancelled:
        """Take back what the trader's request holds, or let the holder of `key` end it."""
        wish = m.LpRequest.from_account(self.chain.data(request))
        fields: dict[str, Any] = {
            "signer": (key or trader.key).pubkey(),
            "exchange": self.exchange,
            "pool": self.pool,
            "vault": self.vault,
            "destination": trader.shares if wish.kind else trader.tokens,
            "request": request,
            "rent_payer": wish.rent_payer,
        }
        ix = m.ix_cancel_request(**(fields | changes))
        event: m.LiquidityCancelled = events(self.chain.send(ix, key or trader.key))[0]
        self.requests.discard(request)
        return event

    def ix_mark(self, window: Pubkey) -> Instruction:
        """Return the instruction that marks a window."""
        return m.ix_mark_window(exchange=self.exchange, pool=self.pool, window=window, feed=self.feed)

    def mark(self, *windows: Pubkey) -> None:
        """Mark windows in one transaction, in a slot of its own."""
        self.chain.clock(self.chain.unix_s)
        self.chain.send([self.ix_mark(window) for window in windows])

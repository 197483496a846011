"""A whole venue on a chain in this process: the match, the people, their trades. Times are match seconds."""

from __future__ import annotations

from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from tests.programs.market_base import (
    ANY_HIGH,
    ANY_LOW,
    BIAS,
    HALF_TIME_S,
    LONG,
    MARKET,
    PARAMS,
    REDUCE_ONLY,
    SHORT,
    USDC,
    Trader,
    events,
    token_account,
)
from tests.programs.market_pool import Pooled
from tests.programs.svm import START_UNIX_S

__all__ = ["ANY_HIGH", "ANY_LOW", "LONG", "PARAMS", "REDUCE_ONLY", "SHORT", "USDC", "Trader", "Venue", "events"]


class Venue(Pooled):
    """Everything a test of the market needs."""

    # --- the match -------------------------------------------------------------------------------------------------

    def tick(self, play_s: int, x: float = 50.0, *, period: int = 1, flags: int = 0, **fields: int) -> int:
        """Push the sample of `play_s` (in its period), clock on its data time; return its compute units."""
        if "data_ms" in fields:
            data_ms = fields.pop("data_ms")
        else:
            data_ms = (play_s + (period - 1) * (2700 + HALF_TIME_S)) * 1000
        self.last_tick += 1
        self.now_s = data_ms // 1000
        self.at(max(self.now_s, self.chain.unix_s - START_UNIX_S))
        x_e6 = round(x * 1e6)
        values: dict[str, Any] = {
            "tick": self.last_tick,
            "data_ms": data_ms,
            "play_ms": play_s * 1000,
            "period": period,
            "flags": flags,
            "suspend_reason": flags & 1,
            "_pad": 0,
            "x_e6": x_e6,
            "mu_e6": x_e6,
            "s_e4": BIAS,
            "conf_e4": 0,
            "inputs_hash": bytes(32),
        }
        quote = oracle.Quote(**(values | fields))
        ix = oracle.ix_push_quote(publisher=self.publisher.pubkey(), feed=self.feed, quote=quote)
        return self.chain.cu(ix, self.publisher)

    def play(self, from_s: int, to_s: int, x: float = 50.0, *, step_s: int = 30, period: int = 1) -> None:
        """Push quiet samples up to and including `to_s`."""
        for second in range(from_s, to_s, step_s):
            self.tick(second, x, period=period)
        self.tick(to_s, x, period=period)

    def at(self, second: int) -> None:
        """Set the clock to `second` of the match and go to the next slot."""
        self.chain.clock(START_UNIX_S + second)

    def open_window(self, window_id: int, k: int = 1_000) -> Pubkey:
        """Open a window that moves one point per `k` contracts."""
        ix = m.ix_open_window(
            operator=self.operator.pubkey(),
            payer=self.chain.payer.pubkey(),
            exchange=self.exchange,
            market=self.market,
            feed=self.feed,
            window=pda.window(self.market, window_id),
            window_id=window_id,
            k_e6=k * USDC,
        )
        self.chain.send(ix, self.operator)
        self.windows[window_id] = pda.window(self.market, window_id)
        return self.windows[window_id]

    # --- people ----------------------------------------------------------------------------------------------------

    def trader(self, wallet_usdc: int = 10_000, deposit_usdc: int = 0) -> Trader:
        """Create a trader with tokens and a margin account, and deposit."""
        key = self.chain.wallet()
        tokens, shares = Pubkey.new_unique(), Pubkey.new_unique()
        self.chain.svm.set_account(tokens, token_account(self.mint, key.pubkey(), wallet_usdc * USDC))
        self.chain.svm.set_account(shares, token_account(self.lp_mint, key.pubkey()))
        margin = pda.margin(self.exchange, key.pubkey())
        ix = m.ix_create_margin(owner=key.pubkey(), payer=self.chain.payer.pubkey(), exchange=self.exchange)
        self.chain.send(ix)
        trader = Trader(key, tokens, shares, margin)
        self.traders.append(trader)
        if deposit_usdc:
            self.deposit(trader, deposit_usdc * USDC)
        return trader

    def deposit(self, trader: Trader, amount: int) -> list[Any]:
        """Move tokens into the margin account."""
        ix = m.ix_deposit_collateral(
            depositor=trader.key.pubkey(),
            exchange=self.exchange,
            pool=self.pool,
            margin=trader.margin,
            vault=self.vault,
            source=trader.tokens,
            amount_e6=amount,
        )
        return events(self.chain.send(ix, trader.key))

    def withdraw(self, trader: Trader, amount: int) -> list[Any]:
        """Move free margin to the wallet."""
        ix = m.ix_withdraw_collateral(
            owner=trader.key.pubkey(),
            exchange=self.exchange,
            pool=self.pool,
            margin=trader.margin,
            vault=self.vault,
            destination=trader.tokens,
            amount_e6=amount,
        )
        return events(self.chain.send(ix, trader.key))

    # --- who may trade ---------------------------------------------------------------------------------------------

    def session(
        self, trader: Trader, delegate: Pubkey, *, seconds: int = 3_600, qty: float = 10, budget: int = 100
    ) -> Pubkey:
        """Let a delegate trade; return the session's address."""
        ix = m.ix_create_session(
            owner=trader.key.pubkey(),
            payer=self.chain.payer.pubkey(),
            delegate=delegate,
            margin=trader.margin,
            expires_unix=self.chain.unix_s + seconds,
            max_qty_e6=round(qty * USDC),
            budget_e6=budget * USDC,
        )
        self.chain.send(ix, trader.key)
        return pda.session(trader.margin, delegate)

    def set_attestor(self, attestor: Pubkey) -> None:
        """Let orders that open need an attestation of `attestor`."""
        ix = m.ix_set_attestor(authority=self.authority.pubkey(), exchange=self.exchange, attestor=attestor)
        self.chain.send(ix, self.authority)

    def attest(self, attestor: Keypair, owner: Pubkey, seconds: int = 3_600) -> Pubkey:
        """Attest an owner; return the attestation's address."""
        ix = m.ix_attest(
            attestor=attestor.pubkey(),
            payer=self.chain.payer.pubkey(),
            owner=owner,
            exchange=self.exchange,
            expires_unix=self.chain.unix_s + seconds,
        )
        self.chain.send(ix, attestor)
        return pda.attestation(self.exchange, owner)

    # --- trading ---------------------------------------------------------------------------------------------------

    def ix_submit(self, trader: Trader, window: Pubkey, side: int, qty: float, **changes: Any) -> Instruction:
        """Return an order with plenty of collateral and no limit."""
        qty_e6 = round(qty * USDC)
        fields: dict[str, Any] = {
            "owner": trader.key.pubkey(),
            "payer": trader.key.pubkey(),
            "exchange": self.exchange,
            "pool": self.pool,
            "window": window,
            "feed": self.feed,
            "margin": trader.margin,
            "client_id": trader.next_id,
            "side": side,
            "flags": 0,
            "qty_e6": qty_e6,
            "limit_e6": ANY_HIGH if side == LONG else ANY_LOW,
            "collateral_e6": qty_e6 * 15,
            "expiry_ms": 0,
            "kind": MARKET,
            "trigger_e6": 0,
        } | changes
        if fields["flags"] & REDUCE_ONLY and "collateral_e6" not in changes:
            fields["collateral_e6"] = 0
        return m.ix_submit_order(**fields)

    def submit(self, trader: Trader, window: Pubkey, side: int, qty: float, **changes: Any) -> int:
        """Commit an order in a slot of its own; return its client id."""
        client_id: int = changes.get("client_id", trader.next_id)
        self.chain.clock(self.chain.unix_s)
        self.chain.send(self.ix_submit(trader, window, side, qty, **changes), trader.key)
        trader.next_id = client_id + 1
        self.orders.add(pda.order(trader.margin, client_id))
        return client_id

    def ripe_index(self, order: m.Order) -> int:
        """Return the number of the order's determined sample, or of the next one that will come."""
        feed = self.get_feed()
        for index in range(max(0, feed.samples - 512, order.commit_samples), feed.samples):
            if feed.start_unix_ms + int(feed.ring[index % 512]["data_ms"]) >= order.commit_ms + order.delay_ms:
                return index
        return feed.samples

    def ix_crank(self, address: Pubkey, order: m.Order, cranker: Pubkey, index: int) -> Instruction:
        """Return the instruction that ends an order."""
        return m.ix_crank_order(
            cranker=cranker,
            exchange=self.exchange,
            pool=self.pool,
            market=self.market,
            window=order.window,
            feed=self.feed,
            margin=order.margin,
            position=order.position,
            order=address,
            rent_payer=order.rent_payer,
            sample_index=index,
        )

    def crank(
        self, trader: Trader, client_id: int, index: int | None = None, cranker: Keypair | None = None
    ) -> m.OrderEnded:
        """End an order at its determined sample."""
        key = cranker or self.chain.payer
        address = pda.order(trader.margin, client_id)
        order = m.Order.from_account(self.chain.data(address))
        index = self.ripe_index(order) if index is None else index
        meta = self.chain.send(self.ix_crank(address, order, key.pubkey(), index), key)
        self.orders.discard(address)
        event: m.OrderEnded = events(meta)[0]
        return event

    def trade(
        self, trader: Trader, window: Pubkey, side: int, qty: float, *, x: float = 50.0, **c: Any
    ) -> m.OrderEnded:
        """Commit an order, let 7 s of the first half pass, and end it."""
        client_id = self.submit(trader, window, side, qty, **c)
        self.tick(self.now_s + 7, x)
        return self.crank(trader, client_id)

    def ix_cancel(self, trader: Trader, client_id: int, owner: Pubkey, session: Pubkey | None = None) -> Instruction:
        """Return the instruction that asks for a resting order's end."""
        address = pda.order(trader.margin, client_id)
        order = m.Order.from_account(self.chain.data(address))
        return m.ix_cancel_order(
            owner=owner, margin=trader.margin, window=order.window, feed=self.feed, order=address, session=session
        )

    def cancel(self, trader: Trader, client_id: int) -> m.OrderCancelRequested:
        """Ask for a resting order's end."""
        meta = self.chain.send(self.ix_cancel(trader, client_id, trader.key.pubkey()), trader.key)
        event: m.OrderCancelRequested = events(meta)[0]
        return event

    def liquidate(self, trader: Trader, window: Pubkey, liquidator: Trader) -> m.PositionLiquidated:
        """Liquidate a position."""
        ix = m.ix_liquidate(
            liquidator=liquidator.key.pubkey(),
            liquidator_margin=liquidator.margin,
            exchange=self.exchange,
            pool=self.pool,
            market=self.market,
            window=window,
            feed=self.feed,
            margin=trader.margin,
            position=pda.position(trader.margin, window),
        )
        event: m.PositionLiquidated = events(self.chain.send(ix, liquidator.key))[0]
        return event

    def finalise(self, window: Pubkey) -> m.WindowFinalised:
        """Fix the settlement of a window."""
        ix = m.ix_finalise_window(exchange=self.exchange, window=window, feed=self.feed)
        event: m.WindowFinalised = events(self.chain.send(ix))[0]
        return event

    def settle(self, trader: Trader, window: Pubkey) -> m.PositionSettled:
        """Pay out a position and close its account."""
        address = pda.position(trader.margin, window)
        ix = m.ix_settle_position(
            exchange=self.exchange,
            pool=self.pool,
            market=self.market,
            window=window,
            margin=trader.margin,
            position=address,
            rent_payer=m.Position.from_account(self.chain.data(address)).rent_payer,
        )
        event: m.PositionSettled = events(self.chain.send(ix))[0]
        return event

    def distribute(self, window: Pubkey) -> m.FeesDistributed:
        """Split a window's fees."""
        ix = m.ix_distribute_fees(
            exchange=self.exchange,
            pool=self.pool,
            window=window,
            lp_mint=self.lp_mint,
        )
        event: m.FeesDistributed = events(self.chain.send(ix))[0]
        return event

    def collect(self) -> m.ProtocolFeesCollected:
        """Pay the treasury its part of the fees."""
        ix = m.ix_collect_protocol_fees(
            exchange=self.exchange, pool=self.pool, vault=self.vault, treasury_vault=self.treasury
        )
        event: m.ProtocolFeesCollected = events(self.chain.send(ix))[0]
        return event

    def pause(self, level: int, key: Keypair | None = None) -> None:
        """Set the pause level."""
        signer = key or self.authority
        self.chain.send(m.ix_set_pause(signer=signer.pubkey(), exchange=self.exchange, level=level), signer)

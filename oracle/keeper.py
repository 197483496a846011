"""The cranker's shell: ends ripe orders, liquidates, finalises and settles windows, splits fees.

Anyone may run it; it needs a key with lamports and, for liquidation rewards, a margin account of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import base58, pda
from chain.clients import market as client
from chain.clients import oracle as oracle_client
from chain.rpc import RpcPool
from momentum import pricing
from oracle.books import Books, read_books
from oracle.courier import Courier
from oracle.cranker import FeedView, PendingOrder, PlayState, ripe
from oracle.windows import FeedState, SampleLike, forward_e6

CRANK_UNITS = 60_000
MAX_SAMPLE_AGE_MS = 5_000
OPEN, FINAL, VOID = 0, 1, 2
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")


@dataclass
class CrankStats:
    """What was done, by kind, and what the program refused, by error."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Cranker:
    """One keeper for one exchange and one feed. Call `step` after each sample; it returns the books it saw."""

    def __init__(self, rpc: RpcPool, exchange: Pubkey, feed: Pubkey, key: Keypair, now_ms: Callable[[], int]) -> None:
        self.stats = CrankStats()
        self._rpc = rpc
        self._exchange = exchange
        self._feed = feed
        self._key = key
        self.now_ms = now_ms
        self._signatures: list[str] = []
        self._margin = pda.margin(exchange, key.pubkey())
        self._courier = Courier(rpc, CRANK_UNITS)

    async def orders_waiting(self) -> bool:
        """Whether any order is pending: one small request, so that a quiet second costs next to nothing."""
        filters = [{"memcmp": {"offset": 0, "bytes": base58.encode(client.Order.DISCRIMINATOR)}}]
        return bool(await self._rpc.program_accounts(client.PROGRAM_ID, filters))

    async def step(self) -> Books:
        """Do everything that is due now."""
        books = await read_books(self._rpc, self._exchange)
        account = await self._rpc.account(self._feed)
        if account is None:
            raise LookupError(f"feed {self._feed} does not exist: create it first")
        feed = oracle_client.Feed.from_account(account.data)
        due = [
            *self._orders(books, feed, account.slot),
            *self._liquidations(books, feed),
            *self._windows(books, feed),
        ]
        for kind, instruction in due:
            await self._send(kind, instruction)
        return await read_books(self._rpc, self._exchange) if due else books

    def _orders(self, books: Books, feed: oracle_client.Feed, slot: int) -> list[tuple[str, Instruction]]:
        view = FeedView.of(feed.start_unix_ms, feed.samples, feed.ring["data_ms"])
        pending = {
            str(address): order
            for address, order in books.orders.items()
            if books.windows[order.window].feed == self._feed
        }
        waiting = [PendingOrder(a, o.commit_ms, o.expiry_ms, o.commit_slot) for a, o in pending.items()]
        result = []
        for crank in ripe(waiting, view, books.exchange.delay_ms, self.now_ms(), slot):
            order = pending[crank.order]
            instruction = client.ix_crank_order(
                cranker=self._key.pubkey(),
                exchange=self._exchange,
                pool=books.exchange.pool,
                market=books.windows[order.window].market,
                window=order.window,
                feed=self._feed,
                margin=order.margin,
                position=order.position,
                order=Pubkey.from_string(crank.order),
                rent_payer=order.rent_payer,
                sample_index=crank.sample_index,
            )
            result.append(("order", instruction))
        return result

    def _liquidations(self, books: Books, feed: oracle_client.Feed) -> list[tuple[str, Instruction]]:
        if not feed.samples or feed.suspend_epoch % 2 or feed.in_break:
            return []
        if self.now_ms() - feed.start_unix_ms - feed.data_ms > MAX_SAMPLE_AGE_MS:
            return []
        result = []
        for address, position in sorted(books.positions.items(), key=lambda item: str(item[0])):
            window = books.windows[position.window]
            if position.qty_e6 == 0 or window.state != OPEN or window.feed != self._feed:
                continue
            if not below_maintenance(window, position, feed):
                continue
            instruction = client.ix_liquidate(
                liquidator=self._key.pubkey(),
                liquidator_margin=self._margin,
                exchange=self._exchange,
                pool=books.exchange.pool,
                market=window.market,
                window=position.window,
                feed=self._feed,
                margin=position.margin,
                position=address,
            )
            result.append(("liquidation", instruction))
        return result

    def _windows(self, books: Books, feed: oracle_client.Feed) -> list[tuple[str, Instruction]]:
        start_ms = feed.periods[feed.period - 1].start_play_ms if feed.period else 0
        play = PlayState(feed.period, bool(feed.in_break), feed.play_ms - start_ms)
        now_s = self.now_ms() // 1000
        result = []
        for address, window in sorted(books.windows.items(), key=lambda item: item[1].window_id):
            if window.feed != self._feed:
                continue
            if window.state == OPEN:
                if play.period and play.reached(window.end_ms):
                    result.append(
                        (
                            "finalise",
                            client.ix_finalise_window(exchange=self._exchange, window=address, feed=self._feed),
                        )
                    )
                continue
            if now_s * 1000 < window.dispute_until_ms or window.pending_orders:
                continue
            result += self._settle(books, address)
        return result

    def _settle(self, books: Books, address: Pubkey) -> list[tuple[str, Instruction]]:
        window = books.windows[address]
        open_here = sorted((a for a, p in books.positions.items() if p.window == address), key=str)
        result = []
        for at in open_here:
            position = books.positions[at]
            instruction = client.ix_settle_position(
                exchange=self._exchange,
                pool=books.exchange.pool,
                market=window.market,
                window=address,
                margin=position.margin,
                position=at,
                rent_payer=position.rent_payer,
            )
            result.append(("settle", instruction))
        if not open_here and not window.fees_done:
            instruction = client.ix_distribute_fees(
                exchange=self._exchange,
                pool=books.exchange.pool,
                window=address,
                vault=books.exchange.vault,
                treasury_vault=books.exchange.treasury_vault,
                lp_mint=books.exchange.lp_mint,
                token_program=TOKEN_PROGRAM,
            )
            result.append(("fees", instruction))
        return result

    def take_signatures(self) -> list[str]:
        """Transactions sent since the last call."""
        taken, self._signatures = self._signatures, []
        return taken

    async def _send(self, kind: str, instruction: Instruction) -> None:
        """Send it; whatever fails is planned again at the next step from fresh accounts."""
        (delivery,) = await self._courier.send([(self._key, instruction)], self.now_ms())
        if delivery.signature:
            self._signatures.append(delivery.signature)
        if delivery.error:
            self.stats.refused[f"{kind}: {delivery.error}"] += 1
        else:
            self.stats.done[kind] += 1


def below_maintenance(window: client.Window, position: client.Position, feed: oracle_client.Feed) -> bool:
    """Whether the position's equity at the newest sample's forward price is less than its maintenance margin."""
    newest = feed.ring[(feed.samples - 1) % len(feed.ring)]
    sample = SampleLike(*(int(newest[name]) for name in ("area", "x_e6", "mu_e6", "s_e4")))
    mark_e6, at, _ = forward_e6(FeedState.of(feed), sample, window.window_id)
    if at.left_ms == 0:
        return False
    pnl = pricing.pnl(pricing.Side(position.side), position.qty_e6, position.entry_cost_e6, mark_e6)
    least_e6 = pricing.margin_required(position.qty_e6, pricing.maintenance_margin(at.left_ms))
    return pnl.equity(position.collateral_e6) < least_e6

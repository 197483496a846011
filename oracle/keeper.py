"""The cranker's shell: ends ripe orders, liquidates, finalises and settles windows, moves liquidity, splits fees.

Anyone may run it; it needs a key with lamports and, for liquidation rewards, a margin account of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.instructions import get_associated_token_address

from chain import base58, pda
from chain.clients import market as client
from chain.clients import oracle as oracle_client
from chain.rpc import RpcPool
from momentum import pricing
from oracle.books import Books, read_books
from oracle.courier import Courier
from oracle.cranker import FeedView, PendingOrder, PlayState, ripe
from oracle.resting import MARKET, Samples, sample_to_crank
from oracle.windows import FeedState, SampleLike, forward_e6, parts_between

CRANK_UNITS = 80_000
MARKS_AT_ONCE = 9
"""Marks that fit into a transaction beside the execution of a request."""
REQUEST_LIFE_S = 28_800
"""A liquidity request that is older than this after its `ready_unix` can only be ended."""
END_REST_MS = 600_000
"""Who cannot be paid, the owner of a dead request or the treasury, is left alone this long."""
RESTING_REST_MS = 2_000
"""A resting order that was refused is left alone this long: a trigger lives for five seconds."""
REST_MS = 10_000
"""What waits and was refused, for a pause or a missing mark, is left alone this long."""
MAX_SAMPLE_AGE_MS = 5_000
OPEN, FINAL, VOID = 0, 1, 2


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
        self._rests_until: dict[Pubkey, int] = {}
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
        resting = self._resting(books, feed)
        for address, instruction in resting:
            if not await self._send("resting", instruction):
                self._rests_until[address] = self.now_ms() + RESTING_REST_MS
        due = [
            *self._orders(books, feed, account.slot),
            *self._liquidations(books, feed),
            *self._windows(books, feed),
        ]
        for kind, instruction in due:
            await self._send(kind, instruction)
        requests = [address for address, _ in self._waiting(books)]
        for address in requests:
            if self._over(books.requests[address]):
                if not await self._send("end", self._end(books, address)):
                    self._rests_until[address] = self.now_ms() + END_REST_MS
            elif not await self._execute(books, address):
                self._rests_until[address] = self.now_ms() + REST_MS
        if not (due or resting or requests):
            return books
        books = await read_books(self._rpc, self._exchange)
        return await self._collect(books) if books.pool.protocol_fees_e6 else books

    async def _collect(self, books: Books) -> Books:
        """Pay the treasury its fees; one that cannot be paid is left alone for a while and holds nothing up."""
        vault = books.exchange.treasury_vault
        if vault in self._rests_until:
            return books
        instruction = client.ix_collect_protocol_fees(
            exchange=self._exchange, pool=books.exchange.pool, vault=books.exchange.vault, treasury_vault=vault
        )
        if not await self._send("collect", instruction):
            self._rests_until[vault] = self.now_ms() + END_REST_MS
        return await read_books(self._rpc, self._exchange)

    def _orders(self, books: Books, feed: oracle_client.Feed, slot: int) -> list[tuple[str, Instruction]]:
        view = FeedView.of(feed.start_unix_ms, feed.samples, feed.ring["data_ms"])
        pending = {
            str(address): order
            for address, order in books.orders.items()
            if books.windows[order.window].feed == self._feed and order.kind == MARKET
        }
        waiting = [PendingOrder(a, o.commit_ms, o.delay_ms, o.expiry_ms, o.commit_slot) for a, o in pending.items()]
        result = []
        for crank in ripe(waiting, view, self.now_ms(), slot):
            order = pending[crank.order]
            address = Pubkey.from_string(crank.order)
            result.append(("order", self._crank(books, address, order, crank.sample_index)))
        return result

    def _resting(self, books: Books, feed: oracle_client.Feed) -> list[tuple[Pubkey, Instruction]]:
        """Orders that rest and can end now, by triggering or because they are over; oldest commit first."""
        samples, now_ms = Samples(feed), self.now_ms()
        self._rests_until = {at: until for at, until in self._rests_until.items() if until > now_ms}
        result = []
        for address, order in sorted(books.orders.items(), key=lambda item: (item[1].commit_ms, str(item[0]))):
            window = books.windows[order.window]
            if order.kind == MARKET or window.feed != self._feed or address in self._rests_until:
                continue
            index = sample_to_crank(samples, order, window, books.positions[order.position], now_ms)
            if index is not None:
                result.append((address, self._crank(books, address, order, index)))
        return result

    def _crank(self, books: Books, address: Pubkey, order: client.Order, sample_index: int) -> Instruction:
        return client.ix_crank_order(
            cranker=self._key.pubkey(),
            exchange=self._exchange,
            pool=books.exchange.pool,
            market=books.windows[order.window].market,
            window=order.window,
            feed=self._feed,
            margin=order.margin,
            position=order.position,
            order=address,
            rent_payer=order.rent_payer,
            sample_index=sample_index,
        )

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
                lp_mint=books.exchange.lp_mint,
            )
            result.append(("fees", instruction))
        return result

    def _waiting(self, books: Books) -> list[tuple[Pubkey, client.LpRequest]]:
        """Liquidity requests whose time has come, oldest first."""
        now_ms, live = self.now_ms(), books.pool.live_windows > 0
        due = [
            (address, request)
            for address, request in books.requests.items()
            if request.pool == books.exchange.pool
            and not request.held
            and request.ready_unix * 1000 <= now_ms
            and (request.marks_from_ms <= now_ms or not live)
            and address not in self._rests_until
        ]
        return sorted(due, key=lambda item: (item[1].ready_unix, str(item[0])))

    def _over(self, request: client.LpRequest) -> bool:
        return self.now_ms() // 1000 >= request.ready_unix + REQUEST_LIFE_S

    async def _execute(self, books: Books, address: Pubkey) -> bool:
        """Mark all windows with open positions, of any feed, and carry a request out: all in one slot.

        What does not fit into one transaction is marked by others in the same batch; if they land in an earlier slot
        the execution is refused and tried again.
        """
        marks = [
            client.ix_mark_window(exchange=self._exchange, pool=books.exchange.pool, window=at, feed=window.feed)
            for at, window in sorted(books.windows.items(), key=lambda item: str(item[0]))
            if window.exchange == self._exchange and window.open_positions
        ]
        request = books.requests[address]
        execution = client.ix_execute_request(
            executor=self._key.pubkey(),
            exchange=self._exchange,
            pool=books.exchange.pool,
            vault=books.exchange.vault,
            lp_mint=books.exchange.lp_mint,
            lp_escrow=pda.lp_escrow(self._exchange),
            destination=request.destination,
            request=address,
            rent_payer=request.rent_payer,
        )
        first = len(marks) % MARKS_AT_ONCE or min(len(marks), MARKS_AT_ONCE)
        ahead = [marks[at : at + MARKS_AT_ONCE] for at in range(first, len(marks), MARKS_AT_ONCE)]
        return await self._deliver([("mark", group) for group in ahead] + [("request", [*marks[:first], execution])])

    def _end(self, books: Books, address: Pubkey) -> Instruction:
        """Give a request whose time is over back, to its owner's associated token account."""
        request = books.requests[address]
        mint = books.exchange.lp_mint if request.kind else books.exchange.collateral_mint
        return client.ix_cancel_request(
            signer=self._key.pubkey(),
            exchange=self._exchange,
            pool=books.exchange.pool,
            vault=books.exchange.vault,
            lp_escrow=pda.lp_escrow(self._exchange),
            destination=get_associated_token_address(request.owner, mint),
            request=address,
            rent_payer=request.rent_payer,
        )

    def take_signatures(self) -> list[str]:
        """Transactions sent since the last call."""
        taken, self._signatures = self._signatures, []
        return taken

    async def _send(self, kind: str, instruction: Instruction) -> bool:
        return await self._deliver([(kind, [instruction])])

    async def _deliver(self, work: Sequence[tuple[str, Sequence[Instruction]]]) -> bool:
        """Send transactions together and tell whether the last worked; what fails is planned again from fresh books."""
        sent = await self._courier.send([(self._key, *instructions) for _, instructions in work], self.now_ms())
        for (kind, _), delivery in zip(work, sent, strict=True):
            if delivery.signature:
                self._signatures.append(delivery.signature)
            if delivery.error:
                self.stats.refused[f"{kind}: {delivery.error}"] += 1
            else:
                self.stats.done[kind] += 1
        return not sent[-1].error


def below_maintenance(window: client.Window, position: client.Position, feed: oracle_client.Feed) -> bool:
    """Whether the position's equity at the newest sample's forward price is less than its maintenance margin."""
    newest = feed.ring[(feed.samples - 1) % len(feed.ring)]
    sample = SampleLike(*(int(newest[name]) for name in ("area", "x_e6", "mu_e6", "s_e4")))
    mark_e6, at, _ = forward_e6(FeedState.of(feed), sample, parts_between(window.start_ms, window.end_ms))
    if at.left_ms == 0:
        return False
    pnl = pricing.pnl(pricing.Side(position.side), position.qty_e6, position.entry_cost_e6, mark_e6)
    least_e6 = pricing.margin_required(position.qty_e6, pricing.maintenance_margin(at.left_ms))
    return pnl.equity(position.collateral_e6) < least_e6

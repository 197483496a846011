"""The mirror's shell: it subscribes first, then takes a snapshot, then fills the gaps, and keeps doing all three.

Accounts are the truth and come whole with each notification; log notifications only say which transaction to read.
Whatever a subscription misses, the listing finds: the cursor of covered slots moves only over slots whose
transactions have all been written.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from psycopg import sql
from solders.pubkey import Pubkey

from backend.db.pool import Database, row, rows
from backend.mirror import reader
from backend.mirror.book import Book
from backend.mirror.feeds import FeedProgress, Missing
from backend.mirror.records import Listed
from backend.mirror.replay import ReplayError, samples_of
from backend.mirror.store import AccountChange, Batch, DeadLetter, FeedChange, forget_everything
from backend.mirror.sync import Sync
from backend.mirror.tables import ACCOUNTS, account_values
from backend.mirror.writer import Writer
from chain import pda
from chain.clients import market, oracle, treasury
from chain.clients.oracle import Feed
from chain.codec import DecodeError
from chain.errors import ChainError
from chain.program import Program
from chain.pubsub import PubSub
from chain.rpc import RpcPool
from chain.subscriptions import Notification, Resumed
from chain.tasks import stop

_log = logging.getLogger(__name__)
PROGRAMS = (oracle.PROGRAM, market.PROGRAM, treasury.PROGRAM)
SYNC_S = 0.5
RECONCILE_S = 30.0
KEEP_DELTAS = 5_000
"""Deltas a channel keeps for clients that come back; whoever was away for longer gets a snapshot."""
_PRUNE = 'DELETE FROM stream_log l USING stream s WHERE l.channel = s.channel AND l."offset" <= s.last_offset - %s'
_RETRY_S = 0.5
_MAX_QUEUE = 5_000
_ADDRESSES = sql.SQL("SELECT address FROM {}")


class Mirror:
    """Mirrors every feed, and every exchange, of the programs. Start it once; stop it."""

    def __init__(
        self,
        rpc: RpcPool,
        pubsub: PubSub,
        database: Database,
        exchange: Pubkey | None = None,
        *,
        sync_s: float = SYNC_S,
    ) -> None:
        self._rpc, self._pubsub, self._database = rpc, pubsub, database
        self._sync_s = sync_s
        self.book = Book()
        self.writer = Writer(database, self.book)
        self.vaults: set[str] = {str(pda.vault(exchange))} if exchange is not None else set()
        self.sync = Sync(rpc, database, self.writer, PROGRAMS, self.vaults)
        self._fetch: asyncio.Queue[tuple[Program, Listed]] = asyncio.Queue()
        self._fetching = 0
        self._touched: dict[Pubkey, set[str]] = {program.id: set() for program in PROGRAMS}
        self._replaying: dict[str, tuple[Feed, int] | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sync_wanted = asyncio.Event()

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Subscribe and begin; returns when every subscription stands and the first snapshot is written."""
        await self._check_chain()
        await self._load()
        self._spawn(self.writer.run(), "writer")
        snapshots = []
        for program in PROGRAMS:
            first = asyncio.Event()
            snapshots.append(first.wait())
            self._spawn(self._watch_accounts(program, first), f"{program.name} accounts")
            if program is not oracle.PROGRAM:
                self._spawn(self._watch_logs(program), f"{program.name} logs")
        self._spawn(self._fetch_loop(), "fetch")
        await asyncio.gather(*snapshots)
        self._spawn(self._sync_loop(), "sync")
        self._spawn(self._reconcile_loop(), "reconcile")

    async def stop(self) -> None:
        """Stop; what was not written is read again at the next start."""
        await stop(*self._tasks, quiet=True)

    async def caught_up(self) -> None:
        """Wait until everything the chain has confirmed by now is in the database."""
        await self.writer.drained()
        await self.sync.once()
        while self._replaying or self._fetching or not self._fetch.empty():
            await asyncio.sleep(0.005)
        await self.writer.drained()

    def status(self) -> dict[str, Any]:
        """How it stands, for health checks. Latency: from a notification to the commit, in milliseconds."""
        times = sorted(self.writer.latencies_s)
        dead = [task.get_name() for task in self._tasks if task.done()]
        return {
            "healthy": self.sync.healthy() and not dead,
            "slot": self.sync.slot,
            "finalized_slot": self.sync.root,
            "covered": {program.name: self.sync.covered_last(program) for program in PROGRAMS},
            "queue": self._fetch.qsize(),
            "dead_letters": self.sync.dead_letters,
            "connections": self._pubsub.connections,
            "sample_ms_p50": round(times[len(times) // 2] * 1000, 1) if times else None,
            "sample_ms_p95": round(times[len(times) * 95 // 100] * 1000, 1) if times else None,
        }

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._tasks.discard(task)
        elif (error := task.exception()) is not None:
            _log.error("mirror: %s stopped: %r", task.get_name(), error, exc_info=error)
        else:
            self._tasks.discard(task)

    async def _check_chain(self) -> None:
        """A database that mirrors another chain, or one that was restarted, is emptied and built anew."""
        genesis, slot = str(await self._rpc.call("getGenesisHash")), await self._rpc.slot()
        async with self._database.transaction() as connection:
            known = await row(connection, "SELECT value FROM mirror_state WHERE key = 'genesis'")
            newest = await row(connection, "SELECT max(last_slot) AS slot FROM covered_slots")
            ahead = newest is not None and newest["slot"] is not None and newest["slot"] > slot
            if known is not None and (known["value"] != genesis or ahead):
                _log.warning("mirror: the chain is not the one in the database: building the mirror anew")
                await forget_everything(connection)
            await connection.execute(
                "INSERT INTO mirror_state VALUES ('genesis', %s)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [genesis],
            )

    async def _load(self) -> None:
        query = (
            "SELECT DISTINCT ON (feed) feed, sample_index, tick, play_ms FROM samples WHERE status <> 'live'"
            " ORDER BY feed, sample_index DESC"
        )
        for found in await self._database.rows(query):
            progress = FeedProgress(found["sample_index"] + 1, found["tick"], found["play_ms"])
            self.book.progress[found["feed"]] = progress
        await self.sync.load()

    # --- accounts -------------------------------------------------------------------------------

    async def _watch_accounts(self, program: Program, first: asyncio.Event) -> None:
        subscription = await self._pubsub.program(program.id)
        async for event in subscription:
            if isinstance(event, Resumed):
                await self._again(partial(self._snapshot, program))
                self._sync_wanted.set()
                first.set()
            elif isinstance(event, Notification) and event.slot is not None:
                account = event.value["account"]
                address = event.value["pubkey"]
                self._touched[program.id].add(address)
                self._account(program, address, base64.b64decode(account["data"][0]), event.slot)
            elif not isinstance(event, Notification):
                raise ChainError(f"the node refuses programSubscribe: {event.message}")

    def _account(self, program: Program, address: str, data: bytes, slot: int) -> None:
        try:
            decoded = program.decode_account(data)
        except DecodeError as error:
            # create_feed makes the account in two steps: until it is grown it cannot be read, and need not be.
            _log.info("mirror: account %s cannot be read yet: %s", address, error)
            return
        if isinstance(decoded, Feed):
            self._feed(address, decoded, slot)
        elif account_values(decoded) is not None:
            if isinstance(decoded, market.Exchange):
                self.vaults.add(str(decoded.vault))
            pending = self.writer.pending.accounts
            pending[:] = [item for item in pending if item.address != address]
            pending.append(AccountChange(address, decoded, slot))
            self.writer.kick()

    def _feed(self, address: str, feed: Feed, slot: int) -> None:
        if address in self._replaying:
            self._replaying[address] = (feed, slot)
            return
        progress = self.book.progress.setdefault(address, FeedProgress())
        taken = progress.take(feed)
        if isinstance(taken, Missing):
            self._replaying[address] = None
            self._spawn(self._replay(address), f"replay {address}")
            return
        if not taken and not self.book.differs(address, feed):
            return  # a publisher's quote that completed no tick
        self.writer.pending.feeds.append(FeedChange(address, feed, slot, taken))
        self.writer.kick()

    async def _replay(self, address: str) -> None:
        """Read a feed from its transactions, because its account does not reach back far enough."""
        key = Pubkey.from_string(address)

        async def work() -> None:
            account = await self._rpc.account(key)
            if account is None:
                return
            feed = oracle.PROGRAM.decode_account(account.data)
            listed = await reader.listing(self._rpc, key, down_to=0)
            found: list[dict[str, Any]] = []
            for at in range(0, len(listed), reader.CHUNK):
                chunk = [item.signature for item in listed[at : at + reader.CHUNK] if item.err is None]
                found += [item for item in await reader.transactions(self._rpc, chunk) if item is not None]
            try:
                samples = samples_of(feed, address, found)
            except ReplayError as error:
                letter = DeadLetter(f"feed:{address}", "oracle", account.slot, "replay", str(error))
                await self.writer.commit(Batch(dead=[letter]))
                _log.error("mirror: %s", error)
                return
            progress = self.book.progress.setdefault(address, FeedProgress())
            new = [item for item in samples if item.sample_index >= progress.samples]
            if new:
                progress.stored(new[-1])
            await self.writer.commit(Batch(feeds=[FeedChange(address, feed, account.slot, new)]))

        await self._again(work)
        latest = self._replaying.pop(address)
        if latest is not None:
            self._feed(address, *latest)

    async def _snapshot(self, program: Program) -> None:
        """Every account as of now. What a notification has told since the request began is newer and stays."""
        touched = self._touched[program.id] = set()
        found = await self._rpc.program_accounts(program.id)
        present = set()
        for account in found:
            address = str(account.address)
            present.add(address)
            if address not in touched:
                self._account(program, address, account.data, account.slot)
        await self.writer.drained()
        gone = [address for address in await self._stored(program) if address not in present | touched]
        if gone:
            await self.writer.commit(Batch(closed=gone))

    async def _stored(self, program: Program) -> list[str]:
        kinds = {type_.cls.__name__ for type_ in program.accounts.values()}
        if program is oracle.PROGRAM:
            return []  # a closed feed keeps its samples
        tables = {table for kind, (table, _) in ACCOUNTS.items() if kind in kinds}
        found: list[str] = []
        async with self._database.connection() as connection:
            for table in sorted(tables):
                found += [item["address"] for item in await rows(connection, _ADDRESSES.format(sql.Identifier(table)))]
        return found

    # --- transactions ---------------------------------------------------------------------------

    async def _watch_logs(self, program: Program) -> None:
        subscription = await self._pubsub.logs(program.id)
        async for event in subscription:
            if isinstance(event, Resumed):
                self._sync_wanted.set()
            elif isinstance(event, Notification) and event.slot is not None:
                if self._fetch.qsize() >= _MAX_QUEUE:
                    self._sync_wanted.set()  # the listing will find it
                    continue
                self._fetch.put_nowait((program, Listed(event.value["signature"], event.slot, None, None)))

    def announce(self, program: str, signature: str) -> None:
        """Read a transaction now; for whoever knows of one before the subscriptions do."""
        found = next(item for item in PROGRAMS if item.name == program)
        self._fetch.put_nowait((found, Listed(signature, 0, None, None)))

    async def _fetch_loop(self) -> None:
        while True:
            wanted = [await self._fetch.get()]
            self._fetching = 1
            while len(wanted) < reader.CHUNK and not self._fetch.empty():
                wanted.append(self._fetch.get_nowait())
            for program in PROGRAMS:
                listed = list({item.signature: item for name, item in wanted if name is program}.values())
                if not listed:
                    continue
                try:
                    found, dead = await reader.fetch(self._rpc, program, listed, self.vaults)
                except ChainError as error:
                    _log.warning("mirror: %s; the listing will find the transactions", error)
                    self._sync_wanted.set()
                    continue
                # What could not be read now may only be late: the listing decides what is poison.
                late = {letter.signature for letter in dead}
                self.writer.pending.transactions += [item for item in found if item[0].signature not in late]
                self.writer.kick()
            self._fetching = 0

    async def _sync_loop(self) -> None:
        while True:
            self._sync_wanted.clear()
            await self._again(self.sync.once)
            if self.sync.fork_found:
                self.sync.fork_found = False
                for program in PROGRAMS:
                    await self._again(partial(self._snapshot, program))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sync_wanted.wait(), self._sync_s)

    async def _reconcile_loop(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_S)
            await self._again(self.reconcile)

    async def reconcile(self) -> None:
        """Closing an account is not announced: look what is left. Try dead letters again, prune the stream's log."""
        for program in PROGRAMS[1:]:
            await self._snapshot(program)
        await self.sync.retry_dead()
        async with self._database.connection() as connection:
            await connection.execute(_PRUNE, [KEEP_DELTAS])

    async def _again(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it until the chain answers."""
        while True:
            try:
                await work()
                return
            except ChainError as error:
                _log.warning("mirror: %s; trying again", error)
                await asyncio.sleep(_RETRY_S)

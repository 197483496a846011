"""Fills the gaps and promotes what is final: the part of the mirror that trusts no subscription."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from solders.pubkey import Pubkey

from backend.db.pool import Database, rows
from backend.mirror import deltas, reader
from backend.mirror.cursor import Covered
from backend.mirror.feeds import RING
from backend.mirror.records import EventRow, Listed, listed_row
from backend.mirror.store import Batch, read_covered, write_covered
from backend.mirror.writer import Writer
from chain.clients import oracle
from chain.program import Program
from chain.rpc import RpcPool

_HEALTHY_S = 10.0


class Sync:
    """One pass (`once`): list what is new, write it with the cursor, promote what the chain has finalized."""

    def __init__(
        self, rpc: RpcPool, database: Database, writer: Writer, programs: Sequence[Program], vaults: set[str]
    ) -> None:
        self._rpc, self._database, self._writer, self._vaults = rpc, database, writer, vaults
        self._programs = programs
        self._covered: dict[str, Covered] = {}
        self._newest: dict[str, str | None] = {}
        self._final: dict[str, tuple[str, int]] = {}  # newest promoted: signature, slot
        self._samples_final: dict[str, int] = {}
        self.slot = 0
        self.root = 0
        self.dead_letters = 0
        self.fork_found = False
        self._last_pass_s = 0.0
        self._passing = asyncio.Lock()

    async def load(self) -> None:
        """Read the cursor."""
        async with self._database.connection() as connection:
            for program in self._programs:
                covered = self._covered[program.name] = await read_covered(connection, program.name)
                self._newest[program.name] = await self._newest_in(program, covered.last)

    async def _newest_in(self, program: Program, last: int | None) -> str | None:
        """A stored signature in the newest slot of which everything is known: listings need not go beyond it."""
        found = await self._database.row(
            "SELECT signature FROM chain_transactions WHERE program = %s AND slot <= %s ORDER BY slot DESC LIMIT 1",
            [program.name, -1 if last is None else last],
        )
        return str(found["signature"]) if found else None

    def covered_last(self, program: Program) -> int | None:
        """The newest slot of a program that is known completely."""
        covered = self._covered.get(program.name)
        return covered.last if covered else None

    def healthy(self) -> bool:
        """Whether a pass has succeeded lately."""
        return time.monotonic() - self._last_pass_s < _HEALTHY_S

    async def once(self) -> None:
        """One pass over all programs, one at a time. Raises ChainError when the chain does not answer."""
        async with self._passing:
            await self._pass()

    async def _pass(self) -> None:
        slot = await self._rpc.slot("confirmed")
        for program in self._programs:
            await self._fill(program, slot)
        root = await self._rpc.slot("finalized")
        for program in self._programs:
            await self._promote(program, root)
        await self._promote_samples()
        found = await self._database.row("SELECT count(*) AS n FROM dead_letters")
        self.dead_letters = int(found["n"]) if found else 0
        self.slot, self.root = slot, root
        self._last_pass_s = time.monotonic()

    # --- gaps -----------------------------------------------------------------------------------

    async def _fill(self, program: Program, slot: int) -> None:
        """Write what is listed and not stored. The current slot can still grow: it is never called covered."""
        covered = self._covered[program.name]
        holes = covered.holes(0, slot - 1)
        # A hole behind the newest covered slot is the usual case: the listing stops at what is known there.
        until = self._newest[program.name] if all(first > (covered.last or -1) for first, _ in holes) else None
        lowest = holes[0][0] if holes else slot
        listed = await reader.listing(self._rpc, program.id, down_to=lowest, until=until, min_context_slot=slot)
        known = await self._known(program, [item.signature for item in listed])
        new = [item for item in listed if item.signature not in known]
        starts = range(0, max(1, len(new)), reader.CHUNK)
        for at in starts:
            chunk = new[at : at + reader.CHUNK]
            # A slot is complete when its last transaction is written; more of the next slot may be in the next chunk.
            end = slot - 1 if at == starts[-1] else chunk[-1].slot - 1
            spans = [(first, min(last, end)) for first, last in holes if first <= end]
            if chunk or spans:
                await self._write(program, chunk, spans)
            for first, last in spans:
                covered.add(first, last)
        behind = [item for item in listed if item.slot < slot]
        if behind:
            self._newest[program.name] = behind[-1].signature

    async def _known(self, program: Program, signatures: list[str]) -> set[str]:
        if not signatures:
            return set()
        # The listing is all that is ever stored of oracle transactions; of the others only complete rows count.
        found = await self._database.rows(
            "SELECT signature FROM chain_transactions t WHERE signature = ANY(%s)"
            " AND (%s OR fee_payer IS NOT NULL"
            " OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.signature = t.signature))",
            [signatures, program.id == oracle.PROGRAM_ID],
        )
        return {str(item["signature"]) for item in found}

    async def _write(self, program: Program, listed: Sequence[Listed], spans: Sequence[tuple[int, int]]) -> None:
        """Transactions and the slots they complete, together or not at all."""
        covered = [(program.name, first, last) for first, last in spans]
        if program.id == oracle.PROGRAM_ID or not listed:
            # Quotes are read from the feed accounts: their transactions need no more than the listing says.
            rows = [(listed_row(item, program.name), list[EventRow]()) for item in listed]
            await self._writer.commit(Batch(transactions=rows, covered=covered))
            return
        found, dead = await reader.fetch(self._rpc, program, listed, self._vaults)
        await self._writer.commit(Batch(transactions=found, covered=covered, dead=dead))

    async def retry_dead(self) -> None:
        """Read dead letters again: a node that was behind, or a client that has learnt the program's new events."""
        for program in self._programs:
            letters = await self._database.rows(
                "SELECT signature, slot FROM dead_letters WHERE program = %s AND stage IN ('fetch', 'decode')",
                [program.name],
            )
            listed = [Listed(item["signature"], item["slot"], None, None) for item in letters]
            for at in range(0, len(listed), reader.CHUNK):
                chunk = listed[at : at + reader.CHUNK]
                found, dead = await reader.fetch(self._rpc, program, chunk, self._vaults)
                still = {letter.signature for letter in dead}
                good = [item for item in found if item[0].signature not in still]
                await self._writer.commit(Batch(transactions=good, dead=dead))

    # --- finality -------------------------------------------------------------------------------

    async def _promote(self, program: Program, root: int) -> None:
        """Mark what the finalized listing has; what it lacks was on a dead fork and goes, with all it caused."""
        provisional = await self._database.rows(
            "SELECT signature, slot FROM chain_transactions WHERE program = %s AND NOT finalized AND slot <= %s"
            " ORDER BY slot",
            [program.name, root],
        )
        if not provisional:
            return
        lowest = provisional[0]["slot"]
        # The listing may stop at what was promoted last, unless a gap behind it has been filled since.
        last = self._final.get(program.name)
        final = await reader.listing(
            self._rpc,
            program.id,
            down_to=lowest,
            until=last[0] if last is not None and last[1] < lowest else None,
            commitment="finalized",
            min_context_slot=root,
        )
        there = {item.signature for item in final}
        good = [item["signature"] for item in provisional if item["signature"] in there]
        lost = [item for item in provisional if item["signature"] not in there]
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE chain_transactions SET finalized = true WHERE signature = ANY(%s)", [good])
            if lost:
                await connection.execute(
                    "DELETE FROM chain_transactions WHERE signature = ANY(%s)", [[item["signature"] for item in lost]]
                )
                covered = self._covered[program.name]
                for item in lost:
                    covered.remove(item["slot"], item["slot"])
                await write_covered(connection, program.name, covered)
            if program.id != oracle.PROGRAM_ID:
                await deltas.finalized(connection, {}, good)
        if lost:
            self.fork_found = True
            self._newest[program.name] = None
        # The chain's root may have moved on since: what lies beyond ours is promoted by a later pass.
        within = [item for item in final if item.slot <= root]
        if within:
            self._final[program.name] = (within[-1].signature, within[-1].slot)

    async def _promote_samples(self) -> None:
        """Samples that the finalized feed account holds are final; one that it holds otherwise is replaced."""
        feeds = await self._database.rows(
            "SELECT DISTINCT feed, match_id FROM samples WHERE status = 'confirmed' AND feed IS NOT NULL"
        )
        if not feeds:
            return
        keys = [Pubkey.from_string(item["feed"]) for item in feeds]
        accounts = await self._rpc.accounts(keys, "finalized")
        for item, account in zip(feeds, accounts, strict=True):
            if account is None:
                continue
            feed = oracle.PROGRAM.decode_account(account.data)
            if not isinstance(feed, oracle.Feed) or feed.samples <= self._samples_final.get(item["feed"], 0):
                continue
            async with self._database.transaction() as connection:
                promoted = await rows(
                    connection,
                    "UPDATE samples SET status = 'finalized' WHERE feed = %s AND status = 'confirmed'"
                    " AND sample_index < %s RETURNING sample_index, tick, x_e6, area",
                    [item["feed"], feed.samples],
                )
                kept = [row for row in promoted if feed.samples - row["sample_index"] <= RING]
                for row in kept:
                    ring = feed.ring[row["sample_index"] % RING]
                    if (int(ring["x_e6"]), int(ring["area"])) != (row["x_e6"], row["area"]):
                        await connection.execute(
                            "UPDATE samples SET x_e6 = %s, mu_e6 = %s, s_e4 = %s, conf_e4 = %s, data_ms = %s,"
                            " play_ms = %s, area = %s, suspend_epoch = %s WHERE feed = %s AND sample_index = %s",
                            [
                                *(int(ring[name]) for name in ("x_e6", "mu_e6")),
                                int(ring["s_e4"]) - (1 << 31),
                                *(int(ring[n]) for n in ("conf_e4", "data_ms", "play_ms", "area", "suspend_epoch")),
                                item["feed"],
                                row["sample_index"],
                            ],
                        )
                if promoted:
                    newest = max(row["tick"] for row in promoted)
                    await deltas.finalized(connection, {item["match_id"]: newest}, ())
            self._samples_final[item["feed"]] = feed.samples

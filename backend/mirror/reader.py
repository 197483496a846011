"""Reads the chain for the mirror: listings page by page, transactions in batches, accounts."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

import orjson
from solders.pubkey import Pubkey
from solders.signature import Signature

from backend.mirror.records import EventRow, Listed, TransactionRow, event_rows, listed_row, transaction_row
from backend.mirror.store import DeadLetter
from backend.mirror.tables import event_values
from chain.program import Program
from chain.rpc import RpcPool

_log = logging.getLogger(__name__)
PAGE = 1_000
CHUNK = 200
_MAX_PAYLOAD_CHARS = 100_000


async def listing(
    rpc: RpcPool,
    address: Pubkey,
    *,
    down_to: int,
    until: str | None = None,
    commitment: str = "confirmed",
    min_context_slot: int | None = None,
) -> list[Listed]:
    """Transactions that named ``address`` in slots >= ``down_to``, oldest first; none older than ``until``."""
    found: list[Listed] = []
    before: Signature | None = None
    while True:
        page = await rpc.signatures_for(
            address,
            limit=PAGE,
            before=before,
            until=Signature.from_string(until) if until else None,
            commitment=commitment,
            min_context_slot=min_context_slot,
        )
        rows = [Listed.of(item) for item in page]
        found += [item for item in rows if item.slot >= down_to]
        if len(rows) < PAGE or rows[-1].slot < down_to:
            break
        before = Signature.from_string(rows[-1].signature)
    found.reverse()
    return found


async def transactions(rpc: RpcPool, signatures: Sequence[str]) -> list[dict[str, Any] | None]:
    """Landed transactions in order, None for those the node does not have."""
    return await rpc.transactions([Signature.from_string(item) for item in signatures])


def decode(
    program: Program, listed: Listed, transaction: dict[str, Any] | None, vaults: Collection[str]
) -> tuple[TransactionRow, list[EventRow]] | DeadLetter:
    """Rows of a transaction, or why there are none: never an exception, whatever the transaction is."""
    if transaction is None:
        return DeadLetter(listed.signature, program.name, listed.slot, "fetch", "the node does not have it")
    try:
        row, events = transaction_row(transaction, frozenset(vaults)), event_rows(transaction)
        for event in events:
            event_values(event)
        return row, events
    except Exception as error:
        # Anyone can send anything to the chain: one transaction that cannot be read must not stop the others.
        _log.warning("mirror: transaction %s cannot be read: %s", listed.signature, error)
        payload = orjson.dumps(transaction, default=str).decode()[:_MAX_PAYLOAD_CHARS]
        reason = f"{type(error).__name__}: {error}"
        return DeadLetter(listed.signature, program.name, listed.slot, "decode", reason, payload)


async def fetch(
    rpc: RpcPool, program: Program, listed: Sequence[Listed], vaults: Collection[str]
) -> tuple[list[tuple[TransactionRow, list[EventRow]]], list[DeadLetter]]:
    """Rows of the listed transactions, and those that cannot be read; these get the row of the listing."""
    found: list[tuple[TransactionRow, list[EventRow]]] = []
    dead: list[DeadLetter] = []
    for item, transaction in zip(listed, await transactions(rpc, [item.signature for item in listed]), strict=True):
        result = decode(program, item, transaction, vaults)
        if isinstance(result, DeadLetter):
            dead.append(result)
            found.append((listed_row(item, program.name), []))
        else:
            found.append(result)
    return found, dead

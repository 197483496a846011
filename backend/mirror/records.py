"""From a landed transaction, as getTransaction gives it, to rows. Pure.

An event's identity is (signature, outer instruction, inner instruction, event): the same transaction read twice
gives the same rows, however it was found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import numpy as np
import orjson
from solders.pubkey import Pubkey

from chain import base58
from chain.clients import PROGRAMS, market, oracle, treasury
from chain.codec import DecodeError
from chain.errors import explain
from chain.events import ChainEvent, account_keys, called_programs, events_of

PRIORITY = (market.PROGRAM_ID, treasury.PROGRAM_ID, oracle.PROGRAM_ID)
"""A transaction that names several of our programs is filed under the first of these."""


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A landed transaction, failed or not. Fees in lamports; ``vault_delta_e6`` is what the vaults gained."""

    signature: str
    slot: int
    block_time: datetime | None
    program: str
    fee_payer: str | None
    instructions: list[str]
    failed: bool
    err: str | None
    error_code: int | None
    error_name: str | None
    error_message: str | None
    fee_lamports: int | None
    compute_units: int | None
    vault_delta_e6: int | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a program with its identity."""

    signature: str
    outer_ix: int
    inner_ix: int
    event_ix: int
    slot: int
    block_time: datetime | None
    program: str
    name: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of getSignaturesForAddress."""

    signature: str
    slot: int
    block_time: datetime | None
    err: Any

    @staticmethod
    def of(row: Mapping[str, Any]) -> Listed:
        """Read the JSON form."""
        return Listed(row["signature"], int(row["slot"]), moment(row.get("blockTime")), row["err"])


def moment(unix_s: int | None) -> datetime | None:
    """Seconds since 1970 as a moment."""
    return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)


def plain(value: Any) -> Any:
    """A decoded value as JSON: addresses in base58, bytes in hex, integers as they are."""
    if isinstance(value, Pubkey):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value):
        return body_of(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def body_of(value: Any) -> dict[str, Any]:
    """A decoded struct as a JSON object; padding is left out."""
    names = [item.name for item in dataclasses.fields(value)]
    return {name: plain(getattr(value, name)) for name in names if not name.startswith("_")}


def transaction_row(transaction: Mapping[str, Any], vaults: Set[str] = frozenset()) -> TransactionRow:
    """The row of a transaction. Raises KeyError, IndexError or ValueError for what is no transaction."""
    meta, document = transaction["meta"], dict(transaction)
    keys = account_keys(document)
    err = meta["err"]
    failure = None
    if err is not None:
        failure = explain(err, PROGRAMS, called=called_programs(document), logs=meta.get("logMessages") or ())
    program = next((item for item in PRIORITY if item in keys), None)
    return TransactionRow(
        signature=transaction["transaction"]["signatures"][0],
        slot=transaction["slot"],
        block_time=moment(transaction.get("blockTime")),
        program=PROGRAMS[program].name if program is not None else "",
        fee_payer=str(keys[0]),
        instructions=_instructions(document, keys),
        failed=err is not None,
        err=None if err is None else orjson.dumps(err).decode(),
        error_code=failure.code if failure else None,
        error_name=failure.name if failure else None,
        error_message=failure.message if failure else None,
        fee_lamports=meta.get("fee"),
        compute_units=meta.get("computeUnitsConsumed"),
        vault_delta_e6=_vault_delta(meta, keys, vaults),
    )


def listed_row(listed: Listed, program: str) -> TransactionRow:
    """The row of a transaction of which only the listing is known: no fee payer says so."""
    return TransactionRow(
        signature=listed.signature,
        slot=listed.slot,
        block_time=listed.block_time,
        program=program,
        fee_payer=None,
        instructions=[],
        failed=listed.err is not None,
        err=None if listed.err is None else orjson.dumps(listed.err).decode(),
        error_code=None,
        error_name=None,
        error_message=None,
        fee_lamports=None,
        compute_units=None,
        vault_delta_e6=None,
    )


def event_rows(transaction: Mapping[str, Any]) -> list[EventRow]:
    """Every event of our programs, in order; none for a failed transaction. Raises DecodeError for an unknown one."""
    at = moment(transaction.get("blockTime"))
    return [_event_row(event, at) for event in events_of(dict(transaction))]


def _event_row(event: ChainEvent, at: datetime | None) -> EventRow:
    body = body_of(event.event)
    return EventRow(event.signature, event.outer, event.inner, 0, event.slot, at, event.program, event.name, body)


def _instructions(transaction: dict[str, Any], keys: Sequence[Pubkey]) -> list[str]:
    names = []
    for item in transaction["transaction"]["message"]["instructions"]:
        program = PROGRAMS.get(keys[item["programIdIndex"]])
        if program is None:
            continue
        try:
            names.append(f"{program.name}.{program.decode_instruction(base58.decode(item['data']))[0]}")
        except DecodeError:
            names.append(f"{program.name}.unknown")
    return names


def _vault_delta(meta: Mapping[str, Any], keys: Sequence[Pubkey], vaults: Set[str]) -> int | None:
    """What the vaults gained; None when no vault was touched."""
    if not vaults:
        return None

    def held(balances: Any) -> dict[int, int]:
        rows = balances or ()
        return {
            item["accountIndex"]: int(item["uiTokenAmount"]["amount"])
            for item in rows
            if str(keys[item["accountIndex"]]) in vaults
        }

    before, after = held(meta.get("preTokenBalances")), held(meta.get("postTokenBalances"))
    if not before and not after:
        return None
    return sum(after.values()) - sum(before.values())

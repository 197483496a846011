"""Program events of a landed transaction, read from its inner instructions (`emit_cpi!`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from chain import base58
from chain.clients import PROGRAMS
from chain.program import EVENT_TAG, Program


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event with its identity: signature, outer instruction, inner instruction. `name` is its type's name."""

    signature: str
    slot: int
    outer: int
    inner: int
    program: str
    name: str
    event: Any


def account_keys(transaction: dict[str, Any]) -> list[Pubkey]:
    """Return all accounts of a `json` encoded transaction in the order instructions index them."""
    message = transaction["transaction"]["message"]
    loaded = transaction["meta"].get("loadedAddresses") or {}
    names = [*message["accountKeys"], *loaded.get("writable", ()), *loaded.get("readonly", ())]
    return [Pubkey.from_string(name) for name in names]


def calls(transaction: dict[str, Any]) -> Iterator[tuple[Pubkey, list[Pubkey], bytes]]:
    """Yield (program, accounts, data) of every instruction in order of execution, inner ones behind their outer one."""
    keys = account_keys(transaction)
    inner = {group["index"]: group["instructions"] for group in transaction["meta"].get("innerInstructions") or ()}
    for index, outer in enumerate(transaction["transaction"]["message"]["instructions"]):
        for item in (outer, *inner.get(index, ())):
            yield keys[item["programIdIndex"]], [keys[at] for at in item["accounts"]], base58.decode(item["data"])


def called_programs(transaction: dict[str, Any]) -> list[Pubkey]:
    """Return the program of each outer instruction."""
    keys = account_keys(transaction)
    return [keys[item["programIdIndex"]] for item in transaction["transaction"]["message"]["instructions"]]


def events_of(transaction: dict[str, Any], programs: Mapping[Pubkey, Program] = PROGRAMS) -> list[ChainEvent]:
    """Return the events of our programs in order of execution; a failed transaction has none.

    `transaction` is what getTransaction gives in `json` encoding. Raises `codec.DecodeError` for an event of ours
    that cannot be read: the caller must set the transaction aside, not skip it.
    """
    meta = transaction["meta"]
    if meta["err"] is not None:
        return []
    keys = account_keys(transaction)
    signature = transaction["transaction"]["signatures"][0]
    found = []
    for group in meta.get("innerInstructions") or ():
        for at, item in enumerate(group["instructions"]):
            program = programs.get(keys[item["programIdIndex"]])
            if program is None:
                continue
            data = base58.decode(item["data"])
            if not data.startswith(EVENT_TAG):
                continue
            event = program.decode_event(data)
            found.append(
                ChainEvent(
                    signature, transaction["slot"], group["index"], at, program.name, type(event).__name__, event
                )
            )
    return found

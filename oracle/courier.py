"""Signs and sends at once, unpreflighted, and tells what became of it: for work that is planned anew every second.

Nothing is retried: a quote is superseded by the next one, and a crank that failed is planned again from fresh
accounts. Money that must land goes through `chain.sender`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction

from chain.errors import RpcError
from chain.rpc import RpcPool

BLOCKHASH_LIFE_MS = 20_000
_SEND = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
_STATUS = {"searchTransactionHistory": False}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one transaction. ``signature`` is empty when no node took it, ``error`` when it landed."""

    signature: str
    error: str


class Courier:
    """Sends small transactions under one compute-unit limit: a forgotten default multiplies the fee."""

    def __init__(self, rpc: RpcPool, compute_units: int) -> None:
        self._rpc = rpc
        self._limit = set_compute_unit_limit(compute_units)
        self._blockhash = Hash.default()
        self._blockhash_ms: int | None = None

    async def send(self, work: Sequence[tuple[Keypair, *tuple[Instruction, ...]]], now_ms: int) -> list[Delivery]:
        """Sign each row's instructions as one transaction of its key, send all in one request, ask once how they ended.

        ``now_ms`` is match time. Raises ChainError when no node answers.
        """
        if self._blockhash_ms is None or now_ms - self._blockhash_ms >= BLOCKHASH_LIFE_MS:
            self._blockhash = (await self._rpc.latest_blockhash()).blockhash
            self._blockhash_ms = now_ms
        replies = await self._rpc.batch([("sendTransaction", [self._wire(*item), _SEND]) for item in work])
        taken = [reply for reply in replies if not isinstance(reply, RpcError)]
        rows = iter((await self._rpc.call("getSignatureStatuses", [taken, _STATUS]))["value"] if taken else ())
        return [
            Delivery("", str(reply)) if isinstance(reply, RpcError) else Delivery(reply, _fault(next(rows)))
            for reply in replies
        ]

    def _wire(self, key: Keypair, *instructions: Instruction) -> str:
        message = Message.new_with_blockhash([self._limit, *instructions], key.pubkey(), self._blockhash)
        return base64.b64encode(bytes(Transaction([key], message, self._blockhash))).decode()


def _fault(row: dict[str, object] | None) -> str:
    if row is None:
        return "not landed"
    return "" if row["err"] is None else str(row["err"])

"""The shell around `confirm`: it sends, asks, signs and sleeps as the state machine says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain.clients import PROGRAMS
from chain.confirm import AskHeight, Confirmation, Expired, Landed, Level, Outcome, Poll, Send, Sign, Signed, Timing
from chain.errors import ChainError, Failure, RpcError, RpcUnavailableError, explain
from chain.program import Program
from chain.rpc import Blockhash, RpcPool

_UNREADABLE = frozenset({-32600, -32602})
Signer = Callable[[Blockhash], VersionedTransaction]
"""Signs the transaction anew with the given blockhash."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How a transaction ended. `failure` says why when it did not succeed; `slot` is None when it never landed."""

    ok: bool
    signature: Signature
    slot: int | None
    failure: Failure | None
    outcome: Outcome

    def raise_for_failure(self) -> Sent:
        """Return self when it succeeded, else raise `TransactionFailedError`."""
        if not self.ok:
            raise TransactionFailedError(self)
        return self


class TransactionFailedError(ChainError):
    """A transaction did not succeed; `sent` has the details."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(f"transaction {sent.signature}: {sent.failure}")
        self.sent = sent


class Sender:
    """Sends transactions through a pool and tells how they ended."""

    def __init__(
        self,
        pool: RpcPool,
        *,
        programs: Mapping[Pubkey, Program] = PROGRAMS,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pool = pool
        self._programs = programs
        self._timing = timing or Timing()
        self._clock = clock
        self._sleep = sleep

    async def send_instructions(
        self,
        instructions: Sequence[Instruction],
        payer: Keypair,
        signers: Sequence[Keypair] = (),
        *,
        wanted: Level = "confirmed",
        compute_units: int | None = None,
        micro_lamports_per_unit: int | None = None,
        tables: Sequence[AddressLookupTableAccount] = (),
        blockhash: Blockhash | None = None,
    ) -> Sent:
        """Build, sign, send and confirm. `payer` pays; keys that need not sign are left out.

        `blockhash` saves a request when the caller has one.
        """
        budget: list[Instruction] = []
        if compute_units is not None:
            budget.append(set_compute_unit_limit(compute_units))
        if micro_lamports_per_unit is not None:
            budget.append(set_compute_unit_price(micro_lamports_per_unit))
        everything = [*budget, *instructions]
        keys = [payer, *(key for key in signers if key.pubkey() != payer.pubkey())]

        def sign(fresh: Blockhash) -> VersionedTransaction:
            message = MessageV0.try_compile(payer.pubkey(), everything, list(tables), fresh.blockhash)
            needed = set(message.account_keys[: message.header.num_required_signatures])
            return VersionedTransaction(message, [key for key in keys if key.pubkey() in needed])

        return await self.send(sign, wanted=wanted, blockhash=blockhash)

    async def send(self, sign: Signer, *, wanted: Level = "confirmed", blockhash: Blockhash | None = None) -> Sent:
        """Sign, send and confirm; signs anew only when the old version can never land (`Timing.versions`)."""
        first = _signed(sign, blockhash or await self._pool.latest_blockhash())
        return await self._run(first, sign, wanted)

    async def send_signed(self, wire: bytes, last_valid_block_height: int, *, wanted: Level = "confirmed") -> Sent:
        """Send and confirm a transaction somebody else signed; it is never signed anew."""
        transaction = VersionedTransaction.from_bytes(wire)
        return await self._run(Signed(transaction.signatures[0], wire, last_valid_block_height), None, wanted)

    async def _run(self, first: Signed, sign: Signer | None, wanted: Level) -> Sent:
        timing = self._timing
        if sign is None:
            timing = replace(timing, versions=1)
        machine = Confirmation(first, self._clock(), wanted, timing)
        current = first
        while machine.outcome is None:
            actions = list(machine.due(self._clock()))
            while actions and machine.outcome is None:
                action = actions.pop(0)
                if isinstance(action, Sign):
                    assert sign is not None
                    current = _signed(sign, await self._fresh_blockhash())
                    machine.signed(current, self._clock())
                else:
                    actions += await self._act(machine, action)
            if machine.outcome is None:
                await self._sleep(max(0.0, machine.next_due_s() - self._clock()))
        return await self._sent(machine.outcome, current)

    async def _fresh_blockhash(self) -> Blockhash:
        while True:
            try:
                return await self._pool.latest_blockhash()
            except RpcUnavailableError:
                await self._sleep(self._timing.poll_s)

    async def _act(self, machine: Confirmation, action: Send | Poll | AskHeight) -> Sequence[Any]:
        """Do one thing. Errors of nodes change nothing: the machine asks again, and only the chain decides."""
        try:
            if isinstance(action, Send):
                await self._pool.send(action.wire, skip_preflight=True, max_retries=0)
            elif isinstance(action, Poll):
                return await self._poll(machine, action)
            else:
                info = await self._pool.call("getEpochInfo", [{"commitment": "confirmed"}])
                machine.saw_height(info["absoluteSlot"], info["blockHeight"], self._clock())
        except RpcUnavailableError:
            return ()
        except RpcError as error:
            # Bytes a node cannot even read will not get better by sending them again.
            if isinstance(action, Send) and error.code in _UNREADABLE:
                raise
            return ()
        return ()

    async def _poll(self, machine: Confirmation, action: Poll) -> Sequence[Any]:
        slot, rows = await self._pool.statuses(action.signatures, search_history=action.search_history)
        for signature, row in zip(action.signatures, rows, strict=True):
            if row is not None:
                machine.saw_status(signature, row.slot, row.err, cast(Level, row.commitment))
        return machine.saw_nothing(slot) if all(row is None for row in rows) else ()

    async def _sent(self, outcome: Outcome, last: Signed) -> Sent:
        if isinstance(outcome, Landed):
            failure = None
            if outcome.err is not None:
                failure = explain(
                    outcome.err,
                    self._programs,
                    called=_called(last.wire),
                    logs=await self._logs(outcome.signature),
                )
            return Sent(outcome.err is None, outcome.signature, outcome.slot, failure, outcome)
        if isinstance(outcome, Expired):
            failure = Failure("Expired", "The transaction did not land in time and never will: send it again")
        else:
            failure = Failure("Unknown", "The chain did not answer in time: look the signature up before sending again")
        return Sent(False, last.signature, None, failure, outcome)

    async def _logs(self, signature: Signature) -> Sequence[str]:
        try:
            found = await self._pool.transaction(signature)
        except ChainError:
            return ()
        return (found or {}).get("meta", {}).get("logMessages") or ()


def _signed(sign: Signer, blockhash: Blockhash) -> Signed:
    transaction = sign(blockhash)
    return Signed(transaction.signatures[0], bytes(transaction), blockhash.last_valid_block_height)


def _called(wire: bytes) -> list[Pubkey]:
    message = VersionedTransaction.from_bytes(wire).message
    if not isinstance(message, Message | MessageV0):
        return []
    keys = message.account_keys
    return [keys[item.program_id_index] for item in message.instructions if item.program_id_index < len(keys)]

"""Publishers sign and push one quote a second. Latest wins: a superseded quote is dropped, never retried."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction

from chain.clients import oracle as client
from chain.errors import RpcError
from chain.rpc import RpcPool
from oracle.core import S_BIAS, Sample

PUSH_UNITS = 12_000
"""Compute-unit limit of a push: a forgotten 200,000 default would multiply the priority fee."""
BLOCKHASH_LIFE_MS = 20_000


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of one second's quotes."""

    tick: int
    accepted: int
    errors: tuple[str, ...]


def quote_of(sample: Sample) -> client.Quote:
    """The program's argument for a sample."""
    return client.Quote(
        tick=sample.tick,
        data_ms=sample.data_ms,
        play_ms=sample.play_ms,
        period=sample.period,
        flags=sample.flags,
        suspend_reason=sample.reason,
        x_e6=sample.x_e6,
        mu_e6=sample.mu_e6,
        s_e4=sample.s_e4 + S_BIAS,
        conf_e4=sample.conf_e4,
        inputs_hash=sample.inputs_hash,
    )


class Publisher:
    """Pushes for a set of publisher keys of one feed; a deployment gives each keeper one key."""

    def __init__(self, rpc: RpcPool, feed: Pubkey, keys: Sequence[Keypair], now_ms: Callable[[], int]) -> None:
        self._rpc = rpc
        self._feed = feed
        self._keys = tuple(keys)
        self._now_ms = now_ms
        self._limit: Instruction = set_compute_unit_limit(PUSH_UNITS)
        self._blockhash = Hash.default()
        self._blockhash_ms = -BLOCKHASH_LIFE_MS

    async def push(self, sample: Sample) -> Pushed:
        """Sign and send every key's quote in one request; returns once each has been accepted or refused.

        The localnet executes on arrival; on a cluster the statuses are polled by `confirmed`.
        """
        now_ms = self._now_ms()
        if now_ms - self._blockhash_ms >= BLOCKHASH_LIFE_MS:
            self._blockhash = (await self._rpc.latest_blockhash()).blockhash
            self._blockhash_ms = now_ms
        quote = quote_of(sample)
        config = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        calls = []
        for key in self._keys:
            push = client.ix_push_quote(publisher=key.pubkey(), feed=self._feed, quote=quote)
            message = Message.new_with_blockhash([self._limit, push], key.pubkey(), self._blockhash)
            wire = bytes(Transaction([key], message, self._blockhash))
            calls.append(("sendTransaction", [base64.b64encode(wire).decode(), config]))
        replies = await self._rpc.batch(calls)
        errors = [str(reply) for reply in replies if isinstance(reply, RpcError)]
        signatures = [reply for reply in replies if not isinstance(reply, RpcError)]
        status = await self._rpc.call("getSignatureStatuses", [signatures, {"searchTransactionHistory": False}])
        failed = [str(row["err"]) for row in status["value"] if row is not None and row["err"] is not None]
        landed = sum(row is not None and row["err"] is None for row in status["value"])
        return Pushed(sample.tick, landed, (*errors, *failed))

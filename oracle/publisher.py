"""Publishers sign and push one quote a second. Latest wins: a superseded quote is dropped, never retried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import oracle as client
from chain.rpc import RpcPool
from momentum.pricing import S_BIAS
from oracle.core import Sample
from oracle.courier import Courier

PUSH_UNITS = 12_000
"""Compute-unit limit of a push."""


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
        self._courier = Courier(rpc, PUSH_UNITS)
        self._feed = feed
        self._keys = tuple(keys)
        self._now_ms = now_ms

    async def push(self, sample: Sample) -> Pushed:
        """Sign and send every key's quote in one request; returns once each has been accepted or refused."""
        quote = quote_of(sample)
        work = [(key, client.ix_push_quote(publisher=key.pubkey(), feed=self._feed, quote=quote)) for key in self._keys]
        errors = [item.error for item in await self._courier.send(work, self._now_ms()) if item.error]
        return Pushed(sample.tick, len(work) - len(errors), tuple(errors))

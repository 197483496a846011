"""Rebuild a feed's samples from its publishers' transactions, and prove them by the feed's hash chain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backend.mirror.feeds import SampleRow
from chain.clients import oracle
from chain.clients.oracle import Feed
from chain.codec import DecodeError
from chain.events import calls
from momentum.pricing import S_BIAS
from oracle.aggregate import Feed as Aggregation

_EVER_S = 1 << 40
"""The chain has accepted these quotes: its clock was right, whatever ours says."""


class ReplayError(Exception):
    """The transactions do not lead to the feed account; the message says where they part."""


def samples_of(feed: Feed, address: str, transactions: Iterable[Mapping[str, Any]]) -> list[SampleRow]:
    """Every sample of ``feed`` from all its transactions, oldest first. Raises ReplayError when the hashes differ."""
    state = Aggregation(feed.n_publishers, feed.min_publishers, feed.start_unix_ms)
    number = {str(key): at for at, key in enumerate(feed.publishers[: feed.n_publishers])}
    rows: list[SampleRow] = []
    for transaction in transactions:
        for sender, act in _acts(transaction, address):
            if isinstance(act, bool):
                state.hold = act
                continue
            if sender not in number or state.hash_chain == feed.hash_chain:
                continue
            sample = state.push(number[sender], act, _EVER_S)
            if sample is None:
                continue
            start = state.periods[state.period - 1].start_play_ms
            rows.append(
                SampleRow(
                    sample_index=len(rows),
                    tick=state.tick,
                    period=state.period,
                    second=(sample.play_ms - start) // 1000,
                    x_e6=sample.x_e6,
                    mu_e6=sample.mu_e6,
                    s_e4=sample.s_e4 - S_BIAS,
                    conf_e4=sample.conf_e4,
                    data_ms=sample.data_ms,
                    play_ms=sample.play_ms,
                    area=sample.area,
                    suspend_epoch=sample.suspend_epoch,
                    slot=transaction["slot"],
                )
            )
    if state.hash_chain != feed.hash_chain:
        raise ReplayError(f"feed {address}: {len(rows)} samples replayed of {feed.samples}, the hash chains differ")
    return rows


def _acts(transaction: Mapping[str, Any], feed: str) -> Iterable[tuple[str, oracle.Quote | bool]]:
    """(signer, quote) of the pushes to ``feed`` in a transaction that succeeded, (signer, on) of its holds."""
    if transaction["meta"]["err"] is not None:
        return
    for program, accounts, data in calls(dict(transaction)):
        if program != oracle.PROGRAM_ID:
            continue
        try:
            name, arguments = oracle.PROGRAM.decode_instruction(data)
        except DecodeError:
            continue
        if name == "push_quote" and str(accounts[1]) == feed:
            yield str(accounts[0]), arguments.quote
        elif name == "set_hold" and str(accounts[2]) == feed:
            yield str(accounts[0]), arguments.on

"""From feed accounts to samples, without a gap and each once. Pure.

A feed account carries its newest 512 samples. Whoever sees every change of the account knows tick and slot of each
sample; of samples that came between two looks the tick follows from the play time, or the feed is read again from
its transactions (`backend.mirror.replay`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chain.clients.oracle import Feed
from momentum.pricing import S_BIAS

RING = 512


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One aggregated tick. ``slot`` is None when it was not seen landing."""

    sample_index: int
    tick: int
    period: int
    second: int
    x_e6: int
    mu_e6: int
    s_e4: int
    conf_e4: int
    data_ms: int
    play_ms: int
    area: int
    suspend_epoch: int
    slot: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """Samples first..last are not in the account any more, or their ticks are unknown: replay the transactions."""

    first: int
    last: int


@dataclass(slots=True)
class FeedProgress:
    """How far one feed has been read: samples stored, and tick and play time of the newest of them."""

    samples: int = 0
    tick: int = 0
    play_ms: int = 0

    def take(self, feed: Feed) -> list[SampleRow] | Missing:
        """The samples that are new in ``feed``; an older state of the account has none."""
        if feed.samples <= self.samples:
            return []
        missing = Missing(self.samples, feed.samples - 1)
        if feed.samples - self.samples > RING:
            return missing
        rings = [feed.ring[index % RING] for index in range(self.samples, feed.samples)]
        ticks = _ticks(self.tick, self.play_ms, [int(item["play_ms"]) for item in rings], feed.tick)
        if ticks is None:
            return missing
        rows = [
            _row(feed, self.samples + at, item, tick, feed.last_slot if at == len(rings) - 1 else None)
            for at, (item, tick) in enumerate(zip(rings, ticks, strict=True))
        ]
        self.stored(rows[-1])
        return rows

    def stored(self, newest: SampleRow) -> None:
        """Everything up to ``newest`` has been taken."""
        self.samples, self.tick, self.play_ms = newest.sample_index + 1, newest.tick, newest.play_ms


def _ticks(tick: int, play_ms: int, plays: list[int], last: int) -> list[int] | None:
    """Ticks of samples with these play times, the newest of which is ``last``; None when they do not fit."""
    if last - tick == len(plays):
        return list(range(tick + 1, last + 1))
    found = []
    for play in plays:
        tick += max(1, round((play - play_ms) / 1000))
        play_ms = play
        found.append(tick)
    return found if found[-1] == last else None


def period_of(feed: Feed, data_ms: int, play_ms: int) -> int:
    """Period in which a sample was taken, by the feed's marks."""
    period = max(1, feed.period)
    while period > 1:
        mark = feed.periods[period - 1]
        if data_ms >= mark.start_data_ms and play_ms >= mark.start_play_ms:
            break
        period -= 1
    return period


def _row(feed: Feed, index: int, item: Any, tick: int, slot: int | None) -> SampleRow:
    data_ms, play_ms = int(item["data_ms"]), int(item["play_ms"])
    period = period_of(feed, data_ms, play_ms)
    return SampleRow(
        sample_index=index,
        tick=tick,
        period=period,
        second=(play_ms - feed.periods[period - 1].start_play_ms) // 1000,
        x_e6=int(item["x_e6"]),
        mu_e6=int(item["mu_e6"]),
        s_e4=int(item["s_e4"]) - S_BIAS,
        conf_e4=int(item["conf_e4"]),
        data_ms=data_ms,
        play_ms=play_ms,
        area=int(item["area"]),
        suspend_epoch=int(item["suspend_epoch"]),
        slot=slot,
    )


def feed_values(feed: Feed) -> dict[str, Any]:
    """The columns of `feeds`, without address and slot."""
    return {
        "chain_id": bytes(feed.match_id),
        "config": str(feed.config),
        "methodology": bytes(feed.methodology).hex(),
        "publishers": [str(key) for key in feed.publishers[: feed.n_publishers]],
        "min_publishers": feed.min_publishers,
        "start_unix_ms": feed.start_unix_ms,
        "status": feed.status,
        "period": feed.period,
        "in_break": feed.in_break == 1,
        "suspend_reason": feed.suspend_reason,
        "suspend_epoch": feed.suspend_epoch,
        "samples": feed.samples,
        "tick": feed.tick,
        "data_ms": feed.data_ms,
        "play_ms": feed.play_ms,
        "revised": feed.revised,
        "left_out_ms": feed.left_out_ms,
        "hash_chain": bytes(feed.hash_chain).hex(),
        "periods": [
            {
                "start_play_ms": mark.start_play_ms,
                "end_play_ms": mark.end_play_ms,
                "start_data_ms": mark.start_data_ms,
                "end_data_ms": mark.end_data_ms,
                "start_area": mark.start_area,
                "end_area": mark.end_area,
            }
            for mark in feed.periods
        ],
        "minute_area": feed.minute_area.tolist(),
        "minute_left_out_ms": feed.minute_left_out_ms.tolist(),
    }


def match_id_of(chain_id: bytes) -> str:
    """The match's id: the ASCII text of the 32 bytes, or their hex when they are a hash."""
    text = chain_id.rstrip(b"\0")
    try:
        name = text.decode("ascii")
    except UnicodeDecodeError:
        return chain_id.hex()
    return name if name and name.isprintable() else chain_id.hex()

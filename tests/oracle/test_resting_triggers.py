"""The planner looks at the last seconds of a feed only, and finds what a look at all of its ring would find."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from chain.clients import market as m
from chain.clients import oracle
from momentum import pricing
from oracle import resting
from oracle.resting import CANCEL_GRACE_MS, LIMIT, STOP_LOSS, TAKE_PROFIT, TRIGGER_LIFE_MS, Samples, triggers

RING = 24
START_MS = 1_750_000_000_000
WINDOW = replace(m.Window.decode(bytes(m.Window.SPACE)), end_ms=900_000, k_e6=80_000_000)
ORDER = m.Order.decode(bytes(m.Order.SPACE))
POSITION = m.Position.decode(bytes(m.Position.SPACE))
FEED = oracle.Feed.decode(bytes(oracle.Feed.SPACE))


def plain(samples: Samples, order: m.Order, window: m.Window, position: m.Position) -> Iterator[int]:
    """Try every sample of the ring, as the program would if somebody named each."""
    newest = samples.newest
    if newest < 0:
        return
    newest_ms = samples.ms(newest)
    if order.until_ms and newest_ms >= order.until_ms + order.delay_ms + CANCEL_GRACE_MS:
        return
    for index in range(max(order.commit_samples, newest + 1 - RING, 0), newest + 1):
        at_ms = samples.ms(index)
        ripe = (number for number in range(index + 1, newest + 1) if samples.ms(number) >= at_ms + order.delay_ms)
        fill = next(ripe, None)
        if fill is None or newest_ms > samples.ms(fill) + TRIGGER_LIFE_MS:
            continue
        if at_ms < order.commit_ms or (order.until_ms and at_ms >= order.until_ms):
            continue
        if samples.epoch(index) % 2 or not samples.epoch(index) == samples.epoch(fill) == samples.epoch(newest):
            continue
        if samples.period(index) != samples.period(fill):
            continue
        here, there = samples.priced(index, window), samples.priced(fill, window)
        if resting._condition(order, here, window, position) and resting._fills(order, there, window, position):
            yield index


def a_feed(rng: random.Random) -> Samples:
    """Up to twice the ring: mostly seconds, some gaps, samples that share an instant, suspensions, a second half."""
    count, half_time = rng.randrange(2 * RING), rng.randrange(8 * RING)
    pace = rng.choice(((1_000,), (0, 1_000, 1_000, 1_000, 2_000), (0, 1, 999, 1_001, 3_000, 5_000, 12_000)))
    ring, marks = np.zeros(RING, oracle.SAMPLE_DTYPE), list(FEED.periods)
    area = data_ms = epoch = 0
    for number in range(count):
        step_ms, x_e6 = rng.choice(pace), rng.randrange(30, 70) * 1_000_000
        data_ms, area, epoch = data_ms + step_ms, area + x_e6 * step_ms, epoch + (rng.random() < 0.02)
        if number == half_time:
            marks[1] = replace(marks[1], start_data_ms=data_ms, start_play_ms=data_ms, start_area=area)
        ring[number % RING] = (area, data_ms, data_ms, x_e6, x_e6, pricing.S_BIAS, 100, epoch)
    last = {"samples": count, "data_ms": data_ms, "play_ms": data_ms, "suspend_epoch": epoch}
    period = 1 + (half_time < count)
    return Samples(replace(FEED, start_unix_ms=START_MS, ring=ring, period=period, periods=tuple(marks), **last))


def an_order(rng: random.Random, samples: Samples) -> m.Order:
    """A resting order of any kind, committed and perhaps ending somewhere near what the feed has seen last."""
    delay_ms, last = rng.choice((3_000, 5_000, 5_001, 15_000)), samples.feed.data_ms
    closed_ms = last - delay_ms - CANCEL_GRACE_MS
    until_ms = rng.choice((None, None, last, last - 5_000, closed_ms, closed_ms + 1))
    return replace(
        ORDER,
        kind=rng.choice((LIMIT, LIMIT, STOP_LOSS, TAKE_PROFIT)),
        side=rng.choice((0, 1)),
        flags=rng.choice((0, 1)),
        qty_e6=1_000_000,
        limit_e6=rng.choice((0, 45_000_000, 50_000_000, 100_000_000)),
        trigger_e6=rng.randrange(30, 70) * 1_000_000,
        delay_ms=delay_ms,
        commit_ms=START_MS + rng.choice((0, 0, last // 2, max(0, last - 8_000))),
        commit_samples=rng.choice((0, 0, 0, RING // 2, max(0, samples.newest - 6), samples.newest + 1)),
        until_ms=0 if until_ms is None else START_MS + until_ms,
    )


@pytest.mark.parametrize("seed", range(4))
def test_looking_at_the_last_seconds_finds_what_a_look_at_every_sample_finds(seed: int) -> None:
    rng, several = random.Random(seed), 0
    for case in range(1_500):
        samples = a_feed(rng)
        order = an_order(rng, samples)
        position = replace(POSITION, side=rng.choice((0, 1)), qty_e6=rng.choice((0, 2_000_000)))
        found = list(triggers(samples, order, WINDOW, position))
        assert found == list(plain(samples, order, WINDOW, position)), case
        several += len(found) > 1
    assert several > 60  # not for want of triggers

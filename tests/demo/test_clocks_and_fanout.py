"""One loop at every speed: the clock moves as told, and components acknowledge or conflate."""

from __future__ import annotations

import asyncio

import pytest

from backend.demo.clocks import LockstepClock, ScaledClock, parse_speed
from backend.demo.fanout import Fanout


async def test_the_lockstep_clock_moves_the_chain_and_never_back() -> None:
    moves: list[int] = []

    async def set_clock(unix_ms: int) -> None:
        moves.append(unix_ms)

    clock = LockstepClock(set_clock)
    for target in (1_000, 900, 1_000, 2_000):
        await clock.sleep_until(target)
    assert moves == [1_000, 2_000]
    assert clock.late_ms(0) == 0


async def test_the_scaled_clock_runs_at_its_speed_and_knows_how_late_it_is() -> None:
    wall = [10.0]
    clock = ScaledClock(60, lambda: wall[0])
    clock.start(1_000_000)
    wall[0] += 0.5
    assert clock.now_ms() == 1_030_000
    assert clock.late_ms(1_024_000) == pytest.approx(100)
    await clock.sleep_until(1_030_000)  # already there: returns at once


@pytest.mark.parametrize(("text", "speed"), [("max", None), ("60", 60.0), ("1", 1.0), ("0.5", 0.5)])
def test_speeds_are_factors_or_max(text: str, speed: float | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "1e9"])
def test_a_wrong_speed_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="number from 0.1 to 600, or max"):
        parse_speed(text)


async def test_in_lockstep_every_handler_has_finished_when_publish_returns() -> None:
    seen: list[tuple[str, int]] = []

    def handler(name: str):
        async def handle(tick: int) -> None:
            await asyncio.sleep(0)
            seen.append((name, tick))

        return handle

    fanout: Fanout[int] = Fanout([handler("a"), handler("b")], lockstep=True)
    await fanout.publish(1)
    await fanout.publish(2)
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


async def test_a_slow_handler_skips_to_the_newest_tick_and_does_not_hold_up_the_fast_one() -> None:
    slow_seen: list[int] = []
    fast_seen: list[int] = []
    gate = asyncio.Event()

    async def slow(tick: int) -> None:
        slow_seen.append(tick)
        await gate.wait()

    async def fast(tick: int) -> None:
        fast_seen.append(tick)

    fanout: Fanout[int] = Fanout([slow, fast], lockstep=False)
    for tick in range(1, 6):
        await fanout.publish(tick)
        await asyncio.sleep(0.001)
    gate.set()
    await fanout.drain()
    await fanout.close()
    assert slow_seen == [1, 5]
    assert fast_seen == [1, 2, 3, 4, 5]
    assert fanout.skipped == 3


async def test_an_error_in_a_handler_surfaces_at_the_next_publish() -> None:
    async def broken(tick: int) -> None:
        raise RuntimeError("broken component")

    fanout: Fanout[int] = Fanout([broken], lockstep=False)
    await fanout.publish(1)
    await asyncio.sleep(0.001)
    with pytest.raises(RuntimeError, match="broken component"):
        await fanout.publish(2)

"""A stop is a stop."""

from __future__ import annotations

import asyncio

import pytest

from chain.tasks import stop


async def test_a_task_that_swallows_the_first_cancellation_is_stopped_all_the_same() -> None:
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await asyncio.wait_for(stop(task, None), 10)
    assert (task.cancelled(), swallowed) == (True, 2)


async def test_stopping_tells_what_a_task_has_failed_with_unless_asked_to_be_quiet() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(broken())
    await asyncio.wait({task})
    await stop(task, quiet=True)
    with pytest.raises(ValueError, match="broken"):
        await stop(task)


async def test_whoever_stops_a_task_can_be_stopped() -> None:
    async def never() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if done.is_set():
                    raise

    done = asyncio.Event()
    task = asyncio.create_task(never())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stop(task)
    done.set()
    await stop(task)

"""Ending tasks for sure."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for them; what they raise is dropped.

    `asyncio.wait_for` of Python 3.11, which the clients use, forgets a cancellation that comes together with its
    result: a task would live on, so it is cancelled until it ends.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)
    await asyncio.gather(*tasks, return_exceptions=True)

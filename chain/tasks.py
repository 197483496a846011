"""Stopping background tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

ASK_AGAIN_S = 0.5


async def stop(*tasks: asyncio.Task[Any] | None, quiet: bool = False) -> None:
    """Cancel ``tasks`` (None is allowed) and return when all have ended.

    Raises what one of them failed with, unless ``quiet``. Asks until they end: up to Python 3.11 a cancellation that
    meets a finished ``asyncio.wait_for`` inside a task (database and network libraries use it) is lost, and whoever
    asked once would wait for ever.
    """
    asked = {task for task in tasks if task is not None}
    running = {task for task in asked if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=ASK_AGAIN_S)
    for task in asked:
        if not task.cancelled() and task.exception() is not None and not quiet:
            task.result()

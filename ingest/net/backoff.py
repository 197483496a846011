"""When to try again: exponential backoff with full jitter, and what a server says in ``Retry-After``. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_MS = 15 * 60_000
"""A server that asks for more silence than this is tried again all the same: it may have meant another unit."""


@dataclass(slots=True)
class Backoff:
    """The n-th failure in a row waits a random time of up to ``base_ms * 2**n``, at most ``cap_ms`` (full jitter)."""

    rng: random.Random
    base_ms: int = 500
    cap_ms: int = 30_000
    failures: int = 0

    def next_ms(self) -> int:
        """Count one more failure and tell how long to wait."""
        ceiling = min(self.cap_ms, self.base_ms << min(self.failures, 20))
        self.failures += 1
        return self.rng.randint(0, ceiling)

    def reset(self) -> None:
        """It worked."""
        self.failures = 0


def retry_after_ms(value: str | None, now_unix_ms: int) -> int:
    """How long a ``Retry-After`` header asks to wait (seconds, or an HTTP date); 0 where it says nothing usable."""
    if not value:
        return 0
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]) * 1000, MAX_RETRY_AFTER_MS)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        wait_ms = int(moment.timestamp() * 1000) - now_unix_ms
    except (OverflowError, ValueError):
        return 0
    return min(max(wait_ms, 0), MAX_RETRY_AFTER_MS)

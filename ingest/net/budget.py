"""How many requests a credential may make, shared by every match that uses it.

`Bucket` is the pure core: a token bucket with a quota of the day and of the month (UTC). When little of a quota is
left, requests are spread over the rest of its time, so that polling slows down and does not stop. `Gate` is the queue
before it: matches in play first, among equals the one that was served longest ago.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingest.net.plan import BudgetSpec, Phase

SPREAD_BELOW = 0.2
"""When less than this share of a quota is left, the rest is spread over the rest of its time."""
PATIENCE_MS = 60_000
"""Who waited so long goes before matches in play, so that nothing starves."""


@dataclass(slots=True)
class _Quota:
    """Requests within a calendar period of UTC."""

    limit: int
    period: Callable[[datetime], tuple[datetime, datetime]]
    used: int = 0
    start: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    end: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def roll(self, now: datetime) -> None:
        if not self.start <= now < self.end:
            self.start, self.end = self.period(now)
            self.used = 0

    def gap_ms(self, now: datetime) -> int:
        """Least time between two requests that the quota stands now; until its end where nothing is left."""
        left = self.limit - self.used
        rest_ms = max(1, int((self.end - now).total_seconds() * 1000))
        if left <= 0:
            return rest_ms
        return rest_ms // left if left < SPREAD_BELOW * self.limit else 0


def _day(now: datetime) -> tuple[datetime, datetime]:
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def _month(now: datetime) -> tuple[datetime, datetime]:
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)


class Bucket:
    """Asks first (`wait_ms`), takes then (`take`); the clock is Unix ms and may not run back by much."""

    def __init__(self, spec: BudgetSpec, now_unix_ms: int) -> None:
        self.spec = spec
        self._tokens = float(spec.burst)
        self._at_ms = now_unix_ms
        self._taken_ms = -(10**15)
        self._quotas: dict[str, _Quota] = {}
        if spec.per_day is not None:
            self._quotas["day"] = _Quota(spec.per_day, _day)
        if spec.per_month is not None:
            self._quotas["month"] = _Quota(spec.per_month, _month)
        self._roll(now_unix_ms)

    def wait_ms(self, now_unix_ms: int) -> int:
        """How long until a request may go; 0: now."""
        self._refill(now_unix_ms)
        waits = [0]
        if self._tokens < 1:
            waits.append(int((1 - self._tokens) / self.spec.per_s * 1000) + 1)
        now = self._roll(now_unix_ms)
        for quota in self._quotas.values():
            gap = quota.gap_ms(now)
            # With nothing left the gap is the wait; otherwise it counts from the last request.
            waits.append(gap if quota.used >= quota.limit else gap - (now_unix_ms - self._taken_ms))
        return max(waits)

    def take(self, now_unix_ms: int) -> None:
        """One request goes out."""
        self._refill(now_unix_ms)
        self._tokens -= 1
        self._taken_ms = now_unix_ms
        self._roll(now_unix_ms)
        for quota in self._quotas.values():
            quota.used += 1

    def short(self, now_unix_ms: int) -> bool:
        """Whether a quota, rather than the rate, is what holds requests back."""
        now = self._roll(now_unix_ms)
        return any(quota.gap_ms(now) > 0 for quota in self._quotas.values())

    def used(self) -> dict[str, int]:
        """Requests of this day and month, for a process that keeps the count over a restart."""
        return {name: quota.used for name, quota in self._quotas.items()}

    def restore(self, used: dict[str, int], now_unix_ms: int) -> None:
        """Go on from a count kept of the same day and month."""
        self._roll(now_unix_ms)
        for name, quota in self._quotas.items():
            quota.used = max(quota.used, used.get(name, 0))

    def _refill(self, now_unix_ms: int) -> None:
        passed = max(0, now_unix_ms - self._at_ms)
        self._tokens = min(float(self.spec.burst), self._tokens + passed * self.spec.per_s / 1000)
        self._at_ms = max(self._at_ms, now_unix_ms)

    def _roll(self, now_unix_ms: int) -> datetime:
        now = datetime.fromtimestamp(now_unix_ms / 1000, UTC)
        for quota in self._quotas.values():
            quota.roll(now)
        return now


@dataclass(slots=True, eq=False)
class _Waiting:
    match_id: str
    phase: Phase
    since_ms: int
    seq: int
    turn: asyncio.Future[None] = field(default_factory=asyncio.Future)


class Gate:
    """The queue before a bucket. ``counts`` gains ``budget_waited`` and ``budget_short``."""

    def __init__(self, bucket: Bucket, now_ms: Callable[[], int], counts: Counter[str]) -> None:
        self.bucket = bucket
        self._now_ms = now_ms
        self._counts = counts
        self._waiting: list[_Waiting] = []
        self._served: dict[str, int] = {}
        self._seq = 0
        self._pump: asyncio.Task[None] | None = None

    async def admit(self, match_id: str, phase: Phase) -> None:
        """Return when this match may send one request. Cancelling gives the place up and takes no token."""
        now = self._now_ms()
        if not self._waiting and self.bucket.wait_ms(now) == 0:
            self._serve(match_id, now)
            return
        self._counts["budget_waited"] += 1
        if self.bucket.short(now):
            self._counts["budget_short"] += 1
        self._seq += 1
        waiting = _Waiting(match_id, phase, now, self._seq)
        self._waiting.append(waiting)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run())
        try:
            await waiting.turn
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def forget(self, match_id: str) -> None:
        """The match is over."""
        self._served.pop(match_id, None)

    def _serve(self, match_id: str, now: int) -> None:
        self.bucket.take(now)
        self._seq += 1
        self._served[match_id] = self._seq

    async def _run(self) -> None:
        while self._waiting:
            now = self._now_ms()
            wait = self.bucket.wait_ms(now)
            if wait:
                await asyncio.sleep(min(wait, PATIENCE_MS) / 1000)
                continue
            best = min(self._waiting, key=lambda w: self._rank(w, now))
            self._waiting.remove(best)
            if not best.turn.done():
                self._serve(best.match_id, now)
                best.turn.set_result(None)
            await asyncio.sleep(0)

    def _rank(self, waiting: _Waiting, now: int) -> tuple[int, int, int]:
        urgency = -1 if now - waiting.since_ms >= PATIENCE_MS else int(waiting.phase)
        return (urgency, self._served.get(waiting.match_id, 0), waiting.seq)

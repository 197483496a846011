"""Which RPC endpoint to ask next. Pure: the time is an argument.

An endpoint that fails rests for a while (longer each time in a row); one that is behind the others rests too.
Resting endpoints are still tried, last, when nothing else is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

FIRST_REST_S = 0.5
LONGEST_REST_S = 30.0
DENIED_REST_S = 60.0


@dataclass(slots=True)
class Endpoint:
    """One endpoint and what is known about it. Times are seconds of a monotonic clock."""

    url: str
    resting_until_s: float = 0.0
    failures_in_row: int = 0
    slot: int = 0
    calls: int = 0
    failures: int = 0
    last_failure: str = ""


@dataclass(slots=True)
class Endpoints:
    """All endpoints in the order of preference."""

    items: list[Endpoint]
    max_slot_lag: int = 100
    newest_slot: int = field(default=0)

    @staticmethod
    def of(urls: Sequence[str], max_slot_lag: int) -> Endpoints:
        """Build from URLs, the preferred one first; raises `ValueError` when there is none."""
        if not urls:
            raise ValueError("an RPC pool needs at least one endpoint")
        return Endpoints([Endpoint(url) for url in urls], max_slot_lag)

    def order(self, now_s: float) -> list[Endpoint]:
        """Return every endpoint, rested ones in order of preference, then the others by the end of their rest."""
        rested = [item for item in self.items if item.resting_until_s <= now_s]
        resting = [item for item in self.items if item.resting_until_s > now_s]
        return rested + sorted(resting, key=lambda item: item.resting_until_s)

    def succeeded(self, item: Endpoint) -> None:
        """Note an answer."""
        item.calls += 1
        item.failures_in_row = 0
        item.resting_until_s = 0.0

    def failed(self, item: Endpoint, now_s: float, reason: str, *, rest_s: float | None = None) -> None:
        """Note a failure; `rest_s` is what the endpoint itself asked for (Retry-After)."""
        item.calls += 1
        item.failures += 1
        item.failures_in_row += 1
        item.last_failure = reason
        backoff = min(FIRST_REST_S * 2 ** (item.failures_in_row - 1), LONGEST_REST_S)
        item.resting_until_s = now_s + (backoff if rest_s is None else max(rest_s, 0.0))

    def saw_slot(self, item: Endpoint, slot: int) -> bool:
        """Note the slot of an answer; return False when it is too far behind what the pool has seen."""
        item.slot = max(item.slot, slot)
        self.newest_slot = max(self.newest_slot, slot)
        return slot + self.max_slot_lag >= self.newest_slot

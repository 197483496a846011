"""What a live feed brings: bytes with the time they came, or the news that the line was lost or is back.

Every transport is a `Source`. The consumer hands `DOCUMENT` bodies to `Session.document` and each JSON object of a
`FRAGMENTS` body to `Session.fragment`; the other kinds only move the health of the feed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ArrivalKind(StrEnum):
    """What came."""

    DOCUMENT = "document"  # ``body`` is a whole document as the provider sent it, decompressed
    FRAGMENTS = "fragments"  # ``body`` is one JSON object a line, each ends with a newline
    HEARTBEAT = "heartbeat"  # the line is alive and has nothing to say
    UNCHANGED = "unchanged"  # the provider says that its document is the one we have (304)
    LOST = "lost"  # nothing can be relied on from here to RESTORED; ``note`` says why
    RESTORED = "restored"  # whole again: what was missed, if anything, came in the arrivals just before


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that came, at ``at_ms`` (Unix ms, the injected clock, taken when its last byte was read).

    ``note`` is for people and never holds a secret.
    """

    at_ms: int
    kind: ArrivalKind
    body: bytes = b""
    note: str = ""


class Source(Protocol):
    """One live feed of one match. Iterate it once; it ends when the match's feed is over or it is closed."""

    def __aiter__(self) -> AsyncIterator[Arrival]:
        """The arrivals in order. Raises FeedError only for what no retry can mend (refused credentials)."""
        ...

    def forget(self) -> None:
        """The last document was no use to the session (broken, or doubted): bring it whole again, and not the news
        that it is unchanged."""
        ...

    async def close(self) -> None:
        """Stop, and free the connection. Idempotent; an iteration under way ends."""
        ...

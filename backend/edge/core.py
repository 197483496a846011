"""The stream's protocol without I/O: channels of frames, and where each client stands in them.

A channel keeps its newest frames once for everybody; a client is a position in it. A client that falls behind the
frames kept, or further than `max_lag`, is not sent the past: it gets a new snapshot and goes on from there, so a
slow socket costs no memory and always catches up with the present.

Frames are JSON text, each with a `type`: snapshot, delta, heartbeat, pong, error.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

RING = 1_024
MAX_LAG = 512
MAX_BATCH = 64
HEARTBEAT_S = 3.0
MAX_MESSAGE_CHARS = 1_024
MAX_HELD = 10_000


def delta_frame(match_id: str, offset: int, kind: str, body: str) -> str:
    """One delta as every client gets it; ``body`` is JSON text already."""
    return (
        f'{{"type":"delta","match":{orjson.dumps(match_id).decode()},"offset":{offset},"kind":"{kind}","data":{body}}}'
    )


def frame(kind: str, **fields: Any) -> str:
    """A frame that is not a delta."""
    return orjson.dumps({"type": kind, **fields}, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z).decode()


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets that must be fetched before anything newer can be sent, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class NeedSnapshot:
    """The client must be given a snapshot before anything else."""


class Channel:
    """The newest frames of one match, in order and without a hole."""

    def __init__(self, match_id: str) -> None:
        self.match_id = match_id
        self.last: int | None = None  # None until `load`
        self._frames: deque[str] = deque(maxlen=RING)
        self._held: dict[int, str] = {}  # ahead of a hole, by offset

    @property
    def first(self) -> int:
        """The oldest offset that is kept; one past `last` when none is."""
        return (self.last or 0) - len(self._frames) + 1

    def load(self, last: int, deltas: list[tuple[int, str, str]]) -> None:
        """Begin at offset ``last`` with the (offset, kind, body) that end there; what arrived meanwhile follows."""
        self.last = last
        self._frames.extend(delta_frame(self.match_id, *delta) for delta in deltas if delta[0] <= last)
        self._release()

    def push(self, offset: int, kind: str, body: str) -> bool:
        """Add a delta; True when it, or what it unlocked, can be sent. Known offsets are ignored."""
        if self.last is not None and offset <= self.last:
            return False
        if len(self._held) < MAX_HELD:
            self._held[offset] = delta_frame(self.match_id, offset, kind, body)
        return self._release()

    def announce(self, offset: int) -> None:
        """A delta exists whose body must be fetched: `gap` will name it."""
        if self.last is not None and offset > self.last:
            self._held.setdefault(offset + 1, "")

    def _release(self) -> bool:
        if self.last is None:
            return False
        before = self.last
        while self._held.get(self.last + 1):
            self.last += 1
            self._frames.append(self._held.pop(self.last))
        for offset in [at for at, text in self._held.items() if at <= self.last or (not text and at == self.last + 1)]:
            del self._held[offset]
        return self.last != before

    def gap(self) -> Gap | None:
        """What is missing before the deltas that have arrived."""
        if self.last is None or not self._held:
            return None
        return Gap(self.last + 1, min(self._held) - 1)

    def skip_to(self, offset: int) -> None:
        """Give up what cannot be had any more: every client will need a snapshot."""
        self.last = offset
        self._frames.clear()
        self._release()

    def after(self, offset: int, limit: int) -> list[str] | None:
        """Up to ``limit`` frames that follow ``offset``; None when they are not kept any more."""
        if self.last is None or offset >= self.last:
            return []
        start = offset + 1 - self.first
        if start < 0:
            return None
        stop = min(len(self._frames), start + limit)
        return [self._frames[at] for at in range(start, stop)]


@dataclass(slots=True)
class Client:
    """One subscriber: what it has been sent, and what it must be sent next. Times are seconds of any steady clock."""

    channel: Channel
    position: int | None = None  # the last offset it has; None before the first snapshot
    max_lag: int = MAX_LAG
    heartbeat_s: float = HEARTBEAT_S
    last_sent_s: float = 0.0
    resynced: int = 0
    _replies: list[str] = field(default_factory=list)

    def resume(self, offset: int) -> None:
        """Go on after ``offset`` if the channel still has what follows; otherwise start with a snapshot."""
        last = self.channel.last
        if last is not None and self.channel.first - 1 <= offset <= last and last - offset <= self.max_lag:
            self.position = offset
            self._replies.append(frame("resumed", match=self.channel.match_id, offset=offset))

    def take(self, now_s: float) -> list[str] | NeedSnapshot:
        """What to send now; an empty list when there is nothing."""
        out, self._replies = self._replies, []
        if out:
            self.last_sent_s = now_s
            return out
        if self.position is None:
            return NeedSnapshot()
        if (self.channel.last or 0) - self.position > self.max_lag:
            return self._fall_behind()
        frames = self.channel.after(self.position, MAX_BATCH)
        if frames is None:
            return self._fall_behind()
        if frames:
            self.position += len(frames)
            self.last_sent_s = now_s
        elif now_s - self.last_sent_s >= self.heartbeat_s:
            self.last_sent_s = now_s
            return [frame("heartbeat", match=self.channel.match_id, offset=self.position)]
        return frames

    def _fall_behind(self) -> NeedSnapshot:
        self.position = None
        self.resynced += 1
        return NeedSnapshot()

    def snapshot_sent(self, offset: int, now_s: float) -> None:
        """The client has a snapshot as of ``offset``."""
        self.position = offset
        self.last_sent_s = now_s

    def receive(self, text: str) -> None:
        """A message of the client: ping is answered, resync asks for a snapshot, the rest is told to be wrong."""
        try:
            kind = orjson.loads(text)["type"] if len(text) <= MAX_MESSAGE_CHARS else None
        except (orjson.JSONDecodeError, KeyError, TypeError):
            kind = None
        if kind == "ping":
            self._replies.append(frame("pong", offset=self.position))
        elif kind == "resync":
            self.position = None
        else:
            self._replies.append(
                frame("error", code="bad_message", detail='Send {"type":"ping"} or {"type":"resync"} and nothing else.')
            )

    def wait_s(self, now_s: float) -> float:
        """Seconds until a heartbeat is due."""
        return max(0.0, self.last_sent_s + self.heartbeat_s - now_s)

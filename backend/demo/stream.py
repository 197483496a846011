"""A client of the public stream, as a phone would be one: it keeps what it was told and can be waited on."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chain.tasks import stop

KEEP = 200


class Stream:
    """Follows one match. ``tick`` is the newest confirmed one, ``rows`` the newest rows by kind and id."""

    def __init__(self, url: str, match_id: str) -> None:
        self._url = f"{url}/v1/stream?match={match_id}"
        self.tick = 0
        self.offset = -1
        self.gaps = 0
        self.counts: Counter[str] = Counter()
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.ends: Counter[str] = Counter()  # ended orders by reason
        self.pool: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await stop(self._task)

    async def reached(self, tick: int, timeout_s: float = 30.0) -> None:
        """Return when the stream has shown ``tick`` or a later one as confirmed. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._moved:
            await self._moved.wait_for(lambda: self.tick >= tick or self._broken())

    def _broken(self) -> bool:
        if self._task is not None and self._task.done():
            self._task.result()
            raise ConnectionError("the stream ended")
        return False

    async def _follow(self) -> None:
        while True:
            resume = f"&offset={self.offset}" if self.offset >= 0 else ""
            try:
                async with connect(self._url + resume, max_size=None, compression=None) as socket:
                    async for text in socket:
                        await self._take(orjson.loads(text))
            except (ConnectionClosed, OSError):
                await asyncio.sleep(0.2)  # the backend restarts: go on from the last offset

    async def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] not in ("snapshot", "delta"):
            return
        if frame["type"] == "delta":
            self.gaps += frame["offset"] != self.offset + 1
            self._delta(frame["kind"], frame["data"])
        self.offset = frame["offset"]
        async with self._moved:
            self._moved.notify_all()

    def _delta(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "tick":
            if data["status"] != "live":
                self.tick = max(self.tick, data["tick"])
        elif kind == "pool":
            self.pool = data
        else:
            rows = self.rows.setdefault(kind, {})
            key = str(data.get("id") or data.get("event_id") or data.get("address") or self.offset)
            if key not in rows:  # the same row comes again when the chain has finalized it
                self.counts[kind] += 1
                self.ends[data.get("reason", "")] += kind == "trade"
            rows[key] = data
            while len(rows) > KEEP:
                del rows[next(iter(rows))]

"""Feeds that a provider delivers as files into a folder (FTP, SFTP, HTTP POST written down): each new version of a file
is a document.

A file counts when its size and time stood still for a poll, so that one that is still being written is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from fnmatch import fnmatch
from pathlib import Path

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.fetch import MAX_BODY_BYTES
from ingest.net.network import Network
from ingest.net.plan import FeedPlan, Phase

_State = tuple[int, int]  # size, modification time in ns


class FolderSource:
    """See `arrival.Source`. ``patterns`` name the match's files; a symbolic link out of the folder is not followed."""

    def __init__(
        self,
        plan: FeedPlan,
        folder: Path,
        patterns: tuple[str, ...],
        network: Network,
        phase: Callable[[int], Phase | None] | None = None,
        poll_ms: int = 500,
    ) -> None:
        if not folder.is_dir():
            raise FeedError("no_such_folder", f"{folder} is no folder: give the one the provider delivers into")
        self.plan = plan
        self._folder = folder.resolve()
        self._patterns = patterns
        self._network = network
        self._phase = phase or plan.span.phase
        self._poll_ms = poll_ms
        self._closed = asyncio.Event()
        self._seen: dict[Path, _State] = {}
        self._read: dict[Path, _State] = {}

    def forget(self) -> None:
        """Read the files again."""
        self._read.clear()

    async def close(self) -> None:
        """Stop. Idempotent."""
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        lost = False
        while not self._closed.is_set() and self._phase(self._network.now_ms()) is not None:
            try:
                bodies = await asyncio.to_thread(self._new)
            except OSError as error:
                if not lost:
                    lost = True
                    note = f"the folder cannot be read ({error.strerror})"
                    yield Arrival(self._network.now_ms(), ArrivalKind.LOST, note=note)
            else:
                for body in bodies:
                    yield Arrival(self._network.now_ms(), ArrivalKind.DOCUMENT, body)
                if lost:
                    lost = False
                    yield Arrival(self._network.now_ms(), ArrivalKind.RESTORED)
            try:
                async with asyncio.timeout(self._poll_ms / 1000):
                    await self._closed.wait()
            except TimeoutError:
                continue

    def _new(self) -> list[bytes]:
        """Files that are new or different and stood still since the last look, oldest first."""
        ready: list[tuple[int, Path]] = []
        for path in self._folder.iterdir():
            if not any(fnmatch(path.name, pattern) for pattern in self._patterns):
                continue
            if path.is_symlink() or not path.is_file():
                continue
            found = path.stat()
            state = (found.st_size, found.st_mtime_ns)
            if self._seen.get(path) == state and self._read.get(path) != state:
                ready.append((found.st_mtime_ns, path))
            self._seen[path] = state
        bodies = []
        for _, path in sorted(ready):
            self._read[path] = self._seen[path]
            if self._seen[path][0] > MAX_BODY_BYTES:
                self._network.counts["too_large"] += 1
                continue
            bodies.append(path.read_bytes())
        return bodies

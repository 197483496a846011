"""Why a feed brings nothing, or nothing of use: in words, for the person who watches a run."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ingest.events import FeedError
from ingest.live import Happened
from ingest.net.arrival import Arrival, ArrivalKind, Source

TROUBLE_CHARS = 160
"""Of each trouble so much stands in the line that says how the feeds are."""


class Troubles:
    """What is wrong with each feed at the moment, in words for the person who watches."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self._problem = ""

    def arrived(self, name: str, arrival: Arrival) -> None:
        """A feed that brings something again has no trouble any more."""
        if arrival.kind is ArrivalKind.LOST:
            self.failed(name, arrival.note or "lost")
        elif arrival.body or arrival.kind is ArrivalKind.RESTORED:
            self.lines.pop(name, None)

    def failed(self, name: str, text: str) -> None:
        """A feed is lost, or has ended for good."""
        self.lines[name] = f"{name}: {shown(text)}"

    def happened(self, happened: Happened) -> None:
        """Keep the newest content that could not be used; it is told once."""
        if happened.problems:
            newest = happened.problems[-1]
            self._problem = shown(f"[{newest.code}] {newest.where}: {newest.text}")

    def take(self) -> str:
        """All of it as the end of a line."""
        words = [*self.lines.values(), *([f"newest problem {self._problem}"] if self._problem else [])]
        self._problem = ""
        return "".join(f"; {word}" for word in words)


class Listened:
    """A source that also tells `Troubles` why it is lost. The session and the bus do not need to know; people do."""

    def __init__(self, name: str, source: Source, troubles: Troubles) -> None:
        self._name, self._source, self._troubles = name, source, troubles

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        try:
            async for arrival in self._source:
                self._troubles.arrived(self._name, arrival)
                yield arrival
                del arrival  # it may hold a document, and the next one may be long in coming
        except FeedError as error:
            self._troubles.failed(self._name, f"[{error.code}] {error}; it is not asked again")
            raise

    def forget(self) -> None:
        """See `Source`."""
        self._source.forget()

    async def close(self) -> None:
        """See `Source`."""
        await self._source.close()


def shown(text: str) -> str:
    """A provider's words, safe for a terminal."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= TROUBLE_CHARS else f"{plain[: TROUBLE_CHARS - 4]} ..."

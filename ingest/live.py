"""A match as its feeds bring it: arrivals in, lines for the journal and records for the bus out. A pure core.

The journal is a feed file (`ingest.feed`): one provider's, or several providers' fused (`ingest.fusion.journal`).
Everything that leaves for the bus is a function of the journal alone, numbers included. So a process that was killed
reads its journal, finds every session and the fusion as they were, and publishes what the bus lacks, under the same
numbers; whatever the bus has twice bears one number, by which consumers drop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from ingest.decoder import Decoded, Decoder, FusedDecoder, decoder
from ingest.events import FeedError, MatchInfo
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds.base import Adapter, Problem
from ingest.fusion import Switch
from ingest.fusion import journal as fused
from ingest.fusion.policy import Bounds, Thresholds
from ingest.history.journal import Entry, Journal
from ingest.identity.names import similarity
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.quality import Sign
from ingest.session import Delivery, Outcome, Session

TICK_MS = 250
"""Time is told to the fusion in these steps, whatever else happens: so the journal gives the same records again."""
WAIT_MS = 10_000
"""A standby that has not told who plays by then is left out of the match."""
SIGN_MS = 1_000
"""A sign of life is journalled so often: a push line may send more."""
SAME_TEAM = 0.9
"""Names less alike than this do not tell by themselves who is at home (docs/identity.md)."""
_SIGNS = {
    ArrivalKind.HEARTBEAT: Sign.HEARTBEAT,
    ArrivalKind.UNCHANGED: Sign.UNCHANGED,
    ArrivalKind.LOST: Sign.LOST,
    ArrivalKind.RESTORED: Sign.RESTORED,
}
_LIFE = frozenset({Sign.HEARTBEAT, Sign.UNCHANGED})
DOUBTS = frozenset({"shrunk_document"})
"""Problems after which the same document must be looked at again, so that the source may not answer 'unchanged'."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One provider of the match. ``sides`` are its ids of the match's home and away team, from the identity map; where
    they are not given, names must tell."""

    name: str
    adapter: Adapter
    match_id: str  # the provider's
    raw_info: fused.Doc | None = None  # its header, where its documents do not tell who plays
    sides: tuple[str, str] | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Happened:
    """What an arrival, or time, did: lines to keep first, then entries to publish. ``doubtful``: ask for it again."""

    lines: tuple[bytes, ...] = ()
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    switches: tuple[Switch, ...] = ()
    doubtful: bool = False


class LiveMatch:
    """Give it every arrival of every feed in order of time, and `tick` a few times a second."""

    def __init__(
        self, match_id: str, feeds: Sequence[Feed], *, bounds: Bounds | None = None, wait_ms: int = WAIT_MS
    ) -> None:
        """``feeds`` in order of preference. Raises FeedError for none, and for two of one name."""
        if not feeds or len({feed.name for feed in feeds}) != len(feeds):
            raise FeedError("bad_feeds", "a match needs at least one feed, and each a name of its own")
        if not getattr(feeds[0].adapter, "feeds_index", True):
            raise FeedError(
                "no_index_feed",
                f"{feeds[0].adapter.name} does not tell enough for an index: name another feed before it",
            )
        self.match_id = match_id
        self.header: FeedHeader | None = None
        self.decoder: Decoder | None = None
        self.sessions = {feed.name: _session(feed) for feed in feeds}
        self._feeds = {feed.name: feed for feed in feeds}
        self._bounds, self._wait_ms = bounds, wait_ms
        self._journal: Journal | None = None
        self._first_ms: int | None = None
        self._early: list[tuple[str, int, list[fused.Doc]]] = []
        self._ticked_ms = 0
        self._life_ms: dict[str, int] = {}

    def arrived(self, name: str, arrival: Arrival) -> Happened:
        """An arrival of feed ``name``. Never raises for bad content; FeedError ``sides_not_mapped`` when the feeds have
        told who plays and it stays open who is who."""
        if self._first_ms is None:
            self._first_ms = arrival.at_ms
        deliveries = self._deliveries(self.sessions[name], arrival)
        problems = tuple(problem for delivery in deliveries for problem in delivery.problems)
        doubtful = any(delivery.outcome is Outcome.BROKEN for delivery in deliveries)
        doubtful = doubtful or any(problem.code in DOUBTS for problem in problems)
        self._early.append((name, arrival.at_ms, self._docs(name, arrival, deliveries)))
        done = self._settle(arrival.at_ms)
        return Happened(done.lines, done.entries, problems + done.problems, done.switches, doubtful)

    def tick(self, at_ms: int) -> Happened:
        """Unix time has come to ``at_ms``."""
        if self.header is None:
            return self._settle(at_ms) if self._first_ms is not None else Happened()
        return self._passed(at_ms)

    def resume(self, header: FeedHeader, messages: Iterable[FeedMessage], published: int) -> tuple[Entry, ...]:
        """Take up a journal, before anything arrives. Returns what stands in it and not on the bus, where the last
        record is number ``published``.

        Raises FeedError ``journal_short`` when the bus holds more than the journal explains (its end was lost: to go
        on would give two records one number) and ``other_journal`` when it is another match's or other feeds'.
        """
        self._begin(header)
        assert self.decoder is not None
        left: list[Entry] = []
        last = 0
        for message in messages:
            name, doc = self._whose(message)
            if doc is not None:
                self.sessions[name].resume(doc)
            for entry in self._told([message], [], []):
                last = max([last, *(record.seq for record in entry.records)])
                if any(record.seq <= published for record in entry.records):
                    left.clear()  # whatever came before a record on the bus is there, too
                left.append(entry)
        if left and any(record.seq <= published for record in left[0].records):
            unsent = tuple(record for record in left[0].records if record.seq > published)
            left[0] = Entry(left[0].line, left[0].fragment, unsent, left[0].corrections)
        if published > last:
            raise FeedError(
                "journal_short",
                f"match {self.match_id} has {published} records on the bus and {last} in its journal: restore the "
                "journal, or publish the match under a new id",
            )
        return tuple(left)

    @property
    def active(self) -> str:
        """The feed that counts now; empty before there is one."""
        if isinstance(self.decoder, FusedDecoder):
            return self.decoder.fusion.condition.active
        return next(iter(self._feeds)) if self.decoder is not None else ""

    def _deliveries(self, session: Session, arrival: Arrival) -> list[Delivery]:
        if arrival.kind is ArrivalKind.DOCUMENT:
            return [session.document(arrival.body, arrival.at_ms)]
        if arrival.kind is not ArrivalKind.FRAGMENTS:
            return []
        return [session.fragment(_object(line), arrival.at_ms) for line in arrival.body.splitlines() if line.strip()]

    def _docs(self, name: str, arrival: Arrival, deliveries: Iterable[Delivery]) -> list[fused.Doc]:
        """What of an arrival stands in a fused journal."""
        docs: list[fused.Doc] = []
        for delivery in deliveries:
            docs += fused.lines(name, delivery)
        if (sign := _SIGNS.get(arrival.kind)) is not None:
            docs.append(fused.sign(name, sign))
        signs = {doc.get("sign") for doc in docs}
        if docs and signs <= _LIFE:
            if arrival.at_ms - self._life_ms.get(name, -SIGN_MS) < SIGN_MS:
                return []
            docs = docs[-1:]
            self._life_ms[name] = arrival.at_ms
        return docs

    def _settle(self, at_ms: int) -> Happened:
        """Once it is known who plays, tell the decoder what has arrived."""
        opening: list[bytes] = []
        if self.header is None:
            assert self._first_ms is not None
            known = [feed for feed in self._feeds.values() if self._told_who(feed)]
            waiting = len(known) < len(self._feeds) and at_ms - self._first_ms < self._wait_ms
            if not known or waiting:
                return Happened()
            header = self._make_header(known, self._first_ms // 1000 * 1000)
            self._begin(header)
            opening = [header.line]
        problems: list[Problem] = []
        switches: list[Switch] = []
        messages = [message for early in self._early for message in self._messages(*early)]
        self._early.clear()
        entries = self._told(messages, problems, switches)
        lines = (*opening, *(message.line for message in messages))
        return Happened(lines, tuple(entries), tuple(problems), tuple(switches))

    def _told_who(self, feed: Feed) -> bool:
        session = self.sessions[feed.name]
        return session.info is not None and session.raw_info is not None

    def _make_header(self, known: Sequence[Feed], start_ms: int) -> FeedHeader:
        """One provider's header, or the fused one. Raises FeedError ``sides_not_mapped`` where names do not tell."""
        infos = {feed.name: self.sessions[feed.name] for feed in known}
        first = known[0]
        raw_info = infos[first.name].raw_info
        assert raw_info is not None
        if len(self._feeds) == 1:
            return FeedHeader.make(first.adapter.name, self.match_id, start_ms, 0, raw_info)
        routes = []
        base = infos[first.name].info
        assert base is not None
        home = first.sides or (base.home.team_id, base.away.team_id)
        exchanged = home[0] == base.away.team_id
        for feed in known:
            session = infos[feed.name]
            assert session.info is not None
            assert session.raw_info is not None
            sides = feed.sides or (home if feed is first else _sides(base, session.info, feed.name, exchanged))
            routes.append(
                fused.Route(feed.name, feed.adapter.name, session.raw_info, *sides, thresholds=feed.thresholds)
            )
        return fused.header(self.match_id, start_ms, 0, routes, self._bounds)

    def _begin(self, header: FeedHeader) -> None:
        names = (
            [route.name for route in fused.routes_of(header.info)[0]]
            if header.provider == fused.FUSED
            else [feed.name for feed in self._feeds.values() if feed.adapter.name == header.provider]
        )
        if header.match_id != self.match_id or not names or not set(names) <= set(self._feeds):
            raise FeedError(
                "other_journal",
                f"the journal is of match {header.match_id[:40]} from {', '.join(names) or header.provider}, not of "
                f"{self.match_id[:40]} from {', '.join(self._feeds)}: give another folder",
            )
        self.header, self.decoder, self._journal = header, decoder(header), Journal(header)
        for name in names:
            session = self.sessions[name]
            if session.info is None:
                raw_info = header.info
                if header.provider == fused.FUSED:
                    raw_info = next(row["info"] for row in header.info["providers"] if row["name"] == name)
                session.info, session.raw_info = session.adapter.info(raw_info), raw_info
                session.timeline.match = session.info
        self._names = frozenset(names)

    def _messages(self, name: str, at_ms: int, docs: Iterable[fused.Doc]) -> list[FeedMessage]:
        """The journal's lines of one arrival."""
        assert self.header is not None
        if name not in self._names:
            return []
        data_ms = max(0, at_ms - self.header.start_unix_ms)
        if self.header.provider == fused.FUSED:
            return [FeedMessage.make(data_ms, doc) for doc in docs]
        return [FeedMessage.make(data_ms, doc["doc"]) for doc in docs if "doc" in doc]

    def _whose(self, message: FeedMessage) -> tuple[str, fused.Doc | None]:
        assert self.header is not None
        if self.header.provider != fused.FUSED:
            return next(iter(self._names)), message.doc
        return str(message.doc.get("from")), message.doc.get("doc")

    def _told(self, messages: Iterable[FeedMessage], problems: list[Problem], switches: list[Switch]) -> list[Entry]:
        """The entries of the journal's next lines, and of the time before each."""
        assert self.decoder is not None
        assert self._journal is not None
        entries: list[Entry] = []
        for message in messages:
            entries += self._until(message.at_ms, switches)
            decoded = self.decoder.decode(message)
            problems += decoded.problems if self.header and self.header.provider == fused.FUSED else ()
            switches += decoded.switches
            entries.append(self._journal.message(message, decoded.changes))
        return entries

    def _passed(self, at_ms: int) -> Happened:
        assert self.header is not None
        switches: list[Switch] = []
        entries = self._until(at_ms - self.header.start_unix_ms, switches)
        return Happened(entries=tuple(entries), switches=tuple(switches))

    def _until(self, data_ms: int, switches: list[Switch]) -> list[Entry]:
        """Tell the decoder the time, step by step, up to ``data_ms``."""
        assert self.decoder is not None
        assert self._journal is not None
        entries: list[Entry] = []
        while self._ticked_ms + TICK_MS <= data_ms:
            self._ticked_ms += TICK_MS
            decoded: Decoded = self.decoder.advance(self._ticked_ms)
            switches += decoded.switches
            if decoded.changes:
                entries.append(self._journal.passed(self._ticked_ms, decoded.changes))
        return entries


def _session(feed: Feed) -> Session:
    info = None if feed.raw_info is None else feed.adapter.info(feed.raw_info)
    session = Session(feed.adapter, feed.match_id, info)
    session.raw_info = feed.raw_info
    return session


def _sides(base: MatchInfo, other: MatchInfo, name: str, exchanged: bool) -> tuple[str, str]:
    """The other provider's ids of the home and away side, where names leave no doubt."""
    same = min(similarity(base.home.name, other.home.name), similarity(base.away.name, other.away.name))
    crossed = min(similarity(base.home.name, other.away.name), similarity(base.away.name, other.home.name))
    if max(same, crossed) < SAME_TEAM or min(same, crossed) >= SAME_TEAM:
        raise FeedError(
            "sides_not_mapped",
            f"{name} has {other.home.name} - {other.away.name} where the first feed has {base.home.name} - "
            f"{base.away.name}, and names alone do not tell who is who: give its team ids of the home and away side",
        )
    ids = (other.home.team_id, other.away.team_id)
    return ids if (same > crossed) != exchanged else ids[::-1]


def _object(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return line

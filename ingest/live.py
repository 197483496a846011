"""A match as its feeds bring it: arrivals in, lines for the journal and records for the bus out. A pure core.

The journal is a feed file (`ingest.feed`): one provider's, or several providers' fused (`ingest.fusion.journal`).
Everything that leaves for the bus is a function of the journal and of the time that passed, numbers included; no line
is written with a time before one that was told already. So a process that was killed reads its journal, finds every
session and the fusion as they were, and publishes what the bus lacks, under the same numbers; whatever the bus has
twice bears one number, by which consumers drop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from ingest.decoder import Decoder, FusedDecoder, decoder
from ingest.events import FeedError, MatchInfo
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds.base import Adapter, Problem
from ingest.fusion import Switch
from ingest.fusion import journal as fused
from ingest.fusion.policy import Bounds, Thresholds
from ingest.history.journal import NO_RAW, Entry, Journal
from ingest.identity.names import similarity
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.quality import Sign
from ingest.record import Record
from ingest.session import Delivery, Outcome, Session

TICK_MS = 250
"""Time is told to the fusion in these steps, whatever else happens: so the journal gives the same records again."""
WAIT_MS = 10_000
"""A feed that has not told who plays so long after the first one did is left out of the match."""
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
        if not _leads(feeds[0]):
            raise FeedError(
                "no_index",
                f"{feeds[0].adapter.name} does not tell enough for an index: name another feed before it",
            )
        self.match_id = match_id
        self.header: FeedHeader | None = None
        self.decoder: Decoder | None = None
        self.sessions = {feed.name: _session(feed) for feed in feeds}
        self._feeds = {feed.name: feed for feed in feeds}
        self._bounds, self._wait_ms = bounds, wait_ms
        self._journal: Journal | None = None
        self._names: tuple[str, ...] = ()
        self._known_ms: int | None = None
        self._early: list[tuple[str, int, list[fused.Doc]]] = []
        self._ticked_ms = 0
        self._newest_ms = 0
        self._life_ms: dict[str, int] = {}

    def arrived(self, name: str, arrival: Arrival) -> Happened:
        """An arrival of feed ``name``. A standby of which it stays open who is who is left out and told as a problem.

        Never raises for bad content; FeedError ``sides_not_mapped`` when the sides given for the first feed are none.
        """
        deliveries = self._deliveries(self.sessions[name], arrival)
        problems = tuple(problem for delivery in deliveries for problem in delivery.problems)
        doubtful = any(delivery.outcome is Outcome.BROKEN for delivery in deliveries)
        doubtful = doubtful or any(problem.code in DOUBTS for problem in problems)
        self._early.append((name, arrival.at_ms, self._docs(name, arrival, deliveries)))
        if self._known_ms is None and any(map(_leads, self._known())):
            self._known_ms = arrival.at_ms
        done = self._settle(arrival.at_ms)
        return Happened(done.lines, done.entries, problems + done.problems, done.switches, doubtful)

    def tick(self, at_ms: int) -> Happened:
        """Unix time has come to ``at_ms``."""
        return self._settle(at_ms)

    def ended(self, at_ms: int) -> Happened:
        """Every feed has ended: who has not told who plays will not."""
        return self._settle(at_ms, wait=False)

    def resume(
        self, header: FeedHeader, messages: Iterable[FeedMessage], published: Record | None
    ) -> tuple[Entry, ...]:
        """Take up a journal, before anything arrives. Returns what stands in it and not on the bus, where the last
        record is ``published``.

        Raises FeedError ``journal_short`` when the bus holds more than the journal explains (its end was lost: to go
        on would give two records one number) and ``other_journal`` when it is another match's or other feeds'.
        """
        self._begin(header)
        seq = published.seq if published is not None else 0
        left: list[Entry] = []
        last = 0

        def found(entries: Iterable[Entry]) -> None:
            nonlocal last
            for entry in entries:
                last = max([last, *(record.seq for record in entry.records)])
                if any(record.seq <= seq for record in entry.records):
                    # Fragments are published before records: it is there, and so is whatever came before.
                    unsent = tuple(record for record in entry.records if record.seq > seq)
                    left[:] = [Entry(entry.line, None, unsent, entry.corrections)] if unsent else []
                else:
                    left.append(entry)

        for message in messages:
            name, doc = self._whose(message)
            if name in self._names and isinstance(doc, dict):
                self.sessions[name].resume(doc)
            elif message.doc.get("sign") in _LIFE:
                self._life_ms[name] = header.start_unix_ms + message.at_ms
            found(self._told([message], []))
        if published is not None and last < seq and published.raw == NO_RAW:  # time had passed since the last line
            passed = self._until(published.at_ms - header.start_unix_ms, [])
            if any(published in entry.records for entry in passed):
                found(passed)
        if last < seq:
            raise journal_short(self.match_id, seq, last)
        return tuple(left)

    @property
    def timed(self) -> bool:
        """Whether time alone may do something, so that it must be told (`tick`)."""
        return len(self._feeds) > 1

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
        """What of an arrival stands in a fused journal. Signs of life are thinned."""
        docs: list[fused.Doc] = []
        for delivery in deliveries:
            docs += fused.lines(name, delivery)
        if (sign := _SIGNS.get(arrival.kind)) is not None:
            docs.append(fused.sign(name, sign))
        kept: list[fused.Doc] = []
        for doc in docs:
            if doc.get("sign") in _LIFE:
                if abs(arrival.at_ms - self._life_ms.get(name, -SIGN_MS)) < SIGN_MS:
                    continue
                self._life_ms[name] = arrival.at_ms
            kept.append(doc)
        return kept

    def _known(self) -> list[Feed]:
        """The feeds that have told who plays; those that may lead come first."""
        known = [feed for feed in self._feeds.values() if self._told_who(feed)]
        return sorted(known, key=lambda feed: not _leads(feed))

    def _told_who(self, feed: Feed) -> bool:
        session = self.sessions[feed.name]
        return session.info is not None and session.raw_info is not None

    def _settle(self, at_ms: int, wait: bool = True) -> Happened:
        """Once it is known who plays, tell the decoder what has arrived, and the time."""
        opening: list[bytes] = []
        problems: list[Problem] = []
        if self.header is None:
            known = self._known()
            if self._known_ms is None:
                if not known:
                    self._early.clear()  # signs alone: of a match that nobody knows nothing is read
                return Happened()
            if wait and len(known) < len(self._feeds) and at_ms - self._known_ms < self._wait_ms:
                return Happened()
            header = self._make_header(known, self._early[0][1] // 1000 * 1000, problems)
            self._begin(header)
            opening = [header.line]
        assert self.header is not None
        switches: list[Switch] = []
        messages: list[FeedMessage] = []
        for early in self._early:
            messages += self._messages(*early)
        self._early.clear()
        entries = self._told(messages, switches)
        entries += self._until(at_ms - self.header.start_unix_ms, switches)
        lines = (*opening, *(message.line for message in messages))
        return Happened(lines, tuple(entries), tuple(problems), tuple(switches))

    def _make_header(self, known: Sequence[Feed], start_ms: int, problems: list[Problem]) -> FeedHeader:
        """One provider's header, or the fused one of all whose sides are known."""
        first = known[0]
        base, raw_info = self.sessions[first.name].info, self.sessions[first.name].raw_info
        assert base is not None
        assert raw_info is not None
        theirs = (base.home.team_id, base.away.team_id)
        home = first.sides or theirs
        if len(self._feeds) == 1 and home == theirs:
            return FeedHeader.make(first.adapter.name, self.match_id, start_ms, 0, raw_info)
        routes = []
        for feed in known:
            try:
                routes.append(self._route(feed, home if feed is first else None, base, home == theirs[::-1]))
            except FeedError as error:
                if feed is first:
                    raise
                problems.append(Problem(error.code, f"match {self.match_id}", str(error)))
        return fused.header(self.match_id, start_ms, 0, routes, self._bounds)

    def _route(self, feed: Feed, sides: tuple[str, str] | None, base: MatchInfo, exchanged: bool) -> fused.Route:
        """Raises FeedError ``sides_not_mapped`` where it stays open which of its teams is at home."""
        info, raw_info = self.sessions[feed.name].info, self.sessions[feed.name].raw_info
        assert info is not None
        assert raw_info is not None
        home, away = sides or feed.sides or _sides(base, info, feed.name, exchanged)
        route = fused.Route(feed.name, feed.adapter.name, raw_info, home, away, feed.thresholds)
        _ = route.source().exchanged
        return route

    def _begin(self, header: FeedHeader) -> None:
        """Raises FeedError ``other_journal`` for a header that these feeds did not make."""
        raw_infos = self._raw_infos(header)
        if header.match_id != self.match_id or not raw_infos:
            raise FeedError(
                "other_journal",
                f"the journal is of match {header.match_id[:40]} from {_providers(header)}, not of "
                f"{self.match_id[:40]} from {', '.join(self._feeds)}: give another folder",
            )
        self.header, self.decoder, self._journal = header, decoder(header), Journal(header)
        for name, raw_info in raw_infos.items():
            session = self.sessions[name]
            if session.raw_info != raw_info:  # what the journal's lines are read with holds
                session.info, session.raw_info = session.adapter.info(raw_info), raw_info
                session.timeline.match = session.info
        self._names = tuple(raw_infos)

    def _raw_infos(self, header: FeedHeader) -> dict[str, fused.Doc]:
        """Each feed's own header out of the journal's; empty when one is not among the feeds."""
        if header.provider != fused.FUSED:
            names = [feed.name for feed in self._feeds.values() if feed.adapter.name == header.provider]
            return dict.fromkeys(names[:1], header.info)
        routes = fused.routes_of(header.info)[0]
        ours = {feed.name: feed.adapter.name for feed in self._feeds.values()}
        if any(ours.get(route.name) != route.adapter for route in routes):
            return {}
        return {route.name: route.raw_info for route in routes}

    def _messages(self, name: str, at_ms: int, docs: Iterable[fused.Doc]) -> list[FeedMessage]:
        """The journal's lines of one arrival. They never run back behind a time that the decoder was told: read again,
        they would come before what that time did."""
        assert self.header is not None
        if name not in self._names:
            return []
        if self.header.provider != fused.FUSED:
            docs = [doc["doc"] for doc in docs if "doc" in doc]
        self._newest_ms = max(self._newest_ms, self._ticked_ms, at_ms - self.header.start_unix_ms)
        return [FeedMessage.make(self._newest_ms, doc) for doc in docs]

    def _whose(self, message: FeedMessage) -> tuple[str, object]:
        assert self.header is not None
        if self.header.provider != fused.FUSED:
            return self._names[0], message.doc
        return str(message.doc.get("from")), message.doc.get("doc")

    def _told(self, messages: Iterable[FeedMessage], switches: list[Switch]) -> list[Entry]:
        """The entries of the journal's next lines, and of the time before each."""
        assert self.decoder is not None
        assert self._journal is not None
        entries: list[Entry] = []
        for message in messages:
            entries += self._until(message.at_ms, switches)
            decoded = self.decoder.decode(message)  # whose problems the session has told
            switches += decoded.switches
            entries.append(self._journal.message(message, decoded.changes))
            self._newest_ms = max(self._newest_ms, message.at_ms)
        return entries

    def _until(self, data_ms: int, switches: list[Switch]) -> list[Entry]:
        """Tell the decoder the time, step by step, up to ``data_ms``."""
        assert self.decoder is not None
        assert self._journal is not None
        entries: list[Entry] = []
        while self._ticked_ms + TICK_MS <= data_ms:
            self._ticked_ms += TICK_MS
            decoded = self.decoder.advance(self._ticked_ms)
            switches += decoded.switches
            if decoded.changes:
                entries.append(self._journal.passed(self._ticked_ms, decoded.changes))
        return entries


def journal_short(match_id: str, published: int, explained: int) -> FeedError:
    """The bus holds more than the journal."""
    return FeedError(
        "journal_short",
        f"match {match_id} has {published} records on the bus and {explained} in its journal: restore the journal, or "
        "publish the match under a new id",
    )


def _leads(feed: Feed) -> bool:
    """Whether the feed tells enough for an index: another may only stand by."""
    return bool(getattr(feed.adapter, "feeds_index", True))


def _providers(header: FeedHeader) -> str:
    if header.provider != fused.FUSED:
        return header.provider
    return ", ".join(f"{route.name[:40]} ({route.adapter[:40]})" for route in fused.routes_of(header.info)[0])


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

"""Reading a site's pages: only when it is enabled, only what its robots.txt allows, slowly, with our name on it.

No login, no paywall, no cookie, no redirect, no other host. A page that refuses us is not asked again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from urllib.parse import quote

import orjson

from ingest.events import FeedError
from ingest.feeds.base import Problem
from ingest.feeds.scraper import robots
from ingest.feeds.scraper.config import Site
from ingest.feeds.scraper.extract import Fixture, Page, read_page
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.fetch import Failure
from ingest.net.network import Network
from ingest.net.plan import Address, BudgetSpec, Cadence, Endpoint, FeedPlan, Phase, Span, Transport
from ingest.net.poll import PollSource

TYPES = ("text/html", "application/xhtml+xml", "application/json", "application/ld+json")


class SiteReader:
    """One site. ``problems`` keeps what was wrong with its pages; make one reader per site and process."""

    def __init__(self, site: Site, network: Network) -> None:
        """Raises FeedError for a site that is not enabled."""
        if not site.enabled:
            raise FeedError("scraper_off", f"site {site.name} is not enabled: set enabled = true once its owner agrees")
        self.site = site
        self.problems: list[Problem] = []
        self._network = network
        self._rules: robots.Rules | None = None
        self._read_ms = 0
        self._plan: FeedPlan | None = None

    async def fixtures(self) -> list[Fixture]:
        """The fixtures on the site's start pages. What could not be read is in ``problems``."""
        found: list[Fixture] = []
        for url in self.site.start:
            plan = await self.allowed(url)
            answer, _ = await self._network.get(plan, _address(url), self.headers, Phase.BEFORE)
            if isinstance(answer, Failure):
                self.problems.append(Problem("page_failed", url[:200], f"{answer.trouble}: {answer.note}"))
            elif answer.status in (401, 402, 403, 407, 451):
                raise _refused(self.site, answer.status)
            elif answer.status != 200:
                self.problems.append(Problem("page_failed", url[:200], f"status {answer.status}"))
            else:
                found += self.read(answer.body, url).fixtures
        return found

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"User-Agent": self.site.user_agent, "Accept": ", ".join(TYPES)}

    async def allowed(self, url: str) -> FeedPlan:
        """The plan to ask for ``url`` with. Raises FeedError when robots.txt forbids it."""
        network = self._network
        if self._rules is None or network.monotonic_ms() - self._read_ms > robots.AGAIN_MS:
            first = self._plan or self._plan_at(self.site.delay_s, " robots")
            answer, _ = await network.get(first, _address(f"{self.site.host}/robots.txt"), self.headers, Phase.BEFORE)
            self._rules, self._read_ms = robots.rules(answer), network.monotonic_ms()
            # The delay of the first rules that were read stays: two budgets for one host would be none.
            if self._rules.text is not None:
                self._plan = self._plan or self._plan_at(self._rules.delay_s(self.site))
        if not self._rules.allows(self.site, url):
            raise FeedError("robots_disallow", f"robots.txt of {self.site.name} forbids {url[:120]}: it is not read")
        assert self._plan is not None
        return self._plan

    def read(self, body: bytes, url: str) -> Page:
        """A page taken apart; its problems are kept."""
        page = read_page(self.site, body, url)
        self.problems += page.problems
        for problem in page.problems:
            self._network.counts[f"scraper_{problem.code}"] += 1
        return page

    def _plan_at(self, delay_s: float, what: str = "") -> FeedPlan:
        return FeedPlan(
            provider="scraper",
            match_id=self.site.name,
            transport=Transport.POLL,
            span=Span(0),
            budget=BudgetSpec(f"scraper {self.site.host}{what}", 1 / max(delay_s, 0.001)),
            redirects=False,
            feeds_index=False,
        )


class MatchPageSource:
    """The page of one match, polled; see `arrival.Source`. Documents are what `adapter` reads.

    A page whose layout changed gives no document: the feed is lost until it can be read again.
    """

    def __init__(self, reader: SiteReader, match_id: str, network: Network, span: Span) -> None:
        if not reader.site.match_url or reader.site.events is None:
            raise FeedError("scraper_no_events", f"site {reader.site.name} has no events: it serves fixtures only")
        self._reader = reader
        self._match_id = match_id
        self._url = reader.site.match_url.replace("{id}", quote(match_id, safe=""))
        self._network = network
        self._span = span
        self._source: PollSource | None = None
        self._closed = False

    def forget(self) -> None:
        """See `arrival.Source`."""
        if self._source is not None:
            self._source.forget()

    async def close(self) -> None:
        """Stop. Idempotent."""
        self._closed = True
        if self._source is not None:
            await self._source.close()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        base = await self._reader.allowed(self._url)
        period_ms = int(self._reader.site.play_s * 1000)
        cadence = Cadence(10 * period_ms, period_ms, 5 * period_ms)
        endpoint = Endpoint("page", _address(self._url), cadence, TYPES)
        names = {name: getattr(base, name) for name in FeedPlan.__slots__}
        plan = FeedPlan(**(names | {"match_id": self._match_id, "span": self._span, "documents": (endpoint,)}))
        self._source = source = PollSource(plan, endpoint, self._network, headers=self._reader.headers)
        lost = False
        try:
            async for arrival in source:
                if self._closed:
                    return
                await self._reader.allowed(self._url)  # read again once an hour
                kind, body, note = arrival.kind, b"", arrival.note
                if kind is ArrivalKind.RESTORED:
                    continue  # told below, once a page can be read, too
                if kind is ArrivalKind.DOCUMENT:
                    body, note = self._document(arrival.body)
                    if not body:
                        source.forget()
                        kind = ArrivalKind.LOST
                if kind is not ArrivalKind.LOST or not lost:
                    yield Arrival(arrival.at_ms, kind, body, note)
                if lost and kind is not ArrivalKind.LOST:
                    yield Arrival(arrival.at_ms, ArrivalKind.RESTORED)
                lost = kind is ArrivalKind.LOST
        except FeedError as error:
            if error.code == "credentials_refused":
                raise _refused(self._reader.site, 403) from None
            raise

    def _document(self, body: bytes) -> tuple[bytes, str]:
        """The page as a document for the adapter; empty with a reason where it cannot be trusted."""
        page = self._reader.read(body, self._url)
        bad = [p for p in page.problems if p.code in ("layout_changed", "bad_page", "page_too_large")]
        fixtures = [fixture for fixture in page.fixtures if fixture.fixture_id == self._match_id]
        if bad:
            return b"", f"{bad[0].code}: {bad[0].text}"
        if len(fixtures) != 1:
            return b"", f"layout_changed: {len(fixtures)} matches with id {self._match_id[:40]} on its page"
        match = {"id": self._match_id} | {
            key: value
            for key, value in asdict(fixtures[0]).items()
            if key in ("home", "away", "kickoff_unix_ms", "competition")
        }
        content = {"scraper": 1, "site": self._reader.site.name, "url": self._url, "match": match}
        return orjson.dumps(content | {"events": page.events}), ""


def _address(url: str) -> Address:
    return Address(url.replace("{", "{{").replace("}", "}}"))


def _refused(site: Site, status: int) -> FeedError:
    return FeedError("page_refused", f"site {site.name} refuses us (status {status}): it is not read; ask its owner")

"""What a site's robots.txt allows us (RFC 9309). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from ingest.feeds.scraper.config import LEAST_DELAY_S, Site
from ingest.net.fetch import Failure, Reply

MAX_ROBOTS_BYTES = 500 * 1024
LONGEST_DELAY_S = 3_600.0
AGAIN_MS = 3_600_000
"""It is read again so often; what it forbids then is not asked for any more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``text`` is robots.txt; None: everything is forbidden, because it could not be read."""

    text: str | None

    def allows(self, site: Site, url: str) -> bool:
        """Whether the page may be asked for."""
        return self.text is not None and Protego.parse(self.text).can_fetch(url, site.user_agent)

    def delay_s(self, site: Site) -> float:
        """The least time between two requests: the site's own wish, ours, or what decency demands."""
        wishes = [site.delay_s, LEAST_DELAY_S]
        if self.text is not None:
            parsed = Protego.parse(self.text)
            crawl_delay, rate = parsed.crawl_delay(site.user_agent), parsed.request_rate(site.user_agent)
            if crawl_delay is not None:
                wishes.append(float(crawl_delay))
            if rate is not None and rate.requests > 0:
                wishes.append(float(rate.seconds) / float(rate.requests))
        return min(max(wishes), LONGEST_DELAY_S)


def rules(answer: Reply | Failure) -> Rules:
    """No such file: all is allowed. Refused, broken or out of reach: nothing is."""
    if isinstance(answer, Failure) or answer.status in (401, 403) or answer.status >= 500 or answer.status == 429:
        return Rules(None)
    if 400 <= answer.status < 500:
        return Rules("")
    if answer.status != 200:
        return Rules(None)
    return Rules(answer.body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace"))

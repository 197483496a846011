"""How DataFactory is asked for a match.

Pages: https://packagist.org/packages/mauromoreno/datafactory and other published clients: one address,
``https://feed.datafactory.la/?ppaass={password}&canal={channel}``, and channels such as
``deportes.futbol.{tournament}.ficha.{match}``. https://pypi.org/project/datafactoryfc names tournaments.

Unverified: that the channel can be had as the JSON document which the adapter reads (published clients read XML),
request limits, conditional requests. The provider tells customers the address of their product: setting ``base``.
"""

from __future__ import annotations

from ingest.net.plan import Address, Cadence, Endpoint, FeedPlan, Span, Transport, base_address, budget, safe_id
from ingest.net.secret import Credentials

BASE = "https://feed.datafactory.la"
PAGES = ("https://packagist.org/packages/mauromoreno/datafactory", "https://pypi.org/project/datafactoryfc")
UNVERIFIED = ("the JSON form of the channel", "request limits", "conditional requests")


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """The file of one match. Needs ``password`` and the setting ``tournament``."""
    tournament = safe_id(credentials.get("tournament", ""), "datafactory (setting tournament)")
    channel = f"deportes.futbol.{tournament}.ficha.{safe_id(match_id, 'datafactory')}"
    address = Address(
        f"{base_address(credentials, BASE)}/?ppaass={{password}}&canal={channel}",
        {"password": credentials["password"]},
    )
    return FeedPlan(
        provider="datafactory",
        match_id=match_id,
        transport=Transport.POLL,
        span=Span(kickoff_unix_ms),
        budget=budget(credentials, per_s=2.0, burst=4),
        documents=(Endpoint("ficha", address, Cadence(300_000, 3_000, 60_000)),),
        pages=PAGES,
        unverified=UNVERIFIED,
    )

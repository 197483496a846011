"""How Wyscout's API v3 is asked for a match's events.

Pages: https://apidocs.wyscout.com (OpenAPI of v3: ``/v3/matches/{wyId}/events``, ``fetch=teams,players``, basic
authentication), https://pypi.org/project/wyscoutapi (twelve requests a second are what its author found allowed).

Unverified: whether the document grows during a match (Wyscout publishes events hours after it), conditional requests.
"""

from __future__ import annotations

from ingest.net.plan import Address, Auth, Cadence, Endpoint, FeedPlan, Span, Transport, base_address, budget, safe_id
from ingest.net.secret import Credentials, basic

BASE = "https://apirest.wyscout.com"
PAGES = ("https://apidocs.wyscout.com", "https://pypi.org/project/wyscoutapi")
UNVERIFIED = ("documents during a match", "conditional requests")


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """The events of one match. Needs ``user`` and ``password``."""
    address = Address(
        f"{base_address(credentials, BASE)}/v3/matches/{safe_id(match_id, 'wyscout')}/events?fetch=teams,players"
    )
    return FeedPlan(
        provider="wyscout",
        match_id=match_id,
        transport=Transport.POLL,
        span=Span(kickoff_unix_ms, after_ms=24 * 3_600_000),
        budget=budget(credentials, per_s=12.0, burst=12),
        auth=Auth(headers={"Authorization": basic(credentials["user"], credentials["password"])}),
        documents=(Endpoint("events", address, Cadence(600_000, 10_000, 300_000)),),
        pages=PAGES,
        unverified=UNVERIFIED,
    )

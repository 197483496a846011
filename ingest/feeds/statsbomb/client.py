"""How StatsBomb's data API is asked for a match's events.

Pages: https://github.com/hudl/statsbombpy (addresses, basic authentication; release 1.19.0: events are version 10),
https://rdrr.io/github/statsbomb/StatsBombR/man/getevents.html (``/api/{version}/events/{match}``).

The document does not tell who is at home: the match's row of ``/api/{version}/competitions/{c}/seasons/{s}/matches``
does, and comes from the catalogue. The live product is another one (GraphQL, live-data-api-guide.statsbomb.com) and
not read here.

Unverified: whether documents grow during a match, request limits, conditional requests.
"""

from __future__ import annotations

from ingest.events import FeedError
from ingest.net.plan import Address, Auth, Cadence, Endpoint, FeedPlan, Span, Transport, base_address, budget, safe_id
from ingest.net.secret import Credentials, basic

BASE = "https://data.statsbombservices.com"
VERSION = "v10"
PAGES = (
    "https://github.com/hudl/statsbombpy/releases",
    "https://rdrr.io/github/statsbomb/StatsBombR/man/getevents.html",
)
UNVERIFIED = ("documents during a match", "request limits", "conditional requests")


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """The events of one match. Needs ``user`` and ``password``; setting ``version`` names another version."""
    version = credentials.get("version", VERSION)
    if not (version.startswith("v") and version[1:].isascii() and version[1:].isdigit()):
        raise FeedError("bad_version", f"'{version[:20]}' is no version of StatsBomb's API: give v and a number")
    address = Address(f"{base_address(credentials, BASE)}/api/{version}/events/{safe_id(match_id, 'statsbomb')}")
    return FeedPlan(
        provider="statsbomb",
        match_id=match_id,
        transport=Transport.POLL,
        span=Span(kickoff_unix_ms, after_ms=24 * 3_600_000),
        budget=budget(credentials, per_s=5.0, burst=5),
        auth=Auth(headers={"Authorization": basic(credentials["user"], credentials["password"])}),
        documents=(Endpoint("events", address, Cadence(600_000, 10_000, 300_000)),),
        pages=PAGES,
        unverified=UNVERIFIED,
    )

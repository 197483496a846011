"""How Stats Perform's Soccer API (SDAPI) is asked: MA3 (events) and MA1 (fixture, line-ups).

The provider's own documentation is behind a login. What follows rests on published clients:
github.com/SkyBetChampionship/opta-statistics (resources match and matchevent, a fixture's id in the path, ``live`` and
``lineups``) and several others that agree on the address
``https://api.performfeeds.com/soccerdata/matchevent/{outlet}/{fixture}`` with ``_rt=b`` for a business key and
``_fmt=json|xml``, on the token's address, on its signature (SHA-512 of key, time and secret), on ``grant_type``
client_credentials and on ``scope`` b2b-feeds-auth.

Unverified: how often a document may be asked for, whether answers carry ETag or Last-Modified, and any delta
parameter: none is used, the session compares whole documents.
"""

from __future__ import annotations

from ingest.net.plan import (
    Address,
    Auth,
    Cadence,
    Endpoint,
    FeedPlan,
    Span,
    Token,
    Transport,
    base_address,
    budget,
    safe_id,
)
from ingest.net.secret import Credentials

BASE = "https://api.performfeeds.com"
TOKEN_BASE = "https://oauth.performgroup.com"
PAGES = (
    "https://github.com/SkyBetChampionship/opta-statistics",
    "https://docs.performgroup.com (behind a login)",
)
UNVERIFIED = ("request limits", "conditional requests", "delta documents")
_TYPES = {
    "json": ("application/json", "text/json", "application/javascript"),
    "xml": ("application/xml", "text/xml"),
}


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """MA3 of one fixture. Needs ``outlet``; with ``secret`` a token is fetched, without it the outlet's key alone
    counts (an address that the provider knows)."""
    return _plan(match_id, credentials, kickoff_unix_ms, "MA3", "matchevent", "", Cadence(60_000, 1_000, 15_000))


def fixture_plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """MA1 of one fixture, for the catalogue. Not to be mixed with MA3 in one session: each has its own time."""
    extra = "&live=yes&lineups=yes"
    return _plan(match_id, credentials, kickoff_unix_ms, "MA1", "match", extra, Cadence(300_000, 30_000, 60_000))


def _plan(
    match_id: str,
    credentials: Credentials,
    kickoff_unix_ms: int,
    name: str,
    resource: str,
    extra: str,
    cadence: Cadence,
) -> FeedPlan:
    outlet = credentials["outlet"]
    form = "xml" if credentials.get("format", "json") == "xml" else "json"
    base, fixture = base_address(credentials, BASE), safe_id(match_id, "statsperform")
    address = Address(f"{base}/soccerdata/{resource}/{{outlet}}/{fixture}?_rt=b&_fmt={form}{extra}", {"outlet": outlet})
    auth = Auth()
    if credentials.has("secret"):
        # Another base is a stand-in for all of the provider, its token server included.
        token_base = TOKEN_BASE if base == BASE else base
        auth = Auth(
            token=Token(
                Address(f"{token_base}/oauth/token/{{outlet}}?_fmt=json&_rt=b", {"outlet": outlet}),
                "sha512_timestamp",
                {"key": outlet, "secret": credentials["secret"]},
                {"grant_type": "client_credentials", "scope": "b2b-feeds-auth"},
            )
        )
    return FeedPlan(
        provider="statsperform",
        match_id=match_id,
        transport=Transport.POLL,
        span=Span(kickoff_unix_ms),
        budget=budget(credentials, per_s=20.0, burst=20),
        auth=auth,
        documents=(Endpoint(name, address, cadence, _TYPES[form]),),
        pages=PAGES,
        unverified=UNVERIFIED,
    )

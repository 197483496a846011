"""How Sportradar's Soccer v4 is followed: push messages on one long response, the timeline document behind them.

Pages (developer.sportradar.com): soccer/docs/soccer-ig-push (the address, the redirect to a push host within a minute,
chunked JSON, a heartbeat every 5 s, no memory: recover by the Sport Event Timeline; any number of connections),
soccer/reference/soccer-push-events (filter ``sport_event_id``; key in the header ``x-api-key``),
soccer/reference/soccer-sport-event-timeline and soccer/docs/soccer-ig-update-frequencies (the document is renewed each
second), getting-started/docs/authentication.

Unverified: the push hosts' names beyond the provider's domain, requests a second of a contract, ETag on timelines, how
a withdrawn event is told on the line (no page says; the document is compared once a minute for that).
"""

from __future__ import annotations

from ingest.events import FeedError
from ingest.feeds.sportradar.parse import same_match
from ingest.net.plan import (
    Address,
    Auth,
    Cadence,
    Endpoint,
    FeedPlan,
    Push,
    Span,
    Transport,
    base_address,
    budget,
    safe_id,
)
from ingest.net.push import Message
from ingest.net.secret import Credentials

BASE = "https://api.sportradar.com"
DOMAIN = "sportradar.com"
BEAT_MS = 5_000
PAGES = (
    "https://developer.sportradar.com/soccer/docs/soccer-ig-push",
    "https://developer.sportradar.com/soccer/reference/soccer-push-events",
    "https://developer.sportradar.com/soccer/reference/soccer-sport-event-timeline",
    "https://developer.sportradar.com/soccer/docs/soccer-ig-update-frequencies",
    "https://developer.sportradar.com/getting-started/docs/authentication",
)
UNVERIFIED = ("push host names", "requests a second", "conditional requests", "withdrawals on the line")


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """One match (``sr:sport_event:...``). Needs ``key``; settings ``access`` (production, trial), ``push`` (no: poll
    the document alone, as a trial must)."""
    access = credentials.get("access", "production")
    if access not in ("production", "trial"):
        raise FeedError("bad_access", f"access '{access[:20]}' is not one of Sportradar's: set production or trial")
    base, event = base_address(credentials, BASE), safe_id(match_id, "sportradar")
    root = f"{base}/soccer/{access}/v4"
    pushed = credentials.get("push", "yes") != "no"
    cadence = Cadence(60_000, 60_000 if pushed else 1_000, 60_000)
    timeline = Endpoint("timeline", Address(f"{root}/en/sport_events/{event}/timeline.json"), cadence)
    host = base.split("://", 1)[1].split("/", 1)[0]
    hosts = (DOMAIN,) if base == BASE else (host,)
    push = Push(Address(f"{root}/stream/events/subscribe?format=json&sport_event_id={event}"), hosts, beat_ms=BEAT_MS)
    return FeedPlan(
        provider="sportradar",
        match_id=match_id,
        transport=Transport.STREAM if pushed else Transport.POLL,
        span=Span(kickoff_unix_ms),
        budget=budget(credentials, per_s=1.0, burst=2),
        auth=Auth(headers={"x-api-key": credentials["key"]}),
        documents=(timeline,),
        push=push if pushed else None,
        feeds_index=False,
        pages=PAGES,
        unverified=UNVERIFIED,
    )


def classify(doc: object, match_id: str) -> str:
    """What a message of the line is; see `ingest.net.push.Message`."""
    if not isinstance(doc, dict):
        return Message.UNKNOWN
    if isinstance(doc.get("heartbeat"), dict):
        return Message.HEARTBEAT
    payload, metadata = doc.get("payload"), doc.get("metadata")
    if not isinstance(payload, dict) or not isinstance(payload.get("event"), dict):
        return Message.UNKNOWN
    named = metadata.get("sport_event_id") if isinstance(metadata, dict) else None
    if isinstance(named, str) and not same_match(named, match_id):
        return Message.OTHER_MATCH
    return Message.FRAGMENT

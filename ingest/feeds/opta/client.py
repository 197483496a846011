"""How Opta's classic feeds reach us: F24 (events) and F7/F9 (fixture, line-ups), delivered as files or pulled.

Delivery is the product's way: files by FTP or as an HTTP POST whose ``x-meta-*`` headers name feed and game
(``x-meta-feed-type``, ``x-meta-game-id``, ``x-meta-default-filename``); a receiver writes them into a folder, and
`ingest.net.files.FolderSource` reads it. Pulling goes by
``https://omo.akamai.opta.net/?game_id=...&feed_type=f24&user=...&psw=...``.

Pages: https://github.com/mattmontgomery/underthecrossbar (resources/opta.md: the addresses by feed), published
receivers for the headers. The provider's documents are behind a login.

Unverified: request limits, conditional requests, file names (``f24-{competition}-{season}-{game}-eventdetails.xml``,
``srml-{competition}-{season}-f{game}-matchresults.xml`` are what public recordings carry).
"""

from __future__ import annotations

from ingest.net.plan import Address, Auth, Cadence, Endpoint, FeedPlan, Span, Transport, base_address, budget, safe_id
from ingest.net.secret import Credentials

BASE = "https://omo.akamai.opta.net"
PAGES = ("https://github.com/mattmontgomery/underthecrossbar",)
UNVERIFIED = ("request limits", "conditional requests", "file names")
XML = ("application/xml", "text/xml")


def plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """F24 of one game (its number, without a letter). With the setting ``folder`` files are awaited there (see
    `patterns`); otherwise it is pulled and needs ``user`` and ``password``."""
    if credentials.get("folder", ""):
        game = safe_id(match_id, "opta")
        return _plan(game, credentials, kickoff_unix_ms, Transport.FILES, Auth(), ())
    return _pulled(match_id, credentials, kickoff_unix_ms, "f24", Cadence(60_000, 2_000, 30_000))


def fixture_plan(match_id: str, credentials: Credentials, kickoff_unix_ms: int) -> FeedPlan:
    """F9 of one game, for the catalogue."""
    return _pulled(match_id, credentials, kickoff_unix_ms, "f9", Cadence(300_000, 30_000, 60_000))


def patterns(match_id: str) -> tuple[str, ...]:
    """File names of a game's events in a delivery folder."""
    game = safe_id(match_id, "opta")
    return (f"f24-*-{game}-eventdetails.xml", f"f24-*-{game}.xml", f"F24_{game}*.xml")


def _pulled(match_id: str, credentials: Credentials, kickoff_unix_ms: int, feed: str, cadence: Cadence) -> FeedPlan:
    game = safe_id(match_id, "opta")
    address = Address(f"{base_address(credentials, BASE)}/?game_id={game}&feed_type={feed}")
    auth = Auth(query={"user": credentials["user"], "psw": credentials["password"]})
    endpoint = Endpoint(feed.upper(), address, cadence, XML)
    return _plan(game, credentials, kickoff_unix_ms, Transport.POLL, auth, (endpoint,))


def _plan(
    match_id: str,
    credentials: Credentials,
    kickoff_unix_ms: int,
    transport: Transport,
    auth: Auth,
    documents: tuple[Endpoint, ...],
) -> FeedPlan:
    return FeedPlan(
        provider="opta",
        match_id=match_id,
        transport=transport,
        span=Span(kickoff_unix_ms),
        budget=budget(credentials, per_s=5.0, burst=5),
        auth=auth,
        documents=documents,
        pages=PAGES,
        unverified=UNVERIFIED,
    )

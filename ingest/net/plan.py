"""What a feed is, as data: addresses, credentials, how often, how much. Each provider's `client.plan` makes one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from ingest.events import FeedError
from ingest.net.secret import Credentials, Secret

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
PING_MS = 5_000
"""How often a line without heartbeats is asked whether it is alive."""
_LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/|$)")


class Transport(StrEnum):
    """How a provider brings a match."""

    POLL = "poll"  # whole documents, asked for again and again
    STREAM = "stream"  # one long chunked response
    WEBSOCKET = "websocket"
    FILES = "files"  # the provider delivers files into a folder


class Phase(IntEnum):
    """Where a match stands, by urgency: the lower number goes first when requests are short."""

    IN_PLAY = 0
    BEFORE = 1
    AFTER = 2


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a document is asked for, ms; 0 is never."""

    before_ms: int
    play_ms: int
    after_ms: int

    def of(self, phase: Phase) -> int:
        """The period in ``phase``."""
        return (self.play_ms, self.before_ms, self.after_ms)[phase]


@dataclass(frozen=True, slots=True)
class Span:
    """When a match is on, around its planned kick-off; a consumer that knows better overrides the phase."""

    kickoff_unix_ms: int
    lead_ms: int = 10 * MINUTE_MS
    play_ms: int = 180 * MINUTE_MS  # with extra time, a shoot-out and a break in play
    after_ms: int = 180 * MINUTE_MS  # providers correct for hours: momentum.md, "Feeds"

    def phase(self, now_unix_ms: int) -> Phase | None:
        """The phase at that time; None when the feed is over."""
        since = now_unix_ms - self.kickoff_unix_ms
        if since < -self.lead_ms:
            return Phase.BEFORE
        if since < self.play_ms:
            return Phase.IN_PLAY
        return Phase.AFTER if since < self.play_ms + self.after_ms else None


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its secrets apart: ``template`` has ``{name}`` where the secret of that name stands."""

    template: str
    secrets: Mapping[str, Secret] = field(default_factory=dict)

    def reveal(self) -> str:
        """The address itself, for the request and nothing else."""
        return self.template.format(**{name: secret.reveal() for name, secret in self.secrets.items()})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One document of the provider. ``vital``: without it the match is lost; the others only add."""

    name: str
    address: Address
    cadence: Cadence
    content_types: tuple[str, ...] = ("application/json", "text/json")
    vital: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """Where a bearer token comes from."""

    address: Address
    kind: str  # how the request for it is signed: a scheme of `ingest.net.auth`
    secrets: Mapping[str, Secret]
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Auth:
    """What goes along with each request: constant headers, a key in the query, or a token that expires."""

    headers: Mapping[str, Secret] = field(default_factory=dict)
    query: Mapping[str, Secret] = field(default_factory=dict)
    token: Token | None = None

    def secrets(self) -> tuple[Secret, ...]:
        """All of them, for the redactor."""
        inner = tuple(self.token.secrets.values()) + tuple(self.token.address.secrets.values()) if self.token else ()
        return (*self.headers.values(), *self.query.values(), *inner)


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """How many requests one credential may make. None: the provider says nothing, and nothing is assumed."""

    key: str  # names the bucket: provider, or provider and account; never a secret
    per_s: float
    burst: int = 1
    per_day: int | None = None
    per_month: int | None = None

    def __post_init__(self) -> None:
        if not self.per_s > 0 or self.burst < 1:
            raise FeedError("bad_budget", f"budget {self.key} allows no request at all: give it a rate and a burst")


@dataclass(frozen=True, slots=True)
class Push:
    """A line that stays open. ``hosts``: domains the provider may redirect to; ``beat_ms``: the period of its
    heartbeats, 0 where it sends none (a WebSocket is pinged instead).
    """

    address: Address
    hosts: tuple[str, ...]
    beat_ms: int
    subscribe: str = ""  # WebSocket: sent when the line opens
    audit_ms: int = MINUTE_MS  # how often the whole document is compared, in play
    settle_ms: int = 2_500  # a document counts only when nothing was pushed for so long before it was made

    @property
    def silence_ms(self) -> int:
        """So long without a message and the line is lost: two heartbeats and a half."""
        return (self.beat_ms or PING_MS) * 5 // 2


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """One provider's feed of one match."""

    provider: str
    match_id: str
    transport: Transport
    span: Span
    budget: BudgetSpec
    auth: Auth = field(default_factory=Auth)
    documents: tuple[Endpoint, ...] = ()
    push: Push | None = None
    redirects: bool = True  # whether one on the same host is followed
    feeds_index: bool = True  # False: no primary source, for it lacks what the index is made of
    pages: tuple[str, ...] = ()  # the provider's public pages that this rests on
    unverified: tuple[str, ...] = ()  # what no public page says

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret in it, for the redactor."""
        found = list(self.auth.secrets())
        for endpoint in self.documents:
            found += endpoint.address.secrets.values()
        if self.push is not None:
            found += self.push.address.secrets.values()
        return tuple(found)


def safe_id(match_id: str, provider: str) -> str:
    """A match id that can stand in an address. Raises FeedError for one that would change the address."""
    if (
        not match_id
        or len(match_id) > 120
        or not all(char.isascii() and (char.isalnum() or char in "-_:.") for char in match_id)
    ):
        raise FeedError(
            "bad_match_id", f"'{match_id[:40]}' is no match id of {provider}: letters, digits, - _ : . only"
        )
    if match_id.strip(".") == "":
        raise FeedError("bad_match_id", f"'{match_id[:40]}' is no match id of {provider}: check it")
    return match_id


def budget(credentials: Credentials, per_s: float, burst: int = 1) -> BudgetSpec:
    """What the contract allows by the settings ``per_s``, ``burst``, ``per_day``, ``per_month``; the rest as given.

    Raises FeedError for settings that are no numbers.
    """
    try:
        day, month = credentials.get("per_day", ""), credentials.get("per_month", "")
        return BudgetSpec(
            credentials.provider,
            float(credentials.get("per_s", str(per_s))),
            int(credentials.get("burst", str(burst))),
            int(day) if day else None,
            int(month) if month else None,
        )
    except ValueError:
        raise FeedError(
            "bad_budget", f"the budget of {credentials.provider} is not made of numbers: check its settings"
        ) from None


def base_address(credentials: Credentials, default: str) -> str:
    """The provider's address, or another one (setting ``base``): over TLS, or on this machine. Raises FeedError."""
    base = credentials.get("base", default).rstrip("/")
    local = _LOCAL.match(base) is not None
    if not base.startswith("https://") and not local:
        raise FeedError("bad_base", f"the address of {credentials.provider} must start with https://: keys go along")
    if any(char in base for char in "{}?#@ "):
        raise FeedError("bad_base", f"the address of {credentials.provider} is a scheme, a host and a path, no more")
    return base

"""What can go wrong between a provider and us, each kind with its probability, and the ledger of what did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ingest.events import FeedError


class Fault(StrEnum):
    """The kinds. Each probability in `Faults` stands under the same name."""

    # What the provider itself gets wrong, for each event of the match.
    LATE = "late"
    EDITED = "edited"
    DELETED = "deleted"
    VANISHED = "vanished"
    RESTORED = "restored"
    GOAL_DROPPED = "goal_dropped"
    GOAL_RETURNED = "goal_returned"
    # What becomes of an answer to a request; an answer has at most one of these.
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMED_OUT = "timed_out"
    SLOW = "slow"
    CONNECTION_CUT = "connection_cut"
    BYTES_CUT = "bytes_cut"
    ROWS_CUT = "rows_cut"
    STALE = "stale"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_TYPE = "unknown_type"
    RENAMED_FIELD = "renamed_field"
    NUMBER_AS_STRING = "number_as_string"
    WRONG_MATCH = "wrong_match"
    EMPTY_BODY = "empty_body"
    HTML_PAGE = "html_page"
    # What becomes of a pushed message, of a heartbeat, of a stream.
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    GARBLED = "garbled"
    HEARTBEATS_LOST = "heartbeats_lost"
    STREAM_CUT = "stream_cut"
    # The provider's clock.
    SKEWED = "skewed"


OF_EVENTS = (
    Fault.LATE,
    Fault.EDITED,
    Fault.DELETED,
    Fault.VANISHED,
    Fault.RESTORED,
    Fault.GOAL_DROPPED,
    Fault.GOAL_RETURNED,
)
OF_ANSWERS = (
    Fault.RATE_LIMITED,
    Fault.SERVER_ERROR,
    Fault.TIMED_OUT,
    Fault.SLOW,
    Fault.CONNECTION_CUT,
    Fault.BYTES_CUT,
    Fault.ROWS_CUT,
    Fault.STALE,
    Fault.UNKNOWN_FIELD,
    Fault.UNKNOWN_TYPE,
    Fault.RENAMED_FIELD,
    Fault.NUMBER_AS_STRING,
    Fault.WRONG_MATCH,
    Fault.EMPTY_BODY,
    Fault.HTML_PAGE,
)
OF_STREAMS = (Fault.DUPLICATED, Fault.REORDERED, Fault.GARBLED, Fault.HEARTBEATS_LOST, Fault.STREAM_CUT)


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities from 0 to 1, sizes in ms. The first group counts per event, the second per answer (at most one
    of them befalls an answer, so they add up to at most 1), the third per pushed message or heartbeat.
    """

    late: float = 0.0  # the first report comes `late_ms` after the fact
    edited: float = 0.0  # the first report is wrong, and corrected later
    deleted: float = 0.0  # withdrawn for good by a row that says so
    vanished: float = 0.0  # withdrawn for good by no longer standing in the document
    restored: float = 0.0  # withdrawn either way, and back later
    goal_dropped: float = 0.0  # per goal: gone from the next document ...
    goal_returned: float = 0.0  # ... and per dropped goal: back after the review

    rate_limited: float = 0.0  # 429 with Retry-After
    server_error: float = 0.0  # 500, 502, 503 or 504
    timed_out: float = 0.0  # no answer while the client waits
    slow: float = 0.0  # the answer takes `slow_ms`
    connection_cut: float = 0.0  # the connection breaks inside the body
    bytes_cut: float = 0.0  # half a document that claims to be whole, under the whole one's ETag
    rows_cut: float = 0.0  # a well-formed document that lacks its newest or any other rows
    stale: float = 0.0  # a cache's document, older than the last one
    unknown_field: float = 0.0  # rows with fields nobody knows
    unknown_type: float = 0.0  # a row of a type nobody knows
    renamed_field: float = 0.0  # rows with a field under another name
    number_as_string: float = 0.0  # rows with their numbers in quotes
    wrong_match: float = 0.0  # a document of another match
    empty_body: float = 0.0  # 200 and nothing
    html_page: float = 0.0  # 200 and an error page

    duplicated: float = 0.0  # per message: sent twice
    reordered: float = 0.0  # per message: after the one behind it
    garbled: float = 0.0  # per message: half of its bytes; sent again whole after `late_ms`
    heartbeats_lost: float = 0.0  # per heartbeat: none for `silence_ms`, while the connection stands
    stream_cut: float = 0.0  # per message: the connection breaks inside it

    skew_ms: int = 0  # the provider's clock is off by up to so much, either way ...
    drift_ppm: int = 0  # ... and runs fast or slow by up to so many millionths
    late_ms: tuple[int, int] = (2_000, 60_000)
    withdraw_ms: tuple[int, int] = (5_000, 180_000)
    slow_ms: tuple[int, int] = (500, 3_000)
    silence_ms: tuple[int, int] = (15_000, 60_000)
    retry_after_s: tuple[int, int] = (1, 20)
    stale_ms: tuple[int, int] = (5_000, 120_000)

    def __post_init__(self) -> None:
        for kind in Fault:
            if kind is not Fault.SKEWED and not 0 <= self.of(kind) <= 1:
                raise FeedError("bad_faults", f"{kind} is {self.of(kind)}: give a probability from 0 to 1")
        if sum(self.of(kind) for kind in OF_ANSWERS) > 1:
            raise FeedError("bad_faults", "the faults of answers add up to more than 1: lower them")

    def of(self, kind: Fault) -> float:
        """The probability of ``kind``."""
        if kind is Fault.SKEWED:
            return 1.0 if self.skew_ms or self.drift_ppm else 0.0
        return float(getattr(self, kind.value))

    def scaled(self, factor: float) -> Faults:
        """Every probability of answers and streams times ``factor``, at most 1."""
        kinds = (*OF_ANSWERS, *OF_STREAMS)
        changes: dict[str, Any] = {kind.value: min(1.0, self.of(kind) * factor) for kind in kinds}
        return replace(self, **changes)

    def table(self) -> tuple[tuple[str, float], ...]:
        """Every kind with its probability, for reports."""
        return tuple((kind.value, self.of(kind)) for kind in Fault)


CALM = Faults(late=0.02, edited=0.20, skew_ms=200)
"""A provider on a good day: it corrects one event in five, and nothing else happens."""

ROUGH = Faults(
    late=0.05,
    edited=0.20,
    deleted=0.01,
    vanished=0.005,
    restored=0.01,
    goal_dropped=0.3,
    goal_returned=0.5,
    rate_limited=0.02,
    server_error=0.03,
    timed_out=0.01,
    slow=0.03,
    connection_cut=0.01,
    bytes_cut=0.01,
    rows_cut=0.01,
    stale=0.03,
    unknown_field=0.01,
    unknown_type=0.01,
    renamed_field=0.005,
    number_as_string=0.01,
    wrong_match=0.003,
    empty_body=0.01,
    html_page=0.01,
    duplicated=0.03,
    reordered=0.03,
    garbled=0.01,
    heartbeats_lost=0.01,
    stream_cut=0.005,
    skew_ms=2_000,
    drift_ppm=50,
)
"""A bad day: about one answer in five is broken in some way."""

HELL = Faults(
    late=0.15,
    edited=0.30,
    deleted=0.03,
    vanished=0.02,
    restored=0.04,
    goal_dropped=0.6,
    goal_returned=0.5,
    rate_limited=0.05,
    server_error=0.08,
    timed_out=0.03,
    slow=0.05,
    connection_cut=0.04,
    bytes_cut=0.05,
    rows_cut=0.06,
    stale=0.08,
    unknown_field=0.04,
    unknown_type=0.04,
    renamed_field=0.04,
    number_as_string=0.04,
    wrong_match=0.02,
    empty_body=0.03,
    html_page=0.03,
    duplicated=0.10,
    reordered=0.10,
    garbled=0.04,
    heartbeats_lost=0.05,
    stream_cut=0.02,
    skew_ms=60_000,
    drift_ppm=500,
)
"""Two answers in three are broken. No provider is like that; whoever survives this survives them."""

PRESETS = {"calm": CALM, "rough": ROUGH, "hell": HELL}


def preset(name: str) -> Faults:
    """The preset called ``name``. Raises FeedError naming the known ones."""
    try:
        return PRESETS[name]
    except KeyError:
        raise FeedError("unknown_faults", f"no faults '{name}': choose one of {', '.join(PRESETS)}") from None


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault: when by the twin's clock (ms since its start), and to what it happened."""

    at_ms: int
    fault: Fault
    what: str


@dataclass(slots=True)
class Ledger:
    """Every fault injected, in the order of injection."""

    entries: list[Injected] = field(default_factory=list)

    def add(self, at_ms: int, fault: Fault, what: str) -> None:
        """Note one."""
        self.entries.append(Injected(at_ms, fault, what))

    def counts(self) -> Counter[Fault]:
        """How many of each kind."""
        return Counter(entry.fault for entry in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

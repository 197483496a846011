"""Send and confirm as a state machine. No I/O, no ambient clock.

The same bytes are sent again and again until the chain shows the transaction, or shows that it can never land:
the block height has passed `last_valid_block_height` AND a status query answered at or after the slot of that
observation does not know the signature. Only then may a new version be signed; before, it could land twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from solders.signature import Signature

Level = Literal["processed", "confirmed", "finalized"]
_RANK = {"processed": 0, "confirmed": 1, "finalized": 2}
_FIRST_POLL_S = 0.0
_GROWTH = 1.6


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction and the last block height at which it can land."""

    signature: Signature
    wire: bytes
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class Landed:
    """The transaction is on chain at the wanted commitment. `err` None: it did what it should."""

    signature: Signature
    slot: int
    err: Any


@dataclass(frozen=True, slots=True)
class Expired:
    """No version of the transaction landed, and none can any more."""

    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Time ran out before the chain told. The transaction may still land: look the signatures up before retrying."""

    signatures: tuple[Signature, ...]


Outcome = Landed | Expired | Unknown


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes (skip preflight, no retries by the node)."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask for the status of these signatures; with `search_history` past the node's recent ones."""

    signatures: tuple[Signature, ...]
    search_history: bool


@dataclass(frozen=True, slots=True)
class AskHeight:
    """Ask for slot and block height at commitment `confirmed`."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign a new version with a fresh blockhash and give it to `signed`."""


Action = Send | Poll | AskHeight | Sign


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of wall time between repeated actions, and how many versions may be signed in all.

    Gaps between polls and between looks at the block height grow up to `longest_poll_s` and `height_s`.
    """

    resend_s: float = 1.5
    poll_s: float = 0.05
    longest_poll_s: float = 1.0
    first_height_s: float = 0.3
    height_s: float = 2.0
    give_up_s: float = 120.0
    versions: int = 3


@dataclass(slots=True)
class Confirmation:
    """One transaction on its way. Feed it what was seen, do what `due` says, stop when `outcome` is set."""

    first: Signed
    started_s: float
    wanted: Level = "confirmed"
    timing: Timing = field(default_factory=Timing)
    outcome: Outcome | None = None
    _current: Signed = field(init=False)
    _tried: list[Signature] = field(init=False)
    _send_at: float = field(init=False)
    _poll_at: float = field(init=False)
    _height_at: float = field(init=False)
    _poll_gap: float = field(init=False)
    _height_gap: float = field(init=False)
    _dead_slot: int | None = field(init=False, default=None)
    _signing: bool = field(init=False, default=False)
    _seen: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._tried = []
        self._begin(self.first, self.started_s)

    def _begin(self, signed: Signed, now_s: float) -> None:
        self._current = signed
        self._tried.append(signed.signature)
        self._send_at = now_s
        self._poll_at = now_s + _FIRST_POLL_S
        self._poll_gap = self.timing.poll_s
        self._height_gap = min(self.timing.first_height_s, self.timing.height_s)
        self._height_at = now_s + self._height_gap
        self._dead_slot = None
        self._signing = False

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Every version signed so far; each one has to be watched."""
        return tuple(self._tried)

    def due(self, now_s: float) -> tuple[Action, ...]:
        """Return what to do now, and plan the next time for it."""
        if self.outcome is not None or self._signing:
            return ()
        if now_s - self.started_s >= self.timing.give_up_s:
            self.outcome = Unknown(self.signatures)
            return ()
        actions: list[Action] = []
        # Bytes that can never land are not sent again, nor those that the chain already shows.
        if now_s >= self._send_at and self._dead_slot is None and not self._seen:
            actions.append(Send(self._current.wire))
            self._send_at = now_s + self.timing.resend_s
        if now_s >= self._poll_at:
            actions.append(Poll(self.signatures, self._dead_slot is not None))
            self._poll_at = now_s + self._poll_gap
            self._poll_gap = min(self._poll_gap * _GROWTH, self.timing.longest_poll_s)
        if now_s >= self._height_at and self._dead_slot is None:
            actions.append(AskHeight())
            self._height_gap = min(self._height_gap * _GROWTH, self.timing.height_s)
            self._height_at = now_s + self._height_gap
        return tuple(actions)

    def next_due_s(self) -> float:
        """Return the time of the next action."""
        times = [self._poll_at, self.started_s + self.timing.give_up_s]
        if self._dead_slot is None:
            times += [self._height_at] if self._seen else [self._height_at, self._send_at]
        return min(times)

    def saw_height(self, slot: int, block_height: int, now_s: float) -> None:
        """Note the confirmed block height, read at `slot`."""
        if self.outcome is None and self._dead_slot is None and block_height > self._current.last_valid_block_height:
            # One more look, at this slot or later, decides: it may have landed in the very last block.
            self._dead_slot = slot
            self._poll_at = now_s

    def saw_status(self, signature: Signature, slot: int, err: Any, level: Level) -> None:
        """Note that a version is on chain at `slot`; also called for a subscription's notification."""
        if self.outcome is not None or signature not in self._tried:
            return
        self._seen = True
        if _RANK[level] >= _RANK[self.wanted]:
            self.outcome = Landed(signature, slot, err)

    def saw_nothing(self, context_slot: int) -> tuple[Action, ...]:
        """Note that no version was known at `context_slot`; returns what follows from it."""
        if self.outcome is not None or self._signing:
            return ()
        # What was seen at a lower commitment and is gone belonged to a fork: send again.
        self._seen = False
        if self._dead_slot is None or context_slot < self._dead_slot:
            return ()
        if len(self._tried) >= self.timing.versions:
            self.outcome = Expired(self.signatures)
            return ()
        self._signing = True
        return (Sign(),)

    def signed(self, signed: Signed, now_s: float) -> None:
        """Take the new version that `Sign` asked for."""
        if not self._signing:
            raise ValueError("a new version was signed while the old one could still land")
        self._begin(signed, now_s)

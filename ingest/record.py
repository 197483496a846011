"""One canonical change as it travels on the bus and stands in history: JSON with a schema that is checked on reading.

    {"match_id": "...", "provider": "...", "seq": 7, "at_ms": 1631385012345, "raw": "<64 hex digits>",
     "event": {...}}                  or   "gone": {"event_id": "...", "version": 3}

``raw`` is the SHA-256 of the provider's fragment, which history keeps once under that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ingest.events import Delete, Event, FeedError, Upsert

LATEST_MS = 4_102_444_800_000
"""The year 2100: no arrival is later."""
HIGHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Record:
    """``seq`` counts the records of one match from 1 without a gap; ``at_ms`` is the arrival in unix ms."""

    match_id: str
    provider: str
    seq: int
    at_ms: int
    raw: str
    change: Upsert | Delete


class _Wire(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    match_id: str
    provider: str
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**62)]
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]
    raw: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    event: Event | None = None
    gone: Delete | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Wire)


def encode(record: Record) -> bytes:
    """The record's bytes, on one line."""
    change = record.change
    event, gone = (change.event, None) if isinstance(change, Upsert) else (None, change)
    return _ENCODER.encode(_Wire(record.match_id, record.provider, record.seq, record.at_ms, record.raw, event, gone))


def decode(data: bytes) -> Record:
    """Read a record. Raises FeedError ``bad_record`` naming what is wrong."""
    try:
        wire = _DECODER.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError("bad_record", f"not a canonical record ({error}): it was changed or cut") from error
    if (wire.event is None) == (wire.gone is None):
        raise FeedError("bad_record", "not a canonical record (it holds not exactly one of event and gone): drop it")
    change = Upsert(wire.event) if wire.event is not None else wire.gone
    assert change is not None
    _require_plausible(change)
    return Record(wire.match_id, wire.provider, wire.seq, wire.at_ms, wire.raw, change)


def _require_plausible(change: Upsert | Delete) -> None:
    """Numbers that no store can keep are refused here, by name, before somebody fails on them. Raises FeedError."""
    if isinstance(change, Upsert):
        event = change.event
        small = (event.period, event.play_ms, event.added_s or 0, event.xg_e6 or 0)
        inside = 0 <= event.version < 2**62 and min(small) >= -HIGHEST and max(small) <= HIGHEST
    else:
        inside = 0 <= change.version < 2**62
    if not inside:
        raise FeedError("bad_record", "not a canonical record (a number in its event is out of range): drop it")

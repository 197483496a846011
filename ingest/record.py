"""One canonical change as it travels on the bus and stands in history: JSON with a schema that is checked on reading.

    {"match_id": "...", "provider": "...", "seq": 7, "at_ms": 1631385012345, "raw": "<64 hex digits>",
     "event": {...}}                  or   "gone": {"event_id": "...", "version": 3}

``raw`` is the SHA-256 of the provider's fragment, which history keeps once under that name.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ingest.events import Delete, Event, FeedError, Upsert


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
    seq: int
    at_ms: int
    raw: str
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
    return Record(wire.match_id, wire.provider, wire.seq, wire.at_ms, wire.raw, change)

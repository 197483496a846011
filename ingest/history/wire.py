"""A raw fragment as it travels on the bus beside the canonical records: JSON with a schema checked on reading.

{"match_id": "...", "provider": "...", "raw": "<64 hex digits>", "at_ms": 1631385012345, "doc": {...}}
"""

from __future__ import annotations

import msgspec

from ingest.events import FeedError
from ingest.history.model import Fragment, sha256


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match_id: str
    provider: str
    raw: str
    at_ms: int
    doc: msgspec.Raw


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Wire)


def encode(fragment: Fragment) -> bytes:
    """The fragment's bytes, on one line."""
    return _ENCODER.encode(
        _Wire(fragment.match_id, fragment.provider, fragment.raw, fragment.at_ms, msgspec.Raw(fragment.doc))
    )


def decode(data: bytes) -> Fragment:
    """Read a fragment. Raises FeedError ``bad_fragment`` naming what is wrong."""
    try:
        wire = _DECODER.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError("bad_fragment", f"not a raw fragment ({error}): it was changed or cut") from error
    doc = bytes(wire.doc)
    if sha256(doc) != wire.raw:
        raise FeedError("bad_fragment", f"a raw fragment is not the one it is named after ({wire.raw[:16]}): drop it")
    return Fragment(wire.match_id, wire.provider, wire.raw, wire.at_ms, doc)

"""What a live feed has and the archive lost: first versions that were wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.feeds import base
from ingest.feeds.wyscout import constants as c

Doc = dict[str, Any]


def replay(paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS) -> base.Replay:
    """The recorded match at ``paths`` as a live feed; see `ingest.feeds.base.replay`."""
    from ingest.feeds.wyscout.adapter import ADAPTER

    return ADAPTER.replay(paths, seed, halftime_ms)


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome; goals and cards arrive right."""
    try:
        tags = [int(tag["id"]) for tag in doc.get("tags") or ()]
        if not doc.get("positions") or c.TAGS_NEVER_SPOILT & set(tags):
            return None
        start = doc["positions"][0]
        moved = {axis: min(100, max(0, round(float(start[axis])) + rng.randint(-12, 12))) for axis in ("x", "y")}
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        return None
    first = {**doc, "positions": [moved, *doc["positions"][1:]]}
    swap = {c.TAG_ACCURATE: c.TAG_NOT_ACCURATE, c.TAG_NOT_ACCURATE: c.TAG_ACCURATE}
    if rng.random() < 0.1:
        first["tags"] = [{"id": swap.get(tag, tag)} for tag in tags]
    return first

"""What a live feed has and the document lost: first versions that were wrong."""

from __future__ import annotations

import random
from typing import Any

from ingest.feeds.reading import finite

Doc = dict[str, Any]
PASSES = {180: 181, 181: 180}
SPOILT = frozenset({*PASSES, 33, 35, 36, 46, 182})


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome; goals and cards arrive right."""
    try:
        type_id, point = int(doc["type"]), doc["coord"]["1"]
        if type_id not in SPOILT:
            return None
        moved = {axis: min(1.0, max(-1.0, finite(point[axis]) + rng.uniform(-0.24, 0.24))) for axis in ("x", "y")}
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    first = {**doc, "coord": {**doc["coord"], "1": {**point, **{k: round(v, 2) for k, v in moved.items()}}}}
    if type_id in PASSES and rng.random() < 0.1:
        first["type"] = PASSES[type_id]
    return first

"""What a live feed has and the archive lost: first versions that were wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.feeds import base
from ingest.feeds.reading import finite
from ingest.feeds.wyscout import constants as c
from ingest.feeds.wyscout.parse_v3 import is_v3

Doc = dict[str, Any]
NEVER_SPOILT = frozenset({"infraction", "own_goal", "penalty", "game_interruption"})
"""Of version 3: goals, cards and suspensions hang on these, or they have nothing to be wrong about."""


def replay(paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS) -> base.Replay:
    """The recorded match at ``paths`` as a live feed; see `ingest.feeds.base.replay`."""
    from ingest.feeds.wyscout.adapter import ADAPTER

    return ADAPTER.replay(paths, seed, halftime_ms)


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome; goals and cards arrive right."""
    return _spoil_v3(doc, rng) if is_v3(doc) else _spoil_v2(doc, rng)


def _spoil_v3(doc: Doc, rng: random.Random) -> Doc | None:
    try:
        shot = doc.get("shot") or {}
        if doc["type"]["primary"] in NEVER_SPOILT or shot.get("isGoal"):
            return None
        moved = {axis: min(100, max(0, round(finite(doc["location"][axis])) + rng.randint(-12, 12))) for axis in "xy"}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return None
    first = {**doc, "location": moved}
    told = doc.get("pass")
    if isinstance(told, dict) and isinstance(told.get("accurate"), bool) and rng.random() < 0.1:
        first["pass"] = {**told, "accurate": not told["accurate"]}
    return first


def _spoil_v2(doc: Doc, rng: random.Random) -> Doc | None:
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

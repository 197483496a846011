"""What a recording lost and a live feed has: first versions that were wrong, and events before their deletion."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.feeds import base
from ingest.feeds.statsperform import constants as c

Doc = dict[str, Any]
PITCH_M = (105.0, 68.0)
"""Opta's lengths are metres on a pitch of this size."""

TYPE_MISTAKES = {
    c.RECOVERY: c.BALL_TOUCH,
    c.BALL_TOUCH: c.RECOVERY,
    c.CLEARANCE: c.PASS,
    c.MISS: c.SAVED,
    c.SAVED: c.MISS,
}
"""First reports that a collector plausibly gets wrong."""

NEVER_SPOILT = frozenset({c.GOAL, c.CARD, c.CORNER_AWARDED, c.PERIOD_START, c.PERIOD_END}) | c.UNLOCATED
"""Suspensions hang on these, or they have nothing to be wrong about."""


def replay(paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS) -> base.Replay:
    """The recorded match at ``paths`` as a live feed; see `ingest.feeds.base.replay`."""
    from ingest.feeds.statsperform.adapter import ADAPTER

    return ADAPTER.replay(paths, seed, halftime_ms)


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome or type; None for what arrives right."""
    try:
        type_id = int(doc["typeId"])
        qualifiers = {int(q["qualifierId"]): q for q in doc.get("qualifier") or ()}
        if type_id in NEVER_SPOILT or (type_id == c.FOUL and c.Q_PENALTY in qualifiers):
            return None
        first = dict(doc)
        for axis in ("x", "y"):
            first[axis] = round(min(100.0, max(0.0, float(doc[axis]) + rng.uniform(-12, 12))), 1)
        if type_id in (c.PASS, c.TAKE_ON) and rng.random() < 0.15:
            first["outcome"] = 1 - int(doc["outcome"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if type_id in TYPE_MISTAKES and rng.random() < 0.25:
        first["typeId"] = TYPE_MISTAKES[type_id]
    if type_id in c.SHOTS:
        first["qualifier"] = [q for number, q in qualifiers.items() if number != c.Q_BIG_CHANCE]
    return first


def restore(doc: Doc) -> Doc | None:
    """The event that a deletion row withdrew, from the former type it names; None when it names none.

    The row has lost its place; a pass's is regained from its end, length and angle.
    """
    former_id = c.Q_TYPE_BEFORE_REVIEW if doc["typeId"] == c.DELETED_AFTER_REVIEW else c.Q_FORMER_TYPE
    qualifiers = {int(q["qualifierId"]): q for q in doc.get("qualifier") or ()}
    if former_id not in qualifiers:
        return None
    former = int(qualifiers[former_id]["value"])
    restored = {
        **doc,
        "typeId": former,
        "qualifier": [q for q in doc["qualifier"] if int(q["qualifierId"]) != former_id],
    }
    try:
        end_x, end_y, length_m, angle = (
            float(qualifiers[number]["value"]) for number in (c.Q_END_X, c.Q_END_Y, c.Q_LENGTH_M, c.Q_ANGLE)
        )
    except (KeyError, TypeError, ValueError):
        return restored
    place = {
        "x": end_x - length_m * math.cos(angle) / PITCH_M[0] * 100,
        "y": end_y - length_m * math.sin(angle) / PITCH_M[1] * 100,
    }
    if not all(math.isfinite(value) for value in place.values()):
        return restored
    return {**restored, **{axis: round(min(100.0, max(0.0, value)), 1) for axis, value in place.items()}}

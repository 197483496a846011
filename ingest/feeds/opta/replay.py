"""What a recording lost and a live feed has: first versions that were wrong, and events before their deletion."""

from __future__ import annotations

import math
import random
from typing import Any

from ingest.feeds.opta import constants as c

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


def spoil(doc: Doc, rng: random.Random, shape: c.Shape) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome or type; None for what arrives right."""
    try:
        type_id = int(doc[shape.type_id])
        qualifiers = {int(q[shape.qualifier_id]): q for q in doc.get(shape.qualifiers) or ()}
        if type_id in NEVER_SPOILT or (type_id == c.FOUL and c.Q_PENALTY in qualifiers):
            return None
        first = dict(doc)
        for axis in ("x", "y"):
            first[axis] = _like(doc[axis], round(min(100.0, max(0.0, float(doc[axis]) + rng.uniform(-12, 12))), 1))
        if type_id in (c.PASS, c.TAKE_ON) and rng.random() < 0.15:
            first["outcome"] = _like(doc["outcome"], 1 - int(doc["outcome"]))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return None
    if type_id in TYPE_MISTAKES and rng.random() < 0.25:
        first[shape.type_id] = _like(doc[shape.type_id], TYPE_MISTAKES[type_id])
    if type_id in c.SHOTS:
        first[shape.qualifiers] = [q for number, q in qualifiers.items() if number != c.Q_BIG_CHANCE]
    return first


def restore(doc: Doc, shape: c.Shape) -> Doc | None:
    """The event that a deletion row withdrew, from the former type it names; None when it names none.

    The row has lost its place; a pass's is regained from its end, length and angle. Raises what reading a garbled
    row raises (KeyError, TypeError, ValueError).
    """
    reviewed = int(doc[shape.type_id]) == c.DELETED_AFTER_REVIEW
    former_id = c.Q_TYPE_BEFORE_REVIEW if reviewed else c.Q_FORMER_TYPE
    qualifiers = {int(q[shape.qualifier_id]): q for q in doc.get(shape.qualifiers) or ()}
    if former_id not in qualifiers:
        return None
    restored = {
        **doc,
        shape.type_id: _like(doc[shape.type_id], int(qualifiers[former_id]["value"])),
        shape.qualifiers: [q for q in doc[shape.qualifiers] if int(q[shape.qualifier_id]) != former_id],
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
    held = {axis: _like(doc.get(axis), round(min(100.0, max(0.0, value)), 1)) for axis, value in place.items()}
    return {**restored, **held}


def _like(old: object, new: float) -> float | str:
    """A number in the spelling of the feed: XML has nothing but text."""
    return str(new) if isinstance(old, str) else new

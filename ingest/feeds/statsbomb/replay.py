"""What a live feed has and the archive lost: first versions that were wrong."""

from __future__ import annotations

import random
from typing import Any

from ingest.feeds.reading import finite
from ingest.feeds.statsbomb import constants as c

Doc = dict[str, Any]
NEVER_SPOILT = c.UNLOCATED | {c.FOUL, c.OWN_GOAL_FOR, c.OWN_GOAL_AGAINST}
"""Cards and suspensions hang on these, or they have nothing to be wrong about."""
INCOMPLETE = {"id": 9, "name": "Incomplete"}


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A first version some metres off, now and then with the wrong outcome; goals and cards arrive right."""
    try:
        type_id = int(doc["type"]["id"])
        if type_id in NEVER_SPOILT or _is_goal(doc, type_id):
            return None
        x, y = finite(doc["location"][0]), finite(doc["location"][1])
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        return None
    x = min(c.PITCH[0], max(0.0, x + rng.uniform(-14, 14)))
    y = min(c.PITCH[1], max(0.0, y + rng.uniform(-10, 10)))
    first = {**doc, "location": [round(x, 1), round(y, 1)]}
    if type_id == c.PASS and isinstance(doc.get("pass"), dict) and rng.random() < 0.1:
        outcome = None if doc["pass"].get("outcome") else INCOMPLETE
        first["pass"] = {key: value for key, value in doc["pass"].items() if key != "outcome"}
        first["pass"] |= {} if outcome is None else {"outcome": outcome}
    return first


def _is_goal(doc: Doc, type_id: int) -> bool:
    return type_id == c.SHOT and int(doc["shot"]["outcome"]["id"]) == c.SHOT_GOAL

"""A made-up match as raw tracking: 23 objects, 25 frames a second, from a seed, in the layout of `ingest.tracking`.

The movement is plausible, not realistic: the ball wanders, both teams keep their formation and follow it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson

HZ = 25
OBJECTS = 23
BALL_ID, _FIRST_HOME_ID, _FIRST_AWAY_ID = 1, 101, 201
_FORMATION_X_M = (-48, -35, -37, -37, -35, -18, -20, -20, -18, -5, -5)
_FORMATION_Y_M = (0, -20, -7, 7, 20, -18, -6, 6, 18, -8, 8)
_FORMATION_M = np.column_stack((_FORMATION_X_M, _FORMATION_Y_M)).astype(float)
_CHUNK_S = 60


def match_document() -> bytes:
    """The match document of every generated match."""
    players = [{"trackable_object": _FIRST_HOME_ID + i, "team_id": 1} for i in range(11)]
    players += [{"trackable_object": _FIRST_AWAY_ID + i, "team_id": 2} for i in range(11)]
    return orjson.dumps(
        {
            "home_team": {"id": 1},
            "away_team": {"id": 2},
            "players": players,
            "referees": [],
            "ball": {"trackable_object": BALL_ID},
            "pitch_length": 105,
            "pitch_width": 68,
        }
    )


def frame_lines(seed: int, half_s: int = 2_700) -> Iterator[bytes]:
    """Lines of two halves of ``half_s`` seconds each; the same for the same seed. The home side begins on the left."""
    rng = np.random.default_rng(seed)
    ids = [BALL_ID, *range(_FIRST_HOME_ID, _FIRST_HOME_ID + 11), *range(_FIRST_AWAY_ID, _FIRST_AWAY_ID + 11)]
    number, corner = 0, np.array((52.0, 33.0))
    for period in (1, 2):
        turn = 1 if period == 1 else -1
        ball = np.zeros(2)
        for start_s in range(0, half_s, _CHUNK_S):
            count = min(_CHUNK_S, half_s - start_s) * HZ
            path = ball + np.cumsum(rng.normal(0.0, 0.35, (count, 2)), axis=0)
            path = np.abs((path + corner) % (4 * corner) - 2 * corner) - corner  # reflected at the lines
            ball = path[-1]
            placed = np.empty((count, OBJECTS, 2))
            placed[:, 0] = path
            drift = rng.normal(0.0, 0.5, (count, 22, 2))
            shift = path[:, None, :] * 0.1
            placed[:, 1:12] = turn * _FORMATION_M + shift
            placed[:, 12:] = -turn * _FORMATION_M + shift
            placed[:, 1:] += drift
            for at, places in enumerate(np.round(placed, 2).tolist()):
                ms = start_s * 1000 + at * 1000 // HZ
                minutes, rest = divmod(ms + (period - 1) * 45 * 60_000, 60_000)
                data = [{"trackable_object": o, "x": x, "y": y} for o, (x, y) in zip(ids, places, strict=True)]
                holder = "home team" if places[0][0] * turn > 0 else "away team"
                yield orjson.dumps(
                    {
                        "frame": number,
                        "period": period,
                        "time": f"{minutes}:{rest // 1000:02d}.{rest % 1000 // 10:02d}",
                        "possession": {"trackable_object": None, "group": holder},
                        "data": data,
                    }
                )
                number += 1

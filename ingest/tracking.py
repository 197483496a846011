"""Positions of ball and players, many times a second, reduced to features per second of play.

The layout is SkillCorner's: a match document (teams' objects, ball, pitch) and frames, either one JSON list or one
frame a line. Places are metres from the centre spot. Everything is turned so that the home side attacks towards
positive x; the direction is read off the first frame of a period that shows at least five of each side. Frames before
it tell nothing, so that no second depends on a later one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ingest.events import SHOOT_OUT, FeedError

MAX_OUTSIDE_M = 5.0
"""A place further than this outside the lines is a wrong measurement."""
ORIENTING = 5
"""So many of each side must be seen to tell who plays in which direction."""
_MAX_BYTES = 1 << 30
_PERIOD_START_MS = {1: 0, 2: 45 * 60_000, 3: 90 * 60_000, 4: 105 * 60_000}
_MAX_PLAY_MS = 7_200_000
_BALL, _HOME, _AWAY, _OTHER = 0, 1, 2, 3
_GROUPS = {"home team": _HOME, "away team": _AWAY, "balls": _BALL, "referee": _OTHER}


@dataclass(frozen=True)
class TrackingMatch:
    """Who is who: object id -> 0 ball, 1 home, 2 away, 3 referee; and the pitch in metres."""

    objects: dict[int, int]
    length_m: float
    width_m: float


@dataclass(frozen=True)
class TrackedSeconds:
    """Features of every second of play that had a frame, in order; arrays of equal length.

    Places are millimetres from the centre spot, home attacking towards positive x; they mean something only where the
    count beside them is not 0. ``zone`` is the ball's third seen by the home side (0 own, 1 middle, 2 attacking),
    -1 without ball. ``held_home`` and ``held_away`` count frames in which the feed says who has the ball.
    """

    period: NDArray[np.int64]
    second: NDArray[np.int64]
    frames: NDArray[np.int64]
    ball_frames: NDArray[np.int64]
    ball_x_mm: NDArray[np.int64]
    ball_y_mm: NDArray[np.int64]
    zone: NDArray[np.int64]
    home_points: NDArray[np.int64]
    home_x_mm: NDArray[np.int64]
    home_y_mm: NDArray[np.int64]
    away_points: NDArray[np.int64]
    away_x_mm: NDArray[np.int64]
    away_y_mm: NDArray[np.int64]
    held_home: NDArray[np.int64]
    held_away: NDArray[np.int64]


@dataclass(frozen=True)
class Tracking:
    """What was read: features, and what could not be used, counted by code.

    ``points`` counts every position in the input. Problems: ``no_place`` (x or y missing or not finite),
    ``off_pitch`` (more than 5 m outside), ``unknown_object``, ``clock_back`` (a frame not after its predecessor),
    ``no_period`` (positions outside periods 1 to 4), ``no_direction`` (positions before the direction of
    play is known).
    """

    seconds: TrackedSeconds
    frames: int
    points: int
    problems: dict[str, int] = field(default_factory=dict)


def parse_match(raw: bytes, where: str = "the match document") -> TrackingMatch:
    """The match document. Raises FeedError ``tracking_bad_match`` when it is none."""
    try:
        doc = orjson.loads(raw)
        home, away = int(doc["home_team"]["id"]), int(doc["away_team"]["id"])
        sides = {home: _HOME, away: _AWAY}
        objects = {int(p["trackable_object"]): sides[int(p["team_id"])] for p in doc["players"]}
        objects |= {int(r["trackable_object"]): _OTHER for r in doc.get("referees") or ()}
        objects[int(doc["ball"]["trackable_object"])] = _BALL
        length_m, width_m = float(doc["pitch_length"]), float(doc["pitch_width"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FeedError(
            "tracking_bad_match", f"{where} lacks or garbles {error}: give SkillCorner's match document"
        ) from error
    if home == away or not {_HOME, _AWAY} <= set(objects.values()):
        raise FeedError("tracking_bad_match", f"{where} does not name players of two teams: give a complete document")
    if not (80 <= length_m <= 130 and 40 <= width_m <= 100):
        raise FeedError("tracking_bad_match", f"{where} has a pitch of {length_m} m x {width_m} m: give metres")
    return TrackingMatch(objects, length_m, width_m)


def read_frames(path: Path) -> Iterator[dict[str, Any]]:
    """Frames of a file, a JSON list or one a line. Raises FeedError for a file that cannot be read or is neither."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FeedError("file_too_large", f"{path} is larger than {_MAX_BYTES >> 20} MiB: that is no one match")
        with path.open("rb") as file:
            if file.read(1) == b"[":
                file.seek(0)
                yield from _loads(file.read(), str(path))
                return
            file.seek(0)
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _loads(line, f"{path} line {number}")
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {path} ({error.strerror}): check the path") from error


def _loads(raw: bytes, where: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise FeedError("tracking_bad_json", f"{where} is not whole JSON ({error}): fetch the file again") from error


def _play_ms(period: int, time: str) -> int:
    """Milliseconds since the period's kick-off of a match time like ``45:02.10``; ValueError for anything else."""
    minutes, _, seconds = time.partition(":")
    if not (minutes.isdecimal() and 0 <= float(seconds) < 60):
        raise ValueError(f"time {time!r}")
    result = int(minutes) * 60_000 + round(float(seconds) * 1000) - _PERIOD_START_MS[period]
    if not 0 <= result <= _MAX_PLAY_MS:
        raise ValueError(f"time {time!r} in period {period}")
    return result


class _Second:
    """Sums over one second of play, as the provider sees the pitch."""

    __slots__ = ("count", "frames", "held", "place", "x", "y")

    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        self.frames = 0
        self.count, self.x, self.y = [0] * 3, [0.0] * 3, [0.0] * 3  # ball, home, away
        self.held = [0, 0]

    def row(self, sign: int, third_mm: int) -> tuple[int, ...]:
        means: list[tuple[int, int, int]] = []
        for count, x, y in zip(self.count, self.x, self.y, strict=True):
            used = count if sign else 0
            means.append((used, round(sign * x * 1000 / used), round(sign * y * 1000 / used)) if used else (0, 0, 0))
        ball, home, away = means
        zone = (ball[1] > -third_mm) + (ball[1] >= third_mm) if ball[0] else -1
        return (*self.place, self.frames, *ball, int(zone), *home, *away, *self.held)


def reduce_frames(match: TrackingMatch, frames: Iterable[dict[str, Any]]) -> Tracking:
    """Validate ``frames``, count them and reduce them to features per second.

    A point that cannot be used is counted and left out. Raises FeedError ``tracking_bad_frame`` for a frame that is
    none, ``tracking_no_play`` when no frame belongs to a period of play.
    """
    problems: Counter[str] = Counter()
    rows: list[tuple[int, ...]] = []
    half_x, half_y = match.length_m / 2 + MAX_OUTSIDE_M, match.width_m / 2 + MAX_OUTSIDE_M
    third_mm = round(match.length_m * 1000 / 6)
    objects, inf = match.objects, math.inf
    signs: dict[int, int] = {}
    current: _Second | None = None
    last = (0, -1)
    number = points = 0
    for number, frame in enumerate(frames, start=1):
        try:
            period, data = frame["period"], frame["data"]
            points += len(data)
            if period is None or period == SHOOT_OUT:
                problems["no_period"] += len(data)
                continue
            now = (period, _play_ms(period, frame["time"]))
            holder = (frame.get("possession") or {}).get("group")
            if now <= last:
                problems["clock_back"] += 1
                continue
            last = now
            place = (period, now[1] // 1000)
            if current is None or place != current.place:
                if current is not None:
                    rows.append(current.row(signs.get(current.place[0], 0), third_mm))
                current = _Second(place)
            count, sum_x, sum_y = [0] * 4, [0.0] * 4, [0.0] * 4
            for point in data:
                kind = objects.get(point.get("trackable_object"))
                if kind is None:
                    kind = _GROUPS.get(point.get("group_name"))
                    if kind is None:
                        problems["unknown_object"] += 1
                        continue
                x, y = point.get("x"), point.get("y")
                if x is None or y is None or not (-inf < x < inf and -inf < y < inf):
                    problems["no_place"] += 1
                elif -half_x <= x <= half_x and -half_y <= y <= half_y:
                    count[kind] += 1
                    sum_x[kind] += x
                    sum_y[kind] += y
                else:
                    problems["off_pitch"] += 1
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise FeedError("tracking_bad_frame", f"frame {number} is no frame ({what}): check the file") from error
        current.frames += 1
        if holder in ("home team", "away team"):
            current.held[holder == "away team"] += 1
        if period not in signs:
            if min(count[_HOME], count[_AWAY]) < ORIENTING:
                problems["no_direction"] += sum(count[:3])
                continue
            home_ahead = sum_x[_HOME] / count[_HOME] > sum_x[_AWAY] / count[_AWAY]
            signs[period] = -1 if home_ahead else 1  # everybody starts in his own half
        for kind in (_BALL, _HOME, _AWAY):
            current.count[kind] += count[kind]
            current.x[kind] += sum_x[kind]
            current.y[kind] += sum_y[kind]
    if current is None:
        raise FeedError("tracking_no_play", f"none of {number} frames belongs to a period of play: give a played match")
    rows.append(current.row(signs.get(current.place[0], 0), third_mm))
    columns = np.array(rows, dtype=np.int64).T
    return Tracking(TrackedSeconds(*columns), number, points, dict(problems))


def read_tracking(match_path: Path, frames_path: Path) -> Tracking:
    """Read and reduce one match from its two files. Raises FeedError in one sentence for anything else."""
    try:
        raw = match_path.read_bytes()
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {match_path} ({error.strerror}): check the path") from error
    return reduce_frames(parse_match(raw, str(match_path)), read_frames(frames_path))

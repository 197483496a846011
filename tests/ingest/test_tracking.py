"""Raw tracking: what is counted, what becomes a feature, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ingest import tracking_sample
from ingest.events import FeedError
from ingest.feeds import default_match_paths
from ingest.tracking import Tracking, parse_match, read_tracking, reduce_frames

Frame = dict[str, Any]
DOCUMENT = tracking_sample.match_document()
MATCH = parse_match(DOCUMENT)
BALL, HOME, AWAY = 1, range(101, 112), range(201, 212)


def frame(time: str = "0:00.00", period: int | None = 1, ball: tuple[float, float] = (10.0, -4.0)) -> Frame:
    """Home stands 20 m left of the centre spot, away 20 m right of it."""
    data = [{"trackable_object": BALL, "x": ball[0], "y": ball[1]}]
    data += [{"trackable_object": o, "x": -20.0, "y": 1.0} for o in HOME]
    data += [{"trackable_object": o, "x": 20.0, "y": -1.0} for o in AWAY]
    return {"period": period, "time": time, "possession": {"group": "home team"}, "data": data}


def read(*frames: Frame) -> Tracking:
    return reduce_frames(MATCH, frames)


def column(tracking: Tracking, name: str) -> list[int]:
    values: list[int] = getattr(tracking.seconds, name).tolist()
    return values


def test_a_second_is_the_mean_of_its_frames() -> None:
    result = read(frame(), frame("0:00.50", ball=(11.0, -4.0)), frame("0:01.00", ball=(-40.0, 0.0)))
    assert (result.frames, result.points, result.problems) == (3, 69, {})
    assert column(result, "second") == [0, 1]
    assert column(result, "frames") == column(result, "ball_frames") == column(result, "held_home") == [2, 1]
    assert column(result, "ball_x_mm") == [10_500, -40_000]
    assert column(result, "ball_y_mm") == [-4_000, 0]
    assert column(result, "zone") == [1, 0]
    assert column(result, "home_points") == [22, 11]
    assert column(result, "home_x_mm") == [-20_000, -20_000]
    assert column(result, "away_y_mm") == [-1_000, -1_000]


def turned(original: Frame) -> Frame:
    data = [{**point, "x": -point["x"], "y": -point["y"]} for point in original["data"]]
    return {**original, "data": data}


def test_the_home_side_attacks_to_the_right_in_both_halves() -> None:
    result = read(frame(), turned(frame("45:00.00", period=2)))
    assert column(result, "period") == [1, 2]
    assert column(result, "second") == [0, 0]
    assert column(result, "ball_x_mm") == [10_000, 10_000]
    assert column(result, "home_x_mm") == [-20_000, -20_000]


def test_swapping_home_and_away_mirrors_the_pitch() -> None:
    document = orjson.loads(DOCUMENT)
    document["home_team"], document["away_team"] = document["away_team"], document["home_team"]
    lines = [orjson.loads(line) for line in tracking_sample.frame_lines(3, half_s=5)]
    straight, swapped = read(*lines).seconds, reduce_frames(parse_match(orjson.dumps(document)), lines).seconds
    assert np.array_equal(swapped.ball_x_mm, -straight.ball_x_mm)
    assert np.array_equal(swapped.home_x_mm, -straight.away_x_mm)
    assert np.array_equal(swapped.home_y_mm, -straight.away_y_mm)


def test_a_later_frame_never_changes_an_earlier_second() -> None:
    lines = [orjson.loads(line) for line in tracking_sample.frame_lines(4, half_s=6)]
    few = {**lines[0], "data": lines[0]["data"][:4]}
    whole, cut = read(few, *lines[1:]), read(few, *lines[1:100])
    assert len(cut.seconds.second) == 4
    for name in vars(cut.seconds):
        assert column(cut, name)[:3] == column(whole, name)[:3]


def test_what_cannot_be_used_is_counted_and_changes_nothing() -> None:
    odd = frame("0:00.10")
    odd["data"] += [
        {"trackable_object": BALL, "x": None, "y": 0.0},
        {"trackable_object": BALL, "y": 0.0},
        {"trackable_object": 101, "x": 57.6, "y": 0.0},
        {"trackable_object": 101, "x": 0.0, "y": -39.1},
        {"trackable_object": 999, "x": 0.0, "y": 0.0},
    ]
    before = {**frame("0:00.00"), "data": frame()["data"][:1]}
    outside = frame(period=None)
    shoot_out = frame(period=5, time="120:00.00")
    result = read(outside, before, odd, frame("0:00.10"), frame("0:00.05"), shoot_out)
    assert result.problems == {
        "no_period": 46,
        "no_direction": 1,
        "no_place": 2,
        "off_pitch": 2,
        "unknown_object": 1,
        "clock_back": 2,
    }
    assert column(result, "ball_x_mm") == [10_000]
    assert column(result, "ball_frames") == [1]
    assert column(result, "home_points") == [11]


def test_a_half_that_never_shows_both_teams_has_frames_but_no_places() -> None:
    lonely = frame()
    lonely["data"] = lonely["data"][:5]
    result = read(lonely)
    assert column(result, "frames") == [1]
    assert column(result, "zone") == [-1]
    assert column(result, "ball_frames") == column(result, "home_points") == [0]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda f: {**f, "time": "half past"}, "tracking_bad_frame"),
        (lambda f: {**f, "time": "0:75.00"}, "tracking_bad_frame"),
        (lambda f: {**f, "time": None}, "tracking_bad_frame"),
        (lambda f: {**f, "period": 7}, "tracking_bad_frame"),
        (lambda f: {**f, "period": 2}, "tracking_bad_frame"),  # the second half does not begin at 0:00
        (lambda f: {**f, "data": None}, "tracking_bad_frame"),
        (lambda f: {**f, "data": [{"trackable_object": 1, "x": "left", "y": 0}]}, "tracking_bad_frame"),
        (lambda f: {"frame": 3}, "tracking_bad_frame"),
        (lambda f: {**f, "period": None}, "tracking_no_play"),
    ],
)
def test_a_frame_that_is_none_is_refused_in_one_sentence(spoil: Callable[[Frame], Frame], code: str) -> None:
    with pytest.raises(FeedError) as refused:
        read(spoil(frame()))
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"players": None},
        {"ball": {}},
        {"pitch_length": "wide"},
        {"pitch_length": 10_500},
        {"home_team": {"id": 2}},
        {"players": [{"trackable_object": 5, "team_id": 9}]},
        {"players": []},
    ],
)
def test_a_match_document_that_lacks_something_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FeedError) as refused:
        parse_match(orjson.dumps({**orjson.loads(DOCUMENT), **change}))
    assert refused.value.code == "tracking_bad_match"


def test_files_that_are_missing_or_cut_are_named(tmp_path: Path) -> None:
    match, frames = tmp_path / "match.json", tmp_path / "frames.jsonl"
    with pytest.raises(FeedError, match=r"match\.json"):
        read_tracking(match, frames)
    match.write_bytes(DOCUMENT)
    with pytest.raises(FeedError, match=r"frames\.jsonl"):
        read_tracking(match, frames)
    lines = list(tracking_sample.frame_lines(1, half_s=1))
    frames.write_bytes(b"\n".join(lines) + b"\n{")
    with pytest.raises(FeedError, match="line 51"):
        read_tracking(match, frames)
    frames.write_bytes(b"[" + b",".join(lines))
    with pytest.raises(FeedError, match="not whole JSON"):
        read_tracking(match, frames)


def test_a_list_of_frames_and_one_frame_a_line_read_the_same(tmp_path: Path) -> None:
    match, frames = tmp_path / "match.json", tmp_path / "frames.json"
    match.write_bytes(DOCUMENT)
    lines = list(tracking_sample.frame_lines(2, half_s=3))
    results = []
    for content in (b"\n".join(lines), b"[" + b",".join(lines) + b"]"):
        frames.write_bytes(content)
        results.append(read_tracking(match, frames))
    assert results[0].points == results[1].points == 2 * 3 * 25 * 23
    for name in vars(results[0].seconds):
        assert column(results[0], name) == column(results[1], name)


def test_the_generator_gives_the_same_match_for_the_same_seed_and_every_object_in_every_frame() -> None:
    lines = list(tracking_sample.frame_lines(7, half_s=61))
    assert lines == list(tracking_sample.frame_lines(7, half_s=61))
    assert lines != list(tracking_sample.frame_lines(8, half_s=61))
    result = read(*map(orjson.loads, lines))
    assert result.problems == {}
    assert set(column(result, "frames")) == {25}
    assert set(column(result, "home_points")) == set(column(result, "away_points")) == {275}
    assert len(column(result, "second")) == 122
    assert (result.seconds.home_x_mm < result.seconds.away_x_mm).all()


def test_the_real_recording_is_read_whole() -> None:
    folder = default_match_paths()[0].parent
    result = read_tracking(folder / "skillcorner_match_data.json", folder / "skillcorner_structured_data.json")
    assert (result.frames, result.points) == (68_101, 523_479)
    assert result.problems == {"no_period": 1_014, "no_direction": 51, "off_pitch": 149}
    seconds = result.seconds
    assert len(seconds.second) == 5_564
    for period in (1, 2):
        seen = (seconds.period == period) & (seconds.home_points >= 50) & (seconds.away_points >= 50)
        assert (seconds.home_x_mm < seconds.away_x_mm)[seen].mean() > 0.6
    assert np.abs(seconds.ball_x_mm).max() <= 57_500

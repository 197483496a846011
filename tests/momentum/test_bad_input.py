"""What bad or unusual input does to the index: a stated result, or one clear error.

Canonical events first, then the complete real files of the installed `kloppy` package, mutated.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from backend.cli.momentum import app
from ingest.events import Event, FeedError, Kind, Side, Upsert
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import TIDY, ReplayOptions
from ingest.feeds.base import replay as as_feed
from ingest.timeline import Timeline
from momentum import archive
from momentum.batch import replay_to_file
from momentum.features import MAX_SECOND, footprint, shot_xg_e6
from momentum.live import LiveMatch
from momentum.methodology import MAX_E6, METHODOLOGIES, SPEC_BOX, SPEC_DECAY
from momentum.replay import Final, match_table, read_final
from tests.momentum.conftest import added, matches, season_match

Doc = dict[str, Any]
NAN, INF = math.nan, math.inf
SHOT = Event("s", 1, 1, 60_000, Kind.SHOT, Side.HOME, x=88.0, y=50.0)
PASS = Event("p", 1, 1, 60_000, Kind.PASS, Side.HOME, x=80.0, y=50.0)


def indices(events: list[Event] | tuple[Event, ...]) -> dict[str, list[int]]:
    return {name: values.tolist() for name, values in archive.replay(events).x_e6.items()}


def mirrored(event: Event) -> Event:
    return replace(event, side=None if event.side is None else event.side.other)


# Canonical events


def test_a_shot_without_a_place_is_taken_18_m_out_and_a_pass_without_one_is_no_field_tilt() -> None:
    for x, y in ((None, None), (None, 50.0), (88.0, None)):
        assert shot_xg_e6(replace(SHOT, x=x, y=y)) == shot_xg_e6(replace(SHOT, x=None, y=None))
    assert 30_000 < shot_xg_e6(replace(SHOT, x=None, y=None)) < 120_000
    nowhere = footprint(replace(PASS, x=None, y=None))
    assert nowhere is not None
    assert nowhere.points == ()
    assert nowhere.role == 0  # but it is possession


@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_what_is_no_number_is_no_place_and_never_reaches_the_index(number: float) -> None:
    unknown = shot_xg_e6(replace(SHOT, x=None, y=None))
    assert shot_xg_e6(replace(SHOT, x=number)) == unknown
    assert shot_xg_e6(replace(SHOT, y=number)) == unknown
    mark = footprint(replace(PASS, x=number))
    assert mark is not None
    assert mark.points == ()
    events = [replace(SHOT, x=number), replace(PASS, x=number, event_id="q"), replace(SHOT, event_id="t", y=number)]
    plain = [replace(e, x=None, y=None) for e in events]
    assert indices(events) == indices(plain)


def test_a_place_off_the_pitch_is_its_edge() -> None:
    for x, y, edge in ((140.0, 50.0, (100.0, 50.0)), (-7.0, 50.0, (0.0, 50.0)), (88.0, 300.0, (88.0, 100.0))):
        assert shot_xg_e6(replace(SHOT, x=x, y=y)) == shot_xg_e6(replace(SHOT, x=edge[0], y=edge[1]))
    assert shot_xg_e6(replace(SHOT, x=1e308, y=-1e308)) == shot_xg_e6(replace(SHOT, x=100.0, y=0.0))


@pytest.mark.parametrize(("given_e6", "used_e6"), [(-5, 0), (2_000_000, 1_000_000), (0, 0), (10**30, 1_000_000)])
def test_a_providers_xg_is_kept_inside_zero_and_one(given_e6: int, used_e6: int) -> None:
    assert shot_xg_e6(replace(SHOT, xg_e6=given_e6)) == used_e6


@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_a_providers_xg_that_is_no_number_gives_way_to_our_own(number: float) -> None:
    wild = replace(SHOT, xg_e6=number)  # type: ignore[arg-type]
    assert shot_xg_e6(wild) == shot_xg_e6(SHOT)


def test_events_of_no_team_move_no_share() -> None:
    events = [replace(SHOT, side=None), replace(PASS, side=None, event_id="q", play_ms=90_000)]
    assert set(indices(events)[SPEC_DECAY.name]) == {50_000_000}


def test_a_wild_time_counts_at_the_periods_bound_and_the_index_stays_finite() -> None:
    for play_ms in (-5_000, 10**12):
        ticks = archive.replay([PASS, replace(SHOT, play_ms=play_ms)])
        assert len(ticks.period) <= MAX_SECOND + 1
        for methodology in METHODOLOGIES:
            assert 0 <= ticks.x_e6[methodology.name].min() <= ticks.x_e6[methodology.name].max() <= MAX_E6


def test_periods_that_do_not_exist_count_nothing() -> None:
    odd = [replace(SHOT, event_id=str(p), period=p) for p in (-1, 0, 5, 6, 99)]
    assert indices([PASS, *odd]) == indices([PASS])


def test_a_clock_that_runs_back_gives_the_index_of_the_events_in_order() -> None:
    events = season_match(3, 300)
    backwards = sorted(events, key=lambda e: -e.play_ms)
    live = LiveMatch()
    live.apply(added(*backwards))
    assert indices(events) == indices(backwards)
    ticks = archive.replay(events)
    for i in range(0, len(ticks.period), 501):
        tick = live.peek(int(ticks.period[i]), int(ticks.second[i]))
        assert tick.x_e6[SPEC_DECAY.name] == ticks.x_e6[SPEC_DECAY.name][i]


def test_a_half_of_no_length_is_one_tick_and_moves_nothing() -> None:
    first = season_match(4, 200)
    first = [replace(e, period=1) for e in first]
    start = Event("start", 1, 2, 0, Kind.PERIOD_START, None)
    whole, alone = match_table("m", [*first, start]), match_table("m", first)
    assert len(whole) == len(alone) + 1
    assert (whole.period[-1], whole.second[-1]) == (2, 0)
    for name, values in whole.values.items():
        if name.startswith("spec"):
            assert values[:-1].tolist() == alone.values[name].tolist()
            assert values[-1] == alone.values[name][-1]


def test_a_match_with_no_shots_is_level_in_shots_and_xg_and_moves_with_the_rest() -> None:
    events = [e for e in season_match(6) if e.kind is not Kind.SHOT]
    ticks = archive.replay(events)
    table = match_table("m", events)
    for methodology in METHODOLOGIES:
        assert not ticks.inputs[methodology.name][:, 2:6].any()
        values = ticks.x_e6[methodology.name]
        assert 25_000_000 <= values.min() < values.max() <= 75_000_000  # half of the weights have a say
    assert 0 <= table.values["model"].min() <= table.values["model"].max() <= 1_000_000


def test_a_match_without_any_event_has_no_tick_and_no_table() -> None:
    assert len(archive.replay([]).period) == 0
    with pytest.raises(FeedError, match="no second of either half") as error:
        match_table("m", [replace(SHOT, period=5)])
    assert error.value.code == "no_play"


def test_extra_time_and_a_shoot_out_change_nothing_of_the_halves_and_the_shoot_out_nothing_at_all() -> None:
    halves = season_match(7)
    extra = [replace(e, period=e.period + 2, event_id=f"x{e.event_id}") for e in season_match(8, 300)]
    kicks = [replace(SHOT, period=5, event_id=f"k{i}", goal=True, penalty=True, play_ms=i * 60_000) for i in range(10)]
    plain, longer = match_table("m", halves), match_table("m", [*halves, *extra, *kicks])
    for name, values in plain.values.items():
        assert values.tolist() == longer.values[name].tolist(), name
    assert indices([*halves, *extra]) == indices([*halves, *extra, *kicks])
    assert set(archive.replay([*halves, *extra]).period.tolist()) == {1, 2, 3, 4}


def test_an_abandoned_match_keeps_the_values_of_the_whole_one_to_its_last_second() -> None:
    whole = season_match(9)
    cut = [e for e in whole if e.period == 1 or e.play_ms <= 1_200_000]
    before, after = archive.replay(cut), archive.replay(whole)
    count = len(before.period)
    assert before.period[-1] == 2
    assert 1_190 <= before.second[-1] <= 1_200
    for methodology in METHODOLOGIES:
        name = methodology.name
        assert np.array_equal(before.x_e6[name], after.x_e6[name][:count])
    table = match_table("m", [e for e in whole if e.period == 1])
    assert set(table.period.tolist()) == {1}


@settings(max_examples=50, deadline=None)
@given(matches())
def test_exchanging_home_and_away_mirrors_every_tick_exactly(events: list[Event]) -> None:
    here, there = archive.replay(events), archive.replay([mirrored(e) for e in events])
    for methodology in METHODOLOGIES:
        assert (here.x_e6[methodology.name] + there.x_e6[methodology.name] == MAX_E6).all()


# Real files, mutated


def wyscout_document() -> Doc:
    return orjson.loads(default_match_paths("wyscout")[0].read_bytes())  # type: ignore[no-any-return]


def statsperform_document() -> Doc:
    return orjson.loads(default_match_paths()[1].read_bytes())  # type: ignore[no-any-return]


WYSCOUT, STATSPERFORM = wyscout_document(), statsperform_document()
GIVEN = {"wyscout": WYSCOUT, "statsperform": STATSPERFORM}


def rows_of(document: Doc) -> list[Doc]:
    return document["events"] if "events" in document else document["liveData"]["event"]  # type: ignore[no-any-return]


def put_rows(document: Doc, rows: list[Doc]) -> None:
    if "events" in document:
        document["events"] = rows
    else:
        document["liveData"]["event"] = rows


def mutated(provider: str, tmp_path: Path, change: Callable[[Doc], object]) -> Path:
    document = copy.deepcopy(GIVEN[provider])
    change(document)
    path = tmp_path / "match.json"
    path.write_bytes(orjson.dumps(document))
    return path


def final(provider: str, tmp_path: Path, change: Callable[[Doc], object] = lambda _: None) -> Final:
    return read_final(adapter(provider), [mutated(provider, tmp_path, change)])


def codes(found: Final) -> set[str]:
    return {problem.code for problem in found.problems} - {"home_side_unknown"}


@pytest.fixture(params=["wyscout", "statsperform"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_real_events_without_coordinates_still_give_possession_and_shots(provider: str, tmp_path: Path) -> None:
    def strip(document: Doc) -> None:
        for row in rows_of(document):
            for key in ("x", "y", "positions"):
                row.pop(key, None)

    bare, whole = final(provider, tmp_path, strip), final(provider, tmp_path)
    assert codes(bare) == codes(whole)
    assert len(bare.events) == len(whole.events)
    ticks, full = archive.replay(bare.events), archive.replay(whole.events)
    name = SPEC_BOX.name
    assert np.array_equal(ticks.inputs[name][:, :4], full.inputs[name][:, :4])  # possession and shots
    assert not ticks.inputs[name][:, 6:8].any()  # no field tilt
    assert ticks.inputs[name][:, 4:6].any()  # xG of shots from an unknown place


def test_real_events_whose_coordinates_are_null_are_kept_without_a_place(tmp_path: Path) -> None:
    def blank(document: Doc) -> None:
        for row in document["events"]:
            row["positions"] = [{"x": None, "y": None}]

    assert indices(final("wyscout", tmp_path, blank).events) == indices(
        final("wyscout", tmp_path, lambda d: [row.update(positions=[]) for row in d["events"]]).events
    )


def test_real_events_off_the_pitch_are_moved_to_its_edge(provider: str, tmp_path: Path) -> None:
    def shift(factor: float) -> Callable[[Doc], None]:
        def change(document: Doc) -> None:
            for row in rows_of(document)[::7]:
                if "positions" in row:
                    row["positions"] = [{"x": 100 * factor, "y": 100 * factor}]
                elif "x" in row:
                    row["x"] = row["y"] = 100 * factor

        return change

    outside, edge = final(provider, tmp_path, shift(3.0)), final(provider, tmp_path, shift(1.0))
    assert indices(outside.events) == indices(edge.events)
    assert all(e.x is None or 0 <= e.x <= 100 for e in outside.events)


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "north"])
def test_real_events_whose_coordinates_are_no_numbers_are_left_out_and_counted(
    provider: str, word: str, tmp_path: Path
) -> None:
    where = [i for i, row in enumerate(rows_of(GIVEN[provider])) if row.get("positions") or row.get("typeId") == 1][:50]

    def spoil(document: Doc) -> None:
        for i in where:
            row = rows_of(document)[i]
            if "positions" in row:
                row["positions"][0]["x"] = word
            else:
                row["x"] = word

    def remove(document: Doc) -> None:
        put_rows(document, [row for i, row in enumerate(rows_of(document)) if i not in set(where)])

    bad, fewer = final(provider, tmp_path, spoil), final(provider, tmp_path, remove)
    assert sum(problem.code == "bad_event" for problem in bad.problems) >= 50
    assert indices(bad.events) == indices(fewer.events)


def test_events_of_a_team_that_does_not_play_are_left_out_and_counted(provider: str, tmp_path: Path) -> None:
    key = "teamId" if provider == "wyscout" else "contestantId"

    def strangers(document: Doc) -> None:
        for row in [row for row in rows_of(document) if key in row][10:40]:
            row[key] = "4711"

    found = final(provider, tmp_path, strangers)
    assert sum(problem.code == "unknown_team" for problem in found.problems) == 30
    assert len(archive.replay(found.events).period) > 5_000


def test_a_match_in_which_neither_team_does_anything_is_refused(provider: str, tmp_path: Path) -> None:
    key = "teamId" if provider == "wyscout" else "contestantId"

    def strangers(document: Doc) -> None:
        for row in rows_of(document):
            row[key] = "4711"

    with pytest.raises(FeedError, match=r"no event of either team \(\d+ unknown_team") as error:
        final(provider, tmp_path, strangers)
    assert error.value.code == "no_usable_event"


def test_rows_in_any_order_of_time_give_the_same_index(provider: str, tmp_path: Path) -> None:
    def shuffle(document: Doc) -> None:
        rows = rows_of(document)
        random.Random(5).shuffle(rows)

    assert indices(final(provider, tmp_path, shuffle).events) == indices(final(provider, tmp_path).events)


def test_a_clock_before_the_periods_start_is_left_out_and_counted(provider: str, tmp_path: Path) -> None:
    def early(document: Doc) -> None:
        for row in rows_of(document)[400:420]:
            if provider == "wyscout":
                row["eventSec"] = -3.5
            else:
                row["timeMin"] = -2 if row["periodId"] == 1 else 20

    found = final(provider, tmp_path, early)
    assert codes(found) & {"bad_event", "out_of_period"}
    assert len(found.events) < len(final(provider, tmp_path).events)


@pytest.mark.parametrize("word", ["nan", "inf", -1, None, "later"])
def test_a_time_that_is_none_is_left_out_and_counted(word: object, tmp_path: Path) -> None:
    def spoil(document: Doc) -> None:
        document["events"][100]["eventSec"] = word

    assert "bad_event" in codes(final("wyscout", tmp_path, spoil))


@pytest.mark.parametrize("halftime_ms", [0, 1, 900_000])
def test_the_length_of_half_time_is_not_seen_by_the_index(provider: str, halftime_ms: int) -> None:
    source = adapter(provider)
    recorded = source.load(default_match_paths(provider))
    options = ReplayOptions(halftime_ms, TIDY.late, TIDY.edited, TIDY.delay_ms, delete_ms=TIDY.delete_ms)
    _, messages = as_feed(source, recorded, 1, options)
    timeline, live = Timeline(), LiveMatch()
    for message in messages:
        parsed = source.parse(recorded.info, message.doc)
        live.apply(timeline.apply([change for change in parsed if not hasattr(change, "code")]))
    ticks = archive.replay(read_final(source, default_match_paths(provider)).events)
    for i in range(0, len(ticks.period), 401):
        tick = live.peek(int(ticks.period[i]), int(ticks.second[i]))
        assert tick.x_e6[SPEC_DECAY.name] == ticks.x_e6[SPEC_DECAY.name][i]


def test_a_real_match_without_its_shots_is_replayed(provider: str, tmp_path: Path) -> None:
    kinds = {e.event_id for e in final(provider, tmp_path).events if e.kind is Kind.SHOT}

    def remove(document: Doc) -> None:
        put_rows(document, [row for row in rows_of(document) if str(row.get("id")) not in kinds])

    path = mutated(provider, tmp_path, remove)
    report = replay_to_file(provider, [path], tmp_path / "t.csv")
    assert report.rows > 5_000
    ticks = archive.replay(read_final(adapter(provider), [path]).events)
    assert not ticks.inputs[SPEC_BOX.name][:, 2:6].any()


def test_extra_time_and_penalties_after_a_real_match_leave_its_table_as_it_is(tmp_path: Path) -> None:
    def longer(document: Doc) -> None:
        start = [row for row in document["events"] if row["matchPeriod"] == "1H"][:300]
        for number, name in enumerate(("E1", "E2", "P"), start=1):
            document["events"] += [{**r, "matchPeriod": name, "id": r["id"] * 10 + number} for r in start]

    plain, extra = final("wyscout", tmp_path), final("wyscout", tmp_path, longer)
    assert {e.period for e in extra.events} == {1, 2, 3, 4, 5}
    before, after = match_table("m", plain.events), match_table("m", extra.events)
    for name, values in before.values.items():
        assert values.tolist() == after.values[name].tolist(), name


def test_a_real_match_abandoned_after_half_an_hour_keeps_its_values(tmp_path: Path) -> None:
    def cut(document: Doc) -> None:
        rows = [r for r in document["events"] if r["matchPeriod"] == "1H" and r["eventSec"] <= 1_800]
        document["events"] = rows

    whole, short = (match_table("m", f.events) for f in (final("wyscout", tmp_path), final("wyscout", tmp_path, cut)))
    assert set(short.period.tolist()) == {1}
    assert 1_700 < len(short) <= 1_802
    kept = slice(0, len(short) - 2)  # the cut file's own end comes a second after its last event
    for name in ("spec_box", "spec_decay", "model", "forward_15"):
        assert short.values[name][kept].tolist() == whole.values[name][kept].tolist()


def test_exchanged_sides_of_a_real_match_mirror_the_index(provider: str, tmp_path: Path) -> None:
    def exchange(document: Doc) -> None:
        if "events" in document:
            document["teams"] = dict(reversed(document["teams"].items()))
        else:
            for row in document["matchInfo"]["contestant"]:
                row["position"] = "away" if row["position"] == "home" else "home"

    here, there = final(provider, tmp_path), final(provider, tmp_path, exchange)
    assert here.info.home.team_id == there.info.away.team_id
    for name, values in indices(here.events).items():
        assert [MAX_E6 - x for x in values] == indices(there.events)[name]


def test_the_command_says_on_stderr_what_it_could_not_use(tmp_path: Path) -> None:
    def spoil(document: Doc) -> None:
        for row in document["events"][50:53]:
            row["teamId"] = 4711

    path = mutated("wyscout", tmp_path, spoil)
    done = CliRunner().invoke(
        app, ["replay", "--provider", "wyscout", "--input", str(path), "--out", str(tmp_path / "t.csv")]
    )
    assert done.exit_code == 0
    assert "3 unknown_team" in done.stderr


def test_a_deleted_event_that_was_never_sent_changes_nothing(tmp_path: Path) -> None:
    def tombstone(document: Doc) -> None:
        rows = rows_of(document)
        rows.append({**rows[200], "id": 99_999_999, "typeId": 43, "qualifier": []})

    assert indices(final("statsperform", tmp_path, tombstone).events) == indices(final("statsperform", tmp_path).events)


def test_an_upsert_of_the_same_event_twice_counts_once() -> None:
    timeline, live = Timeline(), LiveMatch()
    for _ in range(3):
        live.apply(timeline.apply([Upsert(SHOT), Upsert(PASS)]))
    assert live.peek(1, 60).inputs[SPEC_BOX.name][2] >> 32 == 1

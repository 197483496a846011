"""What bad or unusual files do to the index: a stated result, or one clear error.

The complete real files of the installed `kloppy` package, mutated.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from backend.cli.momentum import app
from ingest.events import Event, FeedError, Kind
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import TIDY, ReplayOptions
from ingest.feeds.base import replay as as_feed
from ingest.timeline import Timeline
from momentum import archive
from momentum.batch import replay_to_file
from momentum.live import LiveMatch
from momentum.methodology import MAX_E6, SPEC_BOX, SPEC_DECAY
from momentum.replay import Final, match_table, read_final

Doc = dict[str, Any]


def indices(events: list[Event] | tuple[Event, ...]) -> dict[str, list[int]]:
    return {name: values.tolist() for name, values in archive.replay(events).x_e6.items()}


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

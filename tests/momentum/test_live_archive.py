"""The live path and the archive path give the same integers, whatever the order of delivery."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, Kind, Side, Upsert
from ingest.timeline import Applied, Timeline
from momentum import archive, convolve
from momentum.archive import TAIL_S, Columns, inputs_at, per_second, replay
from momentum.live import LiveMatch, Tick
from momentum.methodology import (
    MAX_E6,
    METHODOLOGIES,
    SPEC_BOX,
    SPEC_DECAY,
    WEIGHT_ONE,
    Memory,
    Methodology,
    decay_table,
    index_e6,
)
from tests.momentum.conftest import added, matches, season_match

PASS = Event("p", 1, 1, 0, Kind.PASS, Side.HOME, x=10.0, y=10.0)


def ticks_of(result: archive.Replay) -> list[tuple[int, int]]:
    return list(zip(result.period.tolist(), result.second.tolist(), strict=True))


def run_live(events: list[Event], ticks: list[tuple[int, int]]) -> list[Tick]:
    """Deliver everything on time, tick by tick."""
    ordered = sorted(events, key=lambda e: (e.period, e.play_ms))
    live, at, result = LiveMatch(), 0, []
    for period, second in ticks:
        while at < len(ordered) and (ordered[at].period, ordered[at].play_ms) <= (period, second * 1000):
            live.apply(added(ordered[at]))
            at += 1
        result.append(live.tick(period, second))
    return result


def assert_same(live: list[Tick], result: archive.Replay) -> None:
    for i, tick in enumerate(live):
        for m in METHODOLOGIES:
            assert tick.inputs[m.name] == tuple(result.inputs[m.name][i].tolist()), (tick.period, tick.second)
            assert tick.x_e6[m.name] == result.x_e6[m.name][i] == index_e6(tick.inputs[m.name], m)
        assert tick.second_cum == result.second_cum[i]


@settings(max_examples=60, deadline=None)
@given(matches())
def test_live_and_archive_agree_bit_for_bit(events: list[Event]) -> None:
    result = replay(events)
    assert_same(run_live(events, ticks_of(result)), result)


def test_they_agree_on_a_match_of_full_length() -> None:
    events = season_match(5)
    result = replay(events)
    assert_same(run_live(events, ticks_of(result)), result)


@pytest.mark.parametrize("broken", [complex(np.nan, 0), 1 + 1e-9j])
def test_a_transform_that_a_broken_float_unit_spoiled_is_noticed_and_summed_plainly(
    monkeypatch: pytest.MonkeyPatch, broken: complex
) -> None:
    events = season_match(5)
    expected = replay(events)
    real = np.fft.rfft
    monkeypatch.setattr(convolve, "_TRANSFORMS", {})
    monkeypatch.setattr(np.fft, "rfft", lambda *args, **kwargs: real(*args, **kwargs) * broken)
    spoiled = replay(events)
    for m in METHODOLOGIES:
        assert np.array_equal(spoiled.x_e6[m.name], expected.x_e6[m.name])
    assert not convolve._TRANSFORMS


@settings(max_examples=60, deadline=None)
@given(matches(), st.randoms(use_true_random=False))
def test_any_order_duplicates_edits_and_deletions_that_end_in_the_same_events_give_the_same_index(
    events: list[Event], rng: random.Random
) -> None:
    truth = [replace(event, version=3) for event in events]
    noise = [Upsert(replace(e, version=rng.choice([1, 2]), play_ms=rng.randrange(400_000), x=70.0)) for e in truth]
    ghosts = [replace(e, event_id=f"ghost{e.event_id}", version=1) for e in rng.sample(truth, len(truth) // 2)]
    messages = [*(Upsert(e) for e in truth), *noise, *(Upsert(e) for e in ghosts)]
    messages += [Delete(e.event_id, 2) for e in ghosts] + rng.sample(messages, len(messages) // 2)
    rng.shuffle(messages)
    timeline, live = Timeline(), LiveMatch()
    result = replay(truth)
    ticks = ticks_of(result)
    now: dict[tuple[int, int, str], int] = {}
    # Ticks are published while the messages still come in: the past must be put right as well.
    due = sorted(rng.sample(range(len(ticks)), min(len(ticks), 60)))
    share = -(-len(messages) // max(1, len(due)))
    for step, i in enumerate(due):
        live.apply(timeline.apply(messages[step * share : (step + 1) * share]))
        tick = live.tick(*ticks[i])
        now.update({(*ticks[i], name): x for name, x in tick.x_e6.items()})
    live.apply(timeline.apply(messages[len(due) * share :]))
    now.update({(r.period, r.second, r.methodology): r.new_x_e6 for r in live.revisions()})
    assert {e.event_id for e in timeline.events()} == {e.event_id for e in truth}
    for i in due:
        tick = live.peek(*ticks[i])
        for m in METHODOLOGIES:
            assert tick.inputs[m.name] == tuple(result.inputs[m.name][i].tolist())
            assert now[(*ticks[i], m.name)] == result.x_e6[m.name][i]
    assert live.revisions() == ()


@settings(max_examples=60, deadline=None)
@given(matches(), st.integers(0, 10_000))
def test_nothing_later_than_a_tick_can_change_it(events: list[Event], place: int) -> None:
    whole = replay(events)
    if not len(whole.period):
        return
    i = place % len(whole.period)
    period, second = int(whole.period[i]), int(whole.second[i])
    past = [e for e in events if (e.period, e.play_ms) <= (period, second * 1000)]
    for m in METHODOLOGIES:
        known = inputs_at(per_second(Columns.of(past), TAIL_S), period, second, m)
        assert known.tolist() == whole.inputs[m.name][i].tolist()


@settings(max_examples=40, deadline=None)
@given(matches())
def test_swapping_the_sides_mirrors_every_tick_exactly(events: list[Event]) -> None:
    mirrored = replay([replace(e, side=e.side.other if e.side else None) for e in events])
    result = replay(events)
    for m in METHODOLOGIES:
        assert (mirrored.x_e6[m.name] == MAX_E6 - result.x_e6[m.name]).all()
        assert (mirrored.inputs[m.name] == result.inputs[m.name][:, np.arange(10) ^ 1]).all()


@settings(max_examples=40, deadline=None)
@given(matches())
def test_one_tick_summed_plainly_is_the_convolution(events: list[Event]) -> None:
    result, seconds = replay(events), per_second(Columns.of(events), TAIL_S)
    for i in range(0, len(result.period), 97):
        for m in METHODOLOGIES:
            plain = inputs_at(seconds, int(result.period[i]), int(result.second[i]), m)
            assert plain.tolist() == result.inputs[m.name][i].tolist()


def test_amounts_too_large_for_the_transform_are_summed_as_integers() -> None:
    shots = [replace(PASS, event_id=str(i), kind=Kind.SHOT, xg_e6=1_000_000, play_ms=i * 1_000) for i in range(400)]
    result = replay(shots)
    assert_same(run_live(shots, ticks_of(result)), result)
    at_once = [replace(shot, event_id=f"{shot.event_id}'", play_ms=300_000) for shot in shots]
    assert replay(at_once).inputs[SPEC_DECAY.name][-1, 4] == 400 * 1_000_000 * WEIGHT_ONE


def test_no_events_give_no_ticks() -> None:
    assert len(replay([]).period) == 0


# Possession


def possession_ms(*events: Event) -> list[list[int]]:
    return per_second(Columns.of(events))[1][:, :2].tolist()


def test_possession_accrues_millisecond_by_millisecond_to_the_side_of_the_last_touch() -> None:
    theirs = replace(PASS, event_id="q", side=Side.AWAY, play_ms=2_250)
    end = replace(PASS, event_id="z", kind=Kind.SUBSTITUTION, play_ms=4_000)
    assert possession_ms(replace(PASS, play_ms=500), theirs, end) == [
        [0, 0],
        [500, 0],
        [1000, 0],
        [250, 750],
        [0, 1000],
    ]


def test_possession_lasts_twelve_seconds_at_most() -> None:
    end = replace(PASS, event_id="z", kind=Kind.SUBSTITUTION, play_ms=30_000)
    rows = possession_ms(replace(PASS, play_ms=1_400), end)
    assert [row[0] for row in rows] == [0, 0, 600, *[1000] * 11, 400, *[0] * 16]


def test_a_dead_ball_belongs_to_nobody_and_dies_after_the_touch_of_the_same_instant() -> None:
    end = replace(PASS, event_id="z", kind=Kind.SUBSTITUTION, play_ms=3_000)
    out = replace(PASS, event_id="a", kind=Kind.OUT, play_ms=1_000)
    assert possession_ms(replace(PASS, event_id="p", play_ms=1_000), out, end) == [[0, 0]] * 4


def test_memory_runs_on_over_half_time_and_the_break_does_not_count() -> None:
    goal = replace(PASS, kind=Kind.SHOT, goal=True, play_ms=99_001, xg_e6=1)
    whistle = replace(PASS, event_id="w", kind=Kind.PERIOD_END, side=None, play_ms=100_000)
    start = replace(PASS, event_id="s", kind=Kind.PERIOD_START, side=None, period=2)
    later = replace(start, event_id="t", kind=Kind.SUBSTITUTION, play_ms=300_000)
    result = replay([goal, whistle, start, later])
    shots = result.inputs[SPEC_BOX.name][:, 2]
    assert result.second_cum[101] == 100  # the first second of the second half is the last of the first
    assert np.flatnonzero(shots)[-1] == 101 + 299  # 300 playing seconds after the second 100 in which it fell


def test_what_the_second_half_begins_with_is_not_known_before() -> None:
    whistle = replace(PASS, event_id="w", kind=Kind.PERIOD_END, side=None, play_ms=100_000)
    corner = replace(PASS, event_id="s", kind=Kind.CORNER, period=2, play_ms=0)
    result = replay([whistle, corner])
    recent = result.inputs[SPEC_BOX.name][:, 8]
    assert recent.tolist() == [0] * 101 + [2 * WEIGHT_ONE]


def test_forgetting_has_no_step_under_the_decay_and_has_one_under_the_box() -> None:
    shot = replace(PASS, kind=Kind.SHOT, xg_e6=100_000, play_ms=1_000)
    end = replace(PASS, event_id="z", kind=Kind.SUBSTITUTION, play_ms=2_000_000)
    result = replay([shot, end])
    after = slice(20, None)  # possession has ended
    assert np.abs(np.diff(result.x_e6[SPEC_DECAY.name][after])).max() < 60_000  # 0.06 point a second
    assert np.abs(np.diff(result.x_e6[SPEC_BOX.name][after])).max() > 5_000_000


# Publishing


def test_a_late_event_revises_the_seconds_it_belongs_to() -> None:
    live = LiveMatch()
    for second in range(10):
        live.tick(1, second)
    live.apply(added(replace(PASS, kind=Kind.CORNER, play_ms=5_200)))
    revisions = [r for r in live.revisions() if r.methodology == SPEC_DECAY.name]
    assert [r.second for r in revisions] == [6, 7, 8, 9]
    assert all(r.old_x_e6 == 50_000_000 < r.new_x_e6 for r in revisions)
    assert live.revisions() == ()


def test_a_correction_taken_back_is_told_as_well() -> None:
    live = LiveMatch()
    live.tick(1, 8)
    late = replace(PASS, kind=Kind.CORNER, play_ms=5_000)
    live.apply(added(late))
    assert live.revisions()
    live.apply([Applied(late, None)])
    assert {(r.old_x_e6, r.new_x_e6) for r in live.revisions()} == {(50_000_000, 50_000_000)}


LONG = Memory(decay_table(600))
THIRD = Methodology(
    "long/1", {"kind": "exponential", "half_life_s": 600}, (30_000, 1, 150_000, 4, 2), (LONG, LONG, LONG, LONG, LONG)
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_corrections_of_any_age_leave_every_published_second_at_what_is_known_in_the_end(seed: int) -> None:
    methodologies = (*METHODOLOGIES, THIRD)
    rng, truth = random.Random(seed), season_match(seed, 600)
    whistles = [Event(f"end{p}", 1, p, 2_820_000, Kind.PERIOD_END, None) for p in (1, 2)]
    result = replay([*truth, *whistles], methodologies)
    ticks = ticks_of(result)
    # A third is known in another form first, a third comes late; both are put right at a time of their own.
    first, later = [], [[] for _ in ticks]
    for event in truth:
        right = rng.randrange(len(ticks))
        wrong = rng.choice([None, event, replace(event, x=99.0), replace(event, side=event.side.other, play_ms=7_000)])
        first += added(wrong) if wrong else []
        if wrong != event:
            later[right].append(Applied(wrong, event))
    live, now = LiveMatch(methodologies), {}
    live.apply([*first, *added(whistles[0])])
    for i, place in enumerate(ticks):
        live.apply(later[i])
        if place == (2, 5):  # until here the first half had no end known, then another one: every age moves
            live.apply([Applied(whistles[0], None), *added(replace(whistles[0], play_ms=2_900_000))])
        if place == (2, 1_000):
            live.apply([Applied(replace(whistles[0], play_ms=2_900_000), whistles[0])])
        now.update({(*place, name): x for name, x in live.tick(*place).x_e6.items()})
        for r in live.revisions():
            assert now[r.period, r.second, r.methodology] != r.new_x_e6
            now[r.period, r.second, r.methodology] = r.new_x_e6
    live.apply(added(whistles[1]))
    assert live.revisions() == ()
    for m in methodologies:
        assert [now[(*place, m.name)] for place in ticks] == result.x_e6[m.name].tolist()


def test_contributions_too_large_for_32_bits_are_kept_whole() -> None:
    shots = [replace(PASS, event_id=str(i), kind=Kind.SHOT, xg_e6=1_000_000) for i in range(2_200)]
    live = LiveMatch((SPEC_BOX,))
    live.apply(added(*shots))
    assert live.peek(1, 0).inputs[SPEC_BOX.name][4] == (2_200_000_000 * WEIGHT_ONE + (1 << 63)) % (1 << 64) - (1 << 63)
    live.apply([Applied(shot, None) for shot in shots[:2_000]])
    assert live.peek(1, 0).inputs[SPEC_BOX.name][4] == 200_000_000 * WEIGHT_ONE


def test_an_edit_without_meaning_for_the_index_revises_nothing() -> None:
    live = LiveMatch()
    live.apply(added(PASS))
    live.tick(1, 8)
    live.apply([Applied(PASS, replace(PASS, version=2, text="by hand", y=3.0))])
    assert live.revisions() == ()


def test_an_earlier_period_that_grows_revises_the_later_one() -> None:
    live = LiveMatch()
    live.apply(added(replace(PASS, kind=Kind.CORNER, play_ms=10_000)))
    live.tick(1, 10)
    live.tick(2, 5)
    live.apply(added(replace(PASS, event_id="w", kind=Kind.PERIOD_END, side=None, play_ms=60_000)))
    assert {(r.period, r.second) for r in live.revisions()} == {(2, 5)}
    assert live.peek(2, 5).second_cum == 65


@pytest.mark.parametrize(("period", "second"), [(1, 8), (1, 7), (5, 9), (0, 9), (1, -1), (1, 10**6)])
def test_ticks_are_published_once_and_in_order(period: int, second: int) -> None:
    live = LiveMatch()
    live.tick(1, 8)
    with pytest.raises(ValueError, match="tick"):
        live.tick(period, second)


def test_long_periods_and_many_ticks_fit() -> None:
    live = LiveMatch()
    live.apply(added(replace(PASS, play_ms=7_100_000)))
    for period in (1, 2):
        for second in range(7_200):
            live.tick(period, second)
    live.apply(added(replace(PASS, event_id="late", kind=Kind.YELLOW, play_ms=1_000)))
    assert len([r for r in live.revisions() if r.methodology == SPEC_BOX.name]) == 300

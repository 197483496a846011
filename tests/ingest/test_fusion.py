"""The rules of fusion one by one: when it switches and returns, what it splices, when trading must stop."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, Kind
from ingest.feeds.base import Problem
from ingest.fusion import Bounds, Fusion, State
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome
from tests.ingest.fusion_rig import AWAY, HOME, A, B, C, Rig, rig, source

# Switching


@pytest.mark.parametrize(("how", "why"), [("nothing", State.SILENT), ("lost", State.LOST), ("broken", State.BROKEN)])
def test_the_standby_takes_over_within_three_seconds_of_the_primarys_death(how: str, why: State) -> None:
    match = rig(off=[(A, 60_000, 900_000, how)]).run(70_000)
    (switch,) = match.switches
    assert (switch.source, switch.target, switch.why) == (A, B, why)
    assert 60_000 < switch.at_ms <= 63_000
    assert 0 <= switch.at_ms - switch.since_ms <= 250


def test_documents_older_than_the_newest_are_no_sign_of_life() -> None:
    assert rig(off=[(A, 60_000, 900_000, "older")]).run(70_000).by()[0][1] == B


def test_a_frozen_primary_that_answers_is_left_when_the_standby_has_long_told_more() -> None:
    match = rig(off=[(A, 60_000, 900_000, "unchanged")]).run(90_000)
    (switch,) = match.switches
    assert switch.why is State.BEHIND
    assert 68_000 <= switch.at_ms <= 78_000  # behind_ms, and three events that it lacks
    assert switch.at_ms == switch.since_ms


def test_quiet_play_is_no_reason_to_switch() -> None:
    dark = [(name, 60_000, 300_000, "unchanged") for name in (A, B)]
    match = rig(off=dark).run(320_000)
    assert match.switches == []
    assert match.causes == {}


def test_what_only_makes_problems_is_broken() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")]).run(60_000)
    problems = (Problem("unknown_team", "event x", "team 9 does not play here"),)
    for at_ms in range(60_000, 64_000, 250):
        match.fusion.receive(A, at_ms, Delivery(Outcome.CHANGED, (Item({}, "", ()),), (), problems))
        match.fusion.sign(B, at_ms, Sign.HEARTBEAT)
    assert match.switches[0].why is State.BROKEN


def test_a_primary_that_never_comes_is_given_its_time_and_then_left() -> None:
    match = rig(off=[(A, 0, 900_000, "nothing")]).run(5_000)
    (switch,) = match.switches
    assert (switch.why, switch.at_ms) == (State.ABSENT, 2_500)


def test_a_provider_with_slow_heartbeats_is_given_longer() -> None:
    fusion = Fusion([source(A, silent_ms=6_000), source(B)])
    match = Rig(fusion, off=[(A, 60_000, 900_000, "nothing")]).run(75_000)
    assert 65_000 <= match.switches[0].at_ms <= 66_500


def test_a_lost_connection_that_is_back_at_once_changes_nothing() -> None:
    match = rig().run(60_000)
    match.fusion.sign(A, 60_100, Sign.LOST)
    match.fusion.sign(A, 60_600, Sign.RESTORED)
    assert match.run(70_000).switches == []


def test_the_second_standby_takes_over_when_the_first_is_dead_too() -> None:
    match = rig(A, B, C, off=[(A, 60_000, 900_000, "nothing"), (B, 55_000, 900_000, "nothing")]).run(70_000)
    assert [target for _, target in match.by()] == [C]


def test_a_bad_feed_gives_way_before_it_is_silent() -> None:
    match = rig().run(60_000)
    for at_ms in range(60_000, 110_000, 250):  # four broken documents a second, and a touch now and then
        match.fusion.receive(A, at_ms, Delivery(Outcome.BROKEN, problems=(Problem("bad_json", "match", "cut"),)))
    match.off = [(A, 60_000, 900_000, "nothing")]
    match.deaf = False
    match.run(120_000)
    assert match.switches[0].why in (State.UNHEALTHY, State.BROKEN)


# Returning


def test_the_primary_returns_only_after_a_minute_without_a_failure() -> None:
    match = rig(off=[(A, 60_000, 70_000, "nothing")]).run(140_000)
    assert [target for _, target in match.by()] == [B, A]
    back = match.switches[1]
    assert back.why is State.UP
    assert 130_000 <= back.at_ms <= 132_000


def test_a_flapping_primary_is_left_and_does_not_come_back_until_it_stops() -> None:
    flaps = [(A, at, at + 4_000, "nothing") for at in range(60_000, 300_000, 15_000)]
    match = rig(off=flaps).run(1_300_000)
    targets = [target for _, target in match.by()]
    assert targets == [B, A]
    assert match.switches[1].at_ms > 300_000 + 60_000


def test_every_further_failure_doubles_the_wait() -> None:
    fusion = Fusion([source(A, return_ms=5_000), source(B)], Bounds(dwell_ms=0, least_health=0))
    dark = [(A, at, at + 4_000, "nothing") for at in (60_000, 100_000, 140_000)]
    match = Rig(fusion, off=dark).run(200_000)
    assert [target for _, target in match.by()] == [B, A] * 3
    waits = [back.at_ms - end for back, (_, _, end, _) in zip(match.switches[1::2], dark, strict=True)]
    assert [wait // 5_000 for wait in waits] == [1, 2, 4]


def test_a_standby_that_fails_after_a_switch_gives_back_at_once() -> None:
    match = rig(off=[(A, 60_000, 64_000, "nothing"), (B, 70_000, 900_000, "nothing")]).run(80_000)
    assert [target for _, target in match.by()] == [B, A]
    assert match.switches[1].at_ms <= 73_000


def test_after_a_switch_the_feed_dwells() -> None:
    fusion = Fusion([source(A, return_ms=1_000), source(B)], Bounds(dwell_ms=30_000, least_health=0))
    match = Rig(fusion, off=[(A, 60_000, 63_500, "nothing")]).run(120_000)
    first, second = match.switches
    assert second.at_ms - first.at_ms >= 30_000


# Splicing


def test_events_before_the_seam_stay_the_formers_and_those_after_it_are_the_new_ones() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")]).run(80_000)
    owners = match.owners()
    seam = owners.index(B)
    assert set(owners[:seam]) == {A}
    assert set(owners[seam:]) == {B}
    times = [e.play_ms for e in match.timeline.events() if e.side is not None]
    assert times == list(range(0, times[-1] + 1, 2_000))  # nothing twice, nothing missing


def test_a_late_correction_of_the_former_counts_before_the_seam_and_not_after_it() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")]).run(80_000)
    early = Event(f"{A}-5", 2, 1, 10_000, Kind.TOUCH, AWAY, 10.0, 10.0)
    late = Event(f"{A}-33", 1, 1, 66_000, Kind.TOUCH, AWAY, 10.0, 10.0)
    match.tell(A, 80_000, early)
    match.tell(A, 80_000, late)
    by_id = {e.event_id: e for e in match.timeline.events()}
    assert by_id[f"{A}:{A}-5"].side is AWAY
    assert f"{A}:{A}-33" not in by_id
    match.tell(A, 80_250, Delete(f"{A}-5", 3))
    assert f"{A}:{A}-5" not in {e.event_id for e in match.timeline.events()}


def test_an_event_that_a_correction_moves_across_the_seam_changes_hands() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")]).run(80_000)
    match.tell(B, 80_000, Event(f"{B}-32", 2, 1, 20_500, Kind.PASS, HOME, 50.0, 50.0))
    assert f"{B}:{B}-32" not in {e.event_id for e in match.timeline.events()}
    match.tell(B, 80_250, Event(f"{B}-32", 3, 1, 64_000, Kind.PASS, HOME, 50.0, 50.0))
    assert f"{B}:{B}-32" in {e.event_id for e in match.timeline.events()}


@pytest.mark.parametrize("late_ms", [4_000, -7_000])
def test_a_standby_with_another_kick_off_clock_is_aligned(late_ms: int) -> None:
    match = rig(clock={B: late_ms}, off=[(A, 180_000, 900_000, "nothing")]).run(200_000)
    assert match.switches[0].offset.sure
    assert match.switches[0].offset.ms == late_ms
    times = [e.play_ms for e in match.timeline.events() if e.side is not None]
    assert times == list(range(0, times[-1] + 1, 2_000))


def test_switching_back_and_forth_does_not_move_the_clock() -> None:
    dark = [((A, B)[n % 2], 150_000 + n * 15_000, 157_000 + n * 15_000, "nothing") for n in range(20)]
    match = rig(clock={B: 4_000}, off=dark, blur_ms=900).run(470_000)
    assert len(match.switches) >= 18
    assert {s.offset.ms for s in match.switches if s.target == A} == {0}
    (moved,) = {s.offset.ms for s in match.switches if s.target == B}
    assert abs(moved - 4_000) < 900


# Determinism


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from([A, B]), st.sampled_from(list(Sign))), max_size=30),
    st.lists(st.integers(0, 45_000), max_size=20),
)
def test_how_often_the_time_is_asked_for_changes_nothing(signs: list[tuple[int, str, Sign]], ticks: list[int]) -> None:
    def states(asked: list[int]) -> tuple[object, ...]:
        match = rig()
        steps = sorted([(at, 0, who, sign.value) for at, who, sign in signs] + [(at, 1, "", "") for at in asked])
        for at_ms, _, who, sign in steps:
            match._take(match.fusion.sign(who, at_ms, Sign(sign)) if who else match.fusion.tick(at_ms))
        match._take(match.fusion.tick(50_000))
        return match.switches, match.fusion.condition, match.fusion.states(), match.fusion.quality(50_000)

    assert states([]) == states(ticks)


def test_time_before_the_first_arrival_does_not_count_against_a_primary_that_comes_second() -> None:
    match = rig()
    match.fusion.tick(0)  # a keeper that begins long before anything arrives
    for at_ms in range(50_000, 60_000, 250):
        match.fusion.sign(B, at_ms, Sign.HEARTBEAT)
        if at_ms >= 51_000:
            match.fusion.sign(A, at_ms, Sign.HEARTBEAT)
        match.fusion.tick(at_ms)
    assert match.switches == []


def test_an_arrival_stamped_in_the_past_counts_as_of_now() -> None:
    match = rig().run(60_000)
    match.fusion.sign(A, 1_000, Sign.HEARTBEAT)
    assert match.fusion.now_ms == 59_750
    assert match.fusion.quality(59_750)[A].silence_ms == 0

"""Fusion: goals, cards and whistles around a switch are neither lost nor doubled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.events import Delete, Event, Kind, Upsert, score
from ingest.fusion import Fusion
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome
from ingest.timeline import Timeline
from tests.ingest.fusion_rig import AWAY, HOME, A, B, Rig, goal, rig, source


def seconds(match: Rig) -> list[int]:
    return [e.play_ms for e in match.timeline.events() if e.goal]


@pytest.mark.parametrize("told_ms", range(56_000, 64_000, 500))
@pytest.mark.parametrize("own", [False, True])
def test_a_goal_around_the_primarys_death_counts_once_whoever_told_it(told_ms: int, own: bool) -> None:
    play = told_ms - 10_500
    mine, theirs = goal(A, play, own_goal=own), goal(B, play + 1_300, own_goal=own)
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=[(told_ms, A, mine), (told_ms + 3_000, B, theirs)])
    match.run(90_000)
    assert score(match.timeline.events()) == (1, 0)
    told = [now for _, now in match.seen]
    assert told == sorted(told)  # a goal that was told is never taken back


def test_a_goal_that_the_former_placed_before_the_seam_and_the_new_one_after_it_counts_once() -> None:
    extra = [(57_000, A, goal(A, 46_000)), (64_000, B, goal(B, 52_000))]
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(90_000)
    assert seconds(match) == [46_000]


def test_a_goal_that_the_former_never_got_to_report_is_rescued() -> None:
    extra = [(61_000, B, goal(B, 36_000))]  # the standby places it half a minute before the seam
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(90_000)
    assert seconds(match) == [36_000]


def test_two_goals_of_a_side_in_quick_succession_are_two() -> None:
    pairs = [(54_000, A, 43_000), (54_500, B, 44_000), (62_000, B, 51_000)]
    extra: list[tuple[int, str, Event | Delete]] = [
        (at, name, replace(goal(name, play), event_id=f"{name}-{play}")) for at, name, play in pairs
    ]
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(90_000)
    assert seconds(match) == [43_000, 51_000]


def test_goals_of_both_sides_are_never_one() -> None:
    extra = [(58_000, A, goal(A, 47_000, HOME)), (62_000, B, goal(B, 47_000, AWAY))]
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(90_000)
    assert score(match.timeline.events()) == (1, 1)


def test_a_goal_that_the_returned_provider_cancels_is_gone() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=[(58_000, A, goal(A, 47_000))]).run(80_000)
    match.tell(A, 80_000, Delete(f"{A}-goal", 9))
    assert seconds(match) == []


def test_when_a_kept_goal_is_cancelled_by_the_one_who_told_it_the_others_stands_in() -> None:
    extra = [(59_000, A, goal(A, 48_500)), (62_000, B, goal(B, 48_700))]
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(80_000)
    assert seconds(match) == [48_500]
    match.tell(A, 80_000, Delete(f"{A}-goal", 9))
    assert seconds(match) == [48_700]  # the leading provider still has one
    match.tell(B, 80_250, Delete(f"{B}-goal", 9))
    assert seconds(match) == []


def test_a_goal_that_becomes_the_first_shot_of_its_side_is_that_shot() -> None:
    match = rig().run(57_000)
    match.tell(A, 57_000, goal(A, 46_500))
    match.tell(A, 58_000, replace(goal(A, 46_500, version=2), goal=False))
    shots = [(e.goal, e.play_ms) for e in match.timeline.events() if e.kind is Kind.SHOT]
    assert shots == [(False, 46_500)]
    match.tell(A, 59_000, goal(A, 46_500, version=3))
    assert seconds(match) == [46_500]


@pytest.mark.parametrize("as_shot", [False, True])
def test_a_goal_that_the_standby_takes_back_after_the_primarys_death_is_gone_and_trading_goes_on(as_shot: bool) -> None:
    goals = [(57_000, A, goal(A, 46_500)), (58_000, B, goal(B, 46_700))]
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=goals).run(90_000)
    assert seconds(match) == [46_500]
    match.tell(B, 90_000, replace(goal(B, 46_700, version=9), goal=False) if as_shot else Delete(f"{B}-goal", 9))
    match.run(150_000)
    assert score(match.timeline.events()) == (0, 0)
    assert match.fusion.condition.causes == ()


def test_a_goal_that_the_standby_tells_under_another_id_is_the_same_goal() -> None:
    goals = [(57_000, A, goal(A, 46_500)), (58_000, B, goal(B, 46_700))]
    match = rig(off=[(A, 60_000, 9_000_000, "nothing")], extra=goals).run(200_000)
    match.tell(B, 200_000, Delete(f"{B}-goal", 9))
    match.tell(B, 201_000, replace(goal(B, 46_900), event_id=f"{B}-again"))
    assert seconds(match) == [46_500]
    match.tell(B, 202_000, replace(goal(B, 47_000), event_id=f"{B}-twice"))
    match.tell(B, 203_000, Delete(f"{B}-twice", 9))  # one of two that were the same: the goal stays
    assert seconds(match) == [46_500]
    assert match.run(260_000).fusion.condition.causes == ()


def test_a_goal_taken_back_by_the_standby_is_doubted_while_the_returned_primary_still_has_it() -> None:
    goals = [(57_000, A, goal(A, 46_500)), (58_000, B, goal(B, 46_700)), (90_000, B, Delete(f"{B}-goal", 9))]
    match = rig(off=[(A, 60_000, 100_000, "nothing")], extra=goals).run(110_000)
    assert seconds(match) == []
    assert ("score", A) in [(cause.value, name) for cause, name in match.fusion.condition.causes]
    match.tell(A, 110_000, Delete(f"{A}-goal", 9))
    assert match.run(112_000).fusion.condition.causes == ()
    assert match.run(450_000).by()[-1][1] == A
    assert seconds(match) == []


def test_a_late_twin_of_a_rescued_goal_changes_nothing() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=[(61_000, B, goal(B, 40_000))]).run(80_000)
    match.tell(A, 80_000, goal(A, 39_000))
    assert seconds(match) == [40_000]


def test_a_red_card_a_penalty_and_a_review_are_reconciled_like_goals() -> None:
    kinds = ((Kind.RED, AWAY), (Kind.PENALTY_AWARDED, HOME), (Kind.VAR_START, None))
    extra: list[tuple[int, str, Event | Delete]] = []
    for kind, side in kinds:
        extra.append((58_500, A, Event(f"{A}-{kind}", 1, 1, 48_000, kind, side)))
        extra.append((63_500, B, Event(f"{B}-{kind}", 1, 1, 50_000, kind, side)))
    match = rig(off=[(A, 60_000, 900_000, "nothing")], extra=extra).run(90_000)
    found = [(e.kind, e.play_ms) for e in match.timeline.events() if e.kind in dict(kinds)]
    assert sorted(found) == sorted((kind, 48_000) for kind, _ in kinds)


def test_whistles_at_half_time_count_once_when_the_primary_dies_in_the_break() -> None:
    extra: list[tuple[int, str, Event | Delete]] = []
    for name, late in ((A, 0), (B, 750)):
        extra.append((60_000 + late, name, Event(f"{name}-end", 1, 1, 50_000 + late, Kind.PERIOD_END, None)))
        extra.append((90_000 + late, name, Event(f"{name}-second", 1, 2, 0, Kind.PERIOD_START, None)))
    match = rig(off=[(A, 75_000, 900_000, "nothing")], extra=extra).run(95_000)
    whistles = [(e.kind, e.period) for e in match.timeline.events() if e.side is None]
    assert whistles == [(Kind.PERIOD_START, 1), (Kind.PERIOD_END, 1), (Kind.PERIOD_START, 2)]


def test_a_kick_off_that_a_switch_makes_known_keeps_the_time_it_came() -> None:
    fusion = Fusion([source(A), source(B)])
    whistles: dict[str, int] = {}
    start = Upsert(Event("k", 1, 1, 0, Kind.PERIOD_START, None))
    applied = Timeline().apply([start])
    for at_ms in range(0, 6_000, 250):
        if at_ms < 2_000:
            fusion.sign(A, at_ms, Sign.HEARTBEAT)
        whistles.update(fusion.sign(B, at_ms, Sign.HEARTBEAT).whistles)
        if at_ms == 3_000:
            whistles.update(
                fusion.receive(B, at_ms, Delivery(Outcome.CHANGED, (Item({}, "", (start,)),), applied)).whistles
            )
            assert whistles == {}
        whistles.update(fusion.tick(at_ms).whistles)
    assert fusion.switches[0].at_ms > 3_000
    assert whistles == {f"{B}:k": 3_000}


def test_a_kick_off_of_an_earlier_period_that_comes_too_late_is_not_told() -> None:
    match = rig(A).run(5_000)
    match.tell(A, 5_000, Event("second", 1, 2, 0, Kind.PERIOD_START, None))
    match.tell(A, 5_250, Event("first", 1, 1, 0, Kind.PERIOD_START, None))
    assert [e.event_id for e in match.timeline.events()] == [f"{A}:second"]

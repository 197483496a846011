"""The rules of fusion one by one: when it switches and returns, what it splices, when trading must stop."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert, score
from ingest.feeds.base import Problem
from ingest.fusion import Bounds, Cause, Fused, Fusion, Source, State, Switch, Thresholds
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome
from ingest.timeline import Timeline

A, B, C = "a", "b", "c"
HOME, AWAY = Side.HOME, Side.AWAY


def info(provider: str, home: str = "1", away: str = "2") -> MatchInfo:
    return MatchInfo(provider, "m", Team(home, "Home", "HOM"), Team(away, "Away", "AWA"), 0, "Cup")


def source(name: str, **thresholds: int) -> Source:
    return Source(name, info(name), "1", "2", Thresholds(**thresholds))


@dataclass
class Rig:
    """Providers that all see the same match: a touch every 2 s from second 10 on, told half a second later.

    ``off`` are a provider's dark times (from, to, how); ``clock`` what its kick-off clock is late by, in ms.
    """

    fusion: Fusion
    clock: dict[str, int] = field(default_factory=dict)
    off: list[tuple[str, int, int, str]] = field(default_factory=list)
    extra: list[tuple[int, str, Event | Delete]] = field(default_factory=list)  # (data ms, provider, what it tells)
    deaf: bool = True  # what a dark provider would have told is lost
    blur_ms: int = 0  # by which B's times are off, either way

    def __post_init__(self) -> None:
        self.timeline = Timeline()
        self.timelines = {name: Timeline() for name in self.fusion.members}
        self.now_ms = 0
        self.causes: dict[int, list[str]] = {}
        self.seen: list[tuple[int, tuple[int, int]]] = []

    def run(self, until_ms: int) -> Rig:
        """Play on to ``until_ms``; kick-off is at data time 10,000."""
        for at_ms in range(self.now_ms, until_ms, 250):
            for name in self.fusion.members:
                self._one(name, at_ms)
            self._take(self.fusion.tick(at_ms))
            if self.fusion.condition.causes:
                self.causes[at_ms] = [cause.value for cause, _ in self.fusion.condition.causes]
            self.seen.append((at_ms, score(self.timeline.events())))
        self.now_ms = until_ms
        return self

    def _one(self, name: str, at_ms: int) -> None:
        how = next((h for n, start, end, h in self.off if n == name and start <= at_ms < end), None)
        if how is None or not self.deaf:
            for event in self._events(name, at_ms):
                self.tell(name, at_ms, event)
        if at_ms % 1_000 == 0:
            if how is None:
                self._take(self.fusion.sign(name, at_ms, Sign.HEARTBEAT))
            elif how in ("unchanged", "broken", "lost", "older"):
                self._take(self.fusion.sign(name, at_ms, Sign(how)))

    def _events(self, name: str, at_ms: int) -> list[Event | Delete]:
        found: list[Event | Delete] = [what for when, who, what in self.extra if who == name and when == at_ms]
        late = self.clock.get(name, 0)
        if at_ms == 10_000:
            found.append(Event(f"{name}-start", 1, 1, 0, Kind.PERIOD_START, None))
        play_ms = at_ms - 10_000 - 500
        if play_ms >= 0 and play_ms % 2_000 == 0:
            number = play_ms // 2_000
            kind = (Kind.PASS, Kind.PASS, Kind.TOUCH, Kind.THROW_IN, Kind.FOUL)[number % 5]
            if name == B:
                late += random.Random(number).randint(-self.blur_ms, self.blur_ms)
            side = random.Random(number).choice((HOME, AWAY))
            found.append(Event(f"{name}-{number}", 1, 1, max(0, play_ms - late), kind, side, 50.0, 50.0))
        return found

    def tell(self, name: str, at_ms: int, what: Event | Delete) -> None:
        change = what if isinstance(what, Delete) else Upsert(what)
        applied = self.timelines[name].apply([change])
        self._take(self.fusion.receive(name, at_ms, Delivery(Outcome.CHANGED, (Item({}, "", (change,)),), applied)))

    def _take(self, fused: Fused) -> None:
        self.timeline.apply(fused.changes)

    @property
    def switches(self) -> list[Switch]:
        return self.fusion.switches

    def by(self) -> list[tuple[int, str]]:
        """Who switched to whom, when."""
        return [(s.at_ms, s.target) for s in self.switches]

    def owners(self) -> list[str]:
        """Whose event stands at each place, in playing order."""
        return [e.event_id.split(":")[0] for e in self.timeline.events()]

    def first(self, cause: str) -> int | None:
        return next((at for at, found in self.causes.items() if cause in found), None)


def rig(*names: str, bounds: Bounds | None = None, **more: object) -> Rig:
    return Rig(Fusion([source(name) for name in names or (A, B)], bounds), **more)  # type: ignore[arg-type]


def goal(name: str, play_ms: int, side: Side = HOME, version: int = 1, **more: object) -> Event:
    return Event(f"{name}-goal", version, 1, play_ms, Kind.SHOT, side, 90.0, 50.0, goal=True, **more)  # type: ignore[arg-type]


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


# Goals


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


# When trading must stop


def test_when_both_are_dead_the_feed_is_stale_and_tells_nothing_of_its_own() -> None:
    dark = [(name, 60_000, 90_000, "nothing") for name in (A, B)]
    match = rig(off=dark).run(85_000)
    known = len(match.timeline)
    assert match.fusion.condition.causes == ((Cause.STALE, A),)
    assert match.first("stale") == 61_750
    assert len(match.run(89_750).timeline) == known
    match.run(100_000)
    assert match.fusion.condition.causes == ()


def test_a_standby_that_has_not_come_to_the_seam_is_waited_for() -> None:
    match = rig(off=[(A, 60_000, 900_000, "nothing"), (B, 50_000, 60_000, "unchanged")]).run(64_000)
    assert match.switches
    assert match.first("catching_up") is None or match.first("catching_up") >= match.switches[0].at_ms
    slow = rig(off=[(A, 60_000, 900_000, "nothing"), (B, 50_000, 70_000, "unchanged")]).run(80_000)
    assert slow.first("catching_up") == slow.switches[0].at_ms
    assert slow.fusion.condition.causes == ()


def test_a_goal_that_only_the_standby_has_stops_trading_at_once_until_the_primary_has_it() -> None:
    match = rig(extra=[(60_000, B, goal(B, 49_000)), (66_000, A, goal(A, 49_500))]).run(80_000)
    assert match.first("score") == 60_250
    assert max(match.causes) == 66_000  # judged just before it came
    assert score(match.timeline.events()) == (1, 0)


def test_a_wrong_score_of_the_standby_never_gets_into_the_feed_and_stops_trading_until_it_is_withdrawn() -> None:
    match = rig(extra=[(60_000, B, goal(B, 49_000)), (120_000, B, Delete(f"{B}-goal", 2))]).run(130_000)
    assert match.fusion.condition.causes == ()
    assert max(match.causes) <= 120_000
    assert {now for _, now in match.seen} == {(0, 0)}


def test_a_goal_that_the_standby_lacks_stops_trading_only_when_it_stays_away() -> None:
    match = rig(extra=[(60_000, A, goal(A, 49_000))]).run(100_000)
    assert match.first("score") == 80_250  # score_ms after it was told
    late = rig(extra=[(60_000, A, goal(A, 49_000)), (70_000, B, goal(B, 49_000))]).run(100_000)
    assert late.causes == {}


def test_a_red_card_that_differs_stops_trading() -> None:
    red = Event(f"{B}-red", 1, 1, 49_000, Kind.RED, HOME)
    match = rig(extra=[(60_000, B, red)]).run(70_000)
    assert match.first("red_card") == 60_250


def test_clocks_too_far_apart_stop_trading() -> None:
    match = rig(clock={B: 12_000}).run(260_000)
    assert match.first("clock") is not None
    assert match.switches == []


def test_a_swapped_ball_stops_trading_and_widens_the_quote() -> None:
    match = rig()
    plain = match._events

    def turned(name: str, at_ms: int) -> list[Event | Delete]:
        return [
            replace(e, side=e.side.other) if name == B and isinstance(e, Event) and e.side is not None else e
            for e in plain(name, at_ms)
        ]

    match._events = turned  # type: ignore[method-assign]
    match.run(260_000)
    assert match.first("ball") is not None
    assert match.fusion.quality(260_000)[B].difference_e4 > 4_000


def test_one_provider_alone_contradicts_nobody() -> None:
    match = rig(A, extra=[(60_000, A, goal(A, 49_000))]).run(100_000)
    assert match.causes == {}
    assert match.fusion.condition.single
    assert not rig().run(70_000).fusion.condition.single
    assert rig(off=[(B, 60_000, 900_000, "nothing")]).run(70_000).fusion.condition.single


def test_shots_that_only_one_provider_sees_widen_the_quote_and_then_stop_trading() -> None:
    shots = [
        (at, A, Event(f"shot{at}", 1, 1, at - 10_500, Kind.SHOT, HOME, 80.0, 50.0))
        for at in range(90_000, 170_000, 8_000)
    ]
    match = rig(extra=shots).run(240_000)
    assert match.fusion.condition.doubt_e4 > 0
    assert match.first("shots") is not None
    assert rig().run(240_000).fusion.condition.doubt_e4 == 0


# Sides and names


def test_a_provider_that_calls_the_other_team_the_home_side_is_turned() -> None:
    other = Source(B, info(B, home="20", away="10"), home="10", away="20")
    assert other.exchanged
    fusion = Fusion([source(A), other])
    match = Rig(fusion, off=[(A, 20_000, 900_000, "nothing")]).run(30_000)
    match.tell(B, 30_000, goal(B, 19_900, AWAY))
    assert score(match.timeline.events()) == (1, 0)


@pytest.mark.parametrize(("home", "away"), [("1", "9"), ("9", "2"), ("", ""), ("1", "1"), ("2", "2")])
def test_sides_that_are_not_mapped_are_refused(home: str, away: str) -> None:
    with pytest.raises(FeedError, match="map its two teams") as refused:
        Fusion([Source(A, info(A), home, away)])
    assert refused.value.code == "sides_not_mapped"


@pytest.mark.parametrize("names", [(), (A, A), ("a:b",), ("",)])
def test_names_that_cannot_be_told_apart_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(FeedError) as refused:
        Fusion([source(name) for name in names])
    assert refused.value.code == "bad_fusion_header"


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

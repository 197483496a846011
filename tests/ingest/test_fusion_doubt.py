"""Fusion: when providers contradict each other, and whose sides are whose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.events import Delete, Event, FeedError, Kind, score
from ingest.fusion import Cause, Fusion, Source
from tests.ingest.fusion_rig import AWAY, HOME, A, B, C, Rig, goal, info, rig, source


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


def witnessed() -> Rig:
    """A leads, C sees the same and tells too little for an index."""
    return Rig(Fusion([source(A), replace(source(C), leads=False)]))


def test_a_witness_never_takes_over() -> None:
    match = witnessed()
    match.off.append((A, 60_000, 200_000, "lost"))
    match.run(120_000)
    assert not match.switches
    assert "stale" in match.causes[119_750]


def test_a_witness_s_score_stops_trading_and_its_silence_about_play_does_not() -> None:
    match = witnessed()
    match.off.append((C, 0, 300_000, "unchanged"))  # it is alive, and tells of no play
    match.run(100_000)
    assert not match.causes
    match.tell(C, 100_000, goal(C, 89_000))
    match.run(104_000)
    assert match.first("score") == 100_250


def test_a_witness_cannot_be_the_first_provider() -> None:
    with pytest.raises(FeedError, match="name another provider first") as error:
        Fusion([replace(source(A), leads=False), source(B)])
    assert error.value.code == "no_index"

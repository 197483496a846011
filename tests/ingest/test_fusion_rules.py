"""The parts of fusion that are functions: reconciling, splicing, aligning, comparing, and reading a journal back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoder import FusedDecoder, PlainDecoder, decoder
from ingest.events import Delete, Event, FeedError, Kind, Side, Upsert
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds import adapter
from ingest.feeds.base import Problem, Recorded
from ingest.fusion import Bounds, Thresholds
from ingest.fusion.align import Offset, offset
from ingest.fusion.compare import holders
from ingest.fusion.critical import RESCUE_MS, WINDOW_MS, Stretch, class_of, reconcile
from ingest.fusion.journal import Route, fragment, header, lines, match_of, routes_of, sign
from ingest.fusion.splice import Splice
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome, Session
from ingest.timeline import Timeline

A, B = "a", "b"
SEAM = 1_000_000
GOALS = ("goal", Side.HOME, 1)


def goal(event_id: str, play_ms: int) -> Event:
    return Event(event_id, 1, 1, play_ms, Kind.SHOT, Side.HOME, goal=True)


def counting(
    a: list[int], b: list[int], told: frozenset[tuple[str, str]] = frozenset(), kept: bool = False
) -> list[int]:
    """Places of the goals that count when A's stretch ends and B's begins at `SEAM`."""
    events = {A: [goal(f"a{at}", at) for at in a], B: [goal(f"b{at}", at) for at in b]}
    keep = {(A, f"a{at}"): 0 for at in a if at >= SEAM} if kept else {}
    found = reconcile(GOALS, [Stretch(A), Stretch(B, (1, SEAM), 0, keep)], events, told)
    return sorted(place[1] for place in found.values())


# Reconciling


def test_each_side_of_the_seam_has_its_own_goals() -> None:
    assert counting([100, SEAM + 90_000], [100, SEAM + 90_000]) == [100, SEAM + 90_000]


@pytest.mark.parametrize("apart", [-29_000, -2_000, 0, 2_000, 29_000])
def test_one_goal_on_both_sides_of_the_seam_counts_once(apart: int) -> None:
    assert len(counting([SEAM - 1], [SEAM - 1 + apart])) == 1


def test_goals_farther_apart_than_the_window_are_two() -> None:
    assert counting([SEAM - 1], [SEAM + WINDOW_MS["goal"]]) == [SEAM - 1, SEAM + WINDOW_MS["goal"]]


def test_only_the_last_minute_before_the_seam_is_rescued() -> None:
    edge = SEAM - RESCUE_MS["goal"]
    assert counting([], [edge]) == [edge]
    assert counting([], [edge - 1]) == []


def test_what_was_told_after_the_seam_is_kept_and_its_twin_is_not_told_beside_it() -> None:
    assert counting([SEAM + 500], [SEAM + 1_500], kept=True) == [SEAM + 500]
    assert counting([SEAM + 500], [], kept=True) == [SEAM + 500]
    assert counting([SEAM + 500], [SEAM + 1_500]) == [SEAM + 1_500]  # never told: the new provider's stands
    assert counting([SEAM + 500], []) == []


def test_of_two_that_are_one_the_told_one_stays() -> None:
    told = frozenset({(B, f"b{SEAM - 3_000}")})
    assert counting([SEAM - 5_000], [SEAM - 3_000], told) == [SEAM - 3_000]
    assert counting([SEAM - 5_000], [SEAM - 3_000], told | {(A, f"a{SEAM - 5_000}")}) == [SEAM - 5_000]
    assert counting([SEAM - 5_000], [SEAM - 3_000]) == [SEAM - 5_000]


def test_the_nearest_are_paired_and_each_only_once() -> None:
    a, b = [SEAM - 20_000, SEAM - 4_000], [SEAM - 19_000, SEAM - 3_000, SEAM + 9_000]
    assert counting(a, b) == [SEAM - 20_000, SEAM - 4_000, SEAM + 9_000]


def test_the_clocks_difference_is_taken_out_before_goals_are_matched() -> None:
    events = {A: [goal("a1", SEAM - 1_000)], B: [goal("b1", SEAM - 50_000)]}
    stretches = [Stretch(A), Stretch(B, (1, SEAM), 50_500)]
    assert list(reconcile(GOALS, stretches, events, frozenset())) == [(A, "a1")]


def test_two_of_one_provider_are_never_one() -> None:
    events = {A: [goal("a1", SEAM - 1_000), goal("a2", SEAM + 1_000)], B: []}
    stretches = [Stretch(A), Stretch(B, (1, SEAM)), Stretch(A, (1, SEAM))]
    assert len(reconcile(GOALS, stretches, events, frozenset())) == 2


def test_classes_tell_goals_from_shots_sides_periods_and_reviews_apart() -> None:
    one = goal("g", 1)
    assert class_of(one) == ("goal", Side.HOME, 1)
    assert class_of(replace(one, own_goal=True)) == class_of(one)
    assert class_of(replace(one, goal=False)) == ("shot", Side.HOME, 1)
    assert class_of(replace(one, side=Side.AWAY)) != class_of(one)
    starts, ends = (class_of(Event("v", 1, 1, 0, kind, None)) for kind in (Kind.VAR_START, Kind.VAR_END))
    assert starts != ends
    assert class_of(Event("p", 1, 1, 0, Kind.PASS, Side.HOME)) is None
    both = {class_of(Event("w", 1, 1, 0, Kind.PERIOD_START, side)) for side in (None, Side.HOME)}
    assert len(both) == 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_goals_that_both_providers_have_count_exactly_once_wherever_the_seams_lie(data: st.DataObject) -> None:
    real = data.draw(st.lists(st.integers(1, 27), max_size=6, unique=True))
    truth = [at * 100_000 for at in sorted(real)]
    blur = st.integers(-2_000, 2_000)
    events = {name: [goal(f"{name}{n}", at + data.draw(blur)) for n, at in enumerate(truth)] for name in (A, B)}
    seams = sorted(data.draw(st.lists(st.integers(0, 2_800_000), max_size=8)))
    stretches = [Stretch(A), *(Stretch((B, A)[n % 2], (1, at)) for n, at in enumerate(seams))]
    found = reconcile(GOALS, stretches, events, frozenset())
    assert sorted(int(event_id[1:]) for _, event_id in found) == list(range(len(truth)))


# Splicing


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_splice_tells_the_same_whatever_the_order_in_which_it_learned(data: st.DataObject) -> None:
    """Seams first or events first: what stands at the end are each provider's own events of its own stretches."""
    kinds = st.sampled_from([Kind.PASS, Kind.TOUCH, Kind.FOUL])
    rows = data.draw(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 600), kinds), max_size=25))
    seams = sorted(data.draw(st.lists(st.integers(0, 600), max_size=3)))
    changes = [
        (name, Upsert(Event(f"{n}", 1, 1, at * 1000, kind, Side.HOME))) for n, (name, at, kind) in enumerate(rows)
    ]
    steps: list[Any] = [*changes, *(("cut", (B, A)[n % 2], at * 1000) for n, at in enumerate(seams))]
    cuts = [step for step in steps if step[0] == "cut"]
    expected = set()
    for n, (name, at, _) in enumerate(rows):
        owner = [A, *(cut[1] for cut in cuts if cut[2] <= at * 1000)][-1]
        if owner == name:
            expected.add(f"{name}:{n}")
    order = data.draw(st.permutations(changes))
    splits = sorted(data.draw(st.lists(st.integers(0, len(order)), min_size=len(cuts), max_size=len(cuts))))
    splice, told = Splice(A), Timeline()
    timelines = {A: Timeline(), B: Timeline()}
    for number in range(len(order) + 1):
        for cut, at in zip(cuts, splits, strict=True):
            if at == number:
                told.apply(splice.cut(cut[1], (1, cut[2]), 0))
        if number < len(order):
            name, change = order[number]
            told.apply(splice.apply(name, timelines[name].apply([change])))
    assert {event.event_id for event in told.events()} == expected
    gone = [told.apply(splice.apply(name, timelines[name].apply([Delete(c.event.event_id, 2)]))) for name, c in changes]
    assert len(told) == 0
    assert sum(map(len, gone)) == len(expected)


def test_a_seam_never_lies_before_the_one_before_it() -> None:
    splice = Splice(A)
    splice.cut(B, (1, 90_000), 0)
    splice.cut(A, (1, 60_000), 0)
    assert [stretch.start for stretch in splice.stretches] == [(0, 0), (1, 90_000), (1, 90_000)]
    assert splice.active == A


# Aligning and comparing


@given(
    st.integers(-25_000, 25_000), st.lists(st.integers(0, 2_700), min_size=12, max_size=40, unique=True), st.randoms()
)
def test_the_offset_of_two_clocks_is_found_to_a_second_and_half(late_ms: int, at: list[int], rng: Any) -> None:
    kinds = [(kind, side) for kind in (Kind.FOUL, Kind.CORNER, Kind.THROW_IN, Kind.SHOT) for side in Side]
    ours: dict[tuple[Kind, Side], list[int]] = {}
    theirs: dict[tuple[Kind, Side], list[int]] = {}
    newest = max(at)
    for number, second in enumerate(sorted(at)):
        what = kinds[number % len(kinds)]
        ours.setdefault(what, []).append(second * 1000)
        theirs.setdefault(what, []).append(second * 1000 - late_ms + rng.randint(-1_000, 1_000))
    found = offset(ours, {what: sorted(times) for what, times in theirs.items()})
    recent = sum(second >= newest - 900 for second in at)
    if found.sure and recent >= 8:
        assert abs(found.ms - late_ms) <= 1_500


def test_too_few_anchors_or_none_that_agree_give_no_offset() -> None:
    assert offset({}, {}) == Offset(0, 0, False)
    few = {(Kind.FOUL, Side.HOME): [1_000, 50_000, 90_000, 130_000]}
    assert offset(few, few) == Offset(0, 4, False)
    many = {(Kind.FOUL, Side.HOME): list(range(0, 900_000, 1_000))}
    assert not offset(many, many).sure  # everything fits anything


def test_the_ball_is_a_sides_for_twelve_seconds_after_its_last_touch() -> None:
    found = holders([(1_000, "x", Side.HOME), (4_500, "y", Side.AWAY)], 0, 20)
    assert found[:2] == [None, None]
    assert found[2:5] == [Side.HOME] * 3
    assert found[5:17] == [Side.AWAY] * 12
    assert found[17:] == [None] * 3
    assert holders([(1_000, "x", Side.HOME)], 5, 9) == [Side.HOME] * 4


# The journal


def routes(hsv: Recorded, **more: Any) -> list[Route]:
    info = hsv.info
    one = Route(A, "statsperform", hsv.raw_info, info.home.team_id, info.away.team_id, Thresholds())
    return [one, replace(one, name=B, **more)]


def test_a_fused_header_says_everything_and_is_read_back(hsv: Recorded) -> None:
    bounds, given_routes = Bounds(score_ms=9_000), routes(hsv, thresholds=Thresholds(silent_ms=6_000))
    head = header("m1", 1_000, 7, given_routes, bounds)
    assert routes_of(head.info) == (given_routes, bounds)
    reader = decoder(head)
    assert isinstance(reader, FusedDecoder)
    assert (reader.info.provider, reader.info.match_id, reader.adapters) == ("fused", "m1", ("statsperform",))
    assert reader.info.home == hsv.info.home
    assert reader.fusion.members[B].thresholds.silent_ms == 6_000


def test_the_fused_match_has_the_mapped_home_side(hsv: Recorded) -> None:
    turned = replace(routes(hsv)[0], home=hsv.info.away.team_id, away=hsv.info.home.team_id)
    assert match_of("m1", [turned.source()]).home == hsv.info.away


def test_a_header_without_mapped_sides_is_never_made(hsv: Recorded) -> None:
    with pytest.raises(FeedError) as refused:
        header("m1", 0, 1, routes(hsv, home="nobody"))
    assert refused.value.code == "sides_not_mapped"


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"providers": [{"name": "a"}]},
        {"providers": "a"},
        {
            "providers": [{"name": "a", "adapter": "statsperform", "info": {}, "sides": {"home": 1, "away": 2}}],
            "bounds": 4,
        },
        {"providers": [], "bounds": {"score_ms": -1}},
        {"providers": [], "bounds": {"score_ms": True}},
        {"providers": [], "bounds": {"surprise": 1}},
        {"providers": []},
    ],
)
def test_a_header_that_is_none_is_refused_in_one_sentence(info: dict[str, Any]) -> None:
    with pytest.raises(FeedError) as refused:
        decoder(FeedHeader.make("fused", "m", 0, 1, info))
    assert refused.value.code == "bad_fusion_header"


@pytest.mark.parametrize(
    "doc",
    [
        {},
        {"from": "x", "sign": "heartbeat"},
        {"from": A, "sign": "cough"},
        {"from": A, "doc": 3},
        {"from": [1]},
        {"sign": []},
    ],
)
def test_a_line_that_is_none_is_counted_and_does_nothing(hsv: Recorded, doc: dict[str, Any]) -> None:
    reader = decoder(header("m1", 0, 1, routes(hsv)))
    decoded = reader.decode(FeedMessage.make(1_000, doc))
    assert [problem.code for problem in decoded.problems] == ["bad_fused_line"]
    assert decoded.changes == ()


def test_a_delivery_leaves_its_fragments_or_its_sign_in_the_journal(hsv: Recorded) -> None:
    item = Item({"id": "1"}, "", ())
    assert lines(A, Delivery(Outcome.CHANGED, (item, item))) == [fragment(A, {"id": "1"})] * 2
    for outcome, found in ((Outcome.UNCHANGED, "unchanged"), (Outcome.OLDER, "older"), (Outcome.BROKEN, "broken")):
        assert lines(A, Delivery(outcome, problems=(Problem("x", "y", "z"),))) == [sign(A, Sign(found))]


def test_sessions_and_the_journal_they_leave_tell_the_same_match(hsv: Recorded) -> None:
    """What the live keeper writes down is what the live session saw."""
    session = Session(adapter("statsperform"), hsv.info.match_id, hsv.info)
    reader, told = decoder(header("m1", 0, 1, routes(hsv)[:1])), Timeline()
    for at_ms, row in enumerate(hsv.rows):
        for doc in lines(A, session.fragment(row.withdrawn or row.doc, at_ms)):
            told.apply(reader.decode(FeedMessage.make(at_ms, doc)).changes)
    ours = [replace(event, event_id=event.event_id.removeprefix("a:"), version=0) for event in told.events()]
    assert ours == [replace(event, version=0) for event in session.timeline.events()]
    assert len(ours) > 1_500


def test_a_plain_feed_has_no_condition_and_time_tells_it_nothing(hsv: Recorded) -> None:
    reader = decoder(FeedHeader.make("statsperform", "m", 0, 1, hsv.raw_info))
    assert isinstance(reader, PlainDecoder)
    assert reader.condition is None
    assert reader.advance(1_000_000).changes == ()

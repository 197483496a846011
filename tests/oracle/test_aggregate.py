"""The Python aggregation does what the program does, and what the rules say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.clients.oracle import ErrorCode, Quote
from oracle.aggregate import (
    HOLD_MAX_MS,
    MAX_X_E6,
    Feed,
    QuoteRejected,
    chain_hash,
    lower_median,
    merge,
    pack_sample,
    unpack_sample,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "oracle.json"
START_S = 1_750_000_000
FIELDS = (
    "tick",
    "data_ms",
    "play_ms",
    "period",
    "flags",
    "suspend_reason",
    "x_e6",
    "mu_e6",
    "s_e4",
    "conf_e4",
)
STATE = [
    "tick",
    "data_ms",
    "play_ms",
    "revised",
    "left_out_ms",
    "suspend_epoch",
    "suspend_reason",
    "suspended_ms",
    "suspended_since_ms",
    "still_since_ms",
    "lone_since_ms",
    "lone_ms",
    "still_minutes",
    "period",
]
INDEX = st.integers(0, MAX_X_E6)


def quote(tick: int, x_e6: int = 50_000_000, **changes: object) -> Quote:
    """Return a quote of a quiet first half: one tick a second."""
    fields: dict[str, object] = {
        "tick": tick,
        "data_ms": (tick - 1) * 1000,
        "play_ms": (tick - 1) * 1000,
        "period": 1,
        "flags": 0,
        "suspend_reason": 0,
        "_pad": 0,
        "x_e6": x_e6,
        "mu_e6": 50_000_000,
        "s_e4": 1 << 31,
        "conf_e4": 2_000,
        "inputs_hash": bytes(32),
    }
    return Quote(**(fields | changes))  # type: ignore[arg-type]


def feed(n: int = 1, minimum: int = 1) -> Feed:
    """Return an empty feed."""
    return Feed(n, minimum, START_S * 1000)


def push(target: Feed, value: Quote, publisher: int = 0) -> None:
    """Push a quote at its own time."""
    target.push(publisher, value, START_S + value.data_ms // 1000)


def test_every_golden_vector_of_the_program_comes_out_the_same() -> None:
    seen: Counter[str] = Counter()
    for case in json.loads(VECTORS.read_text()):
        twin = Feed(case["n"], case["min"], START_S * 1000)
        for who, *step in case["steps"]:
            if not step:
                twin.hold = bool(who)
                continue
            unix_s, code, *values, byte = step
            value = quote(**dict(zip(FIELDS, values, strict=True)), inputs_hash=bytes([byte]) * 32)
            outcome = "Ok"
            try:
                twin.push(who, value, unix_s)
            except QuoteRejected as rejected:
                outcome = rejected.name
            want = ErrorCode(code).name if code else "Ok"
            assert outcome.casefold() == want.replace("_", "").casefold()
            seen[outcome] += 1
        assert len(twin.samples) == case["samples"]
        for name in STATE:
            assert getattr(twin, name) == case[name], name
        assert twin.in_break == bool(case["in_break"])
        assert twin.hash_chain.hex() == case["hash_chain"]
        assert pack_sample(twin.samples[-1]).hex() == case["newest"]
        marks = [
            [p.start_play_ms, p.end_play_ms, p.start_data_ms, p.end_data_ms, p.start_area, p.end_area]
            for p in twin.periods
        ]
        assert marks == case["periods"]
        assert twin.minute_area == case["minute_area"]
        assert twin.minute_left_out_ms == case["minute_left_out_ms"]
        assert twin.minute_suspended_ms == case["minute_suspended_ms"]
        assert [list(astuple(twin.scores[i])) for i in range(case["n"])] == case["scores"]
    assert seen.keys() >= {
        "Ok",
        "TickNotNew",
        "StepTooLarge",
        "BadQuote",
        "AheadOfClock",
        "TimeWentBack",
        "PeriodOver",
        "TickAhead",
    }


@given(st.lists(INDEX, min_size=1, max_size=8), st.integers(0, 60_000))
def test_the_index_lies_between_the_lowest_and_the_highest_quote(xs: list[int], conf: int) -> None:
    merged = merge([quote(1, x, conf_e4=conf) for x in xs])
    low, high = max(min(xs) - conf * 100, 0), min(max(xs) + conf * 100, MAX_X_E6)
    assert low <= merged.x_e6 <= high


@given(st.lists(INDEX, min_size=2, max_size=3, unique=True), INDEX)
def test_one_liar_among_five_cannot_move_the_index_beyond_the_honest(honest: list[int], lie: int) -> None:
    truths = sorted([*honest, honest[0], honest[-1]])[:4]
    merged = merge([quote(1, x, conf_e4=0) for x in (*truths, lie)])
    assert min(truths) <= merged.x_e6 <= max(truths)


@given(INDEX, INDEX, st.integers(0, 65_535), st.integers(0, 5_000))
def test_conf_is_what_a_majority_claims_and_not_how_far_the_indices_lie_apart(
    truth: int, lie: int, claimed: int, honest: int
) -> None:
    merged = merge([quote(1, lie, conf_e4=claimed), *[quote(1, truth, conf_e4=honest)] * 2])
    assert merged.conf_e4 == honest
    assert abs(merged.x_e6 - truth) <= honest * 100


def test_a_sample_of_which_the_majority_is_unsure_is_suspended() -> None:
    twin = feed(3, 3)
    for tick, unsure in enumerate((0, 1, 2, 3, 1), start=1):
        for who in range(3):
            push(twin, quote(tick, conf_e4=20_001 if who < unsure else 20_000), who)
        expected = (1, 6) if unsure >= 2 else (0, 0)
        assert (twin.suspend_epoch % 2, twin.suspend_reason) == expected


@given(st.integers(0, 5_000), st.integers(1, 8))
def test_equal_quotes_keep_their_index_and_their_confidence(conf: int, n: int) -> None:
    merged = merge([quote(1, conf_e4=conf)] * n)
    assert (merged.x_e6, merged.conf_e4) == (50_000_000, conf)


@settings(max_examples=40)
@given(st.lists(st.tuples(INDEX, st.integers(1, 200)), min_size=1, max_size=60))
def test_area_and_left_out_seconds_are_those_of_a_plain_sum(walk: list[tuple[int, int]]) -> None:
    twin = feed()
    tick, area, left_out, last = 1, 0, 0, 50_000_000
    push(twin, quote(1, last))
    for x, skip in walk:
        x = min(max(x, last - 25_000_000), last + 25_000_000)
        gap = skip * 1000
        held = min(gap, HOLD_MAX_MS)
        tick, area, left_out, last = tick + skip, area + last * held, left_out + gap - held, x
        push(twin, quote(tick, x))
    assert (twin.samples[-1].area, twin.left_out_ms) == (area, left_out)
    assert twin.samples[-1].play_ms - twin.left_out_ms == sum(min(skip * 1000, HOLD_MAX_MS) for _, skip in walk)


def test_a_minute_mark_between_two_samples_is_interpolated_exactly() -> None:
    twin = feed()
    push(twin, quote(1, 40_000_000))
    push(twin, quote(59, 60_000_000, data_ms=58_500, play_ms=58_500))
    push(twin, quote(63, 50_000_000, data_ms=62_000, play_ms=62_000))
    assert twin.minute_area[0][1] == 40_000_000 * 58_500 + 60_000_000 * 1_500


def test_a_gap_holds_sixty_seconds_and_leaves_the_rest_out_of_the_minute_marks_too() -> None:
    twin = feed()
    push(twin, quote(1, 40_000_000))
    push(twin, quote(181, 40_000_000))
    assert twin.minute_area[0][1:4] == [40_000_000 * 60_000] * 3
    assert twin.minute_left_out_ms[0][1:4] == [0, 60_000, 120_000]


@given(INDEX, INDEX, st.integers(0, MAX_X_E6))
def test_one_liar_of_two_can_hold_index_and_mu_back_but_not_take_them_away(honest: int, last: int, lie: int) -> None:
    before = feed().push(0, quote(1, last, mu_e6=last), START_S)
    assert before is not None
    for pair in ((honest, lie), (lie, honest)):
        merged = merge([quote(2, x, mu_e6=x, conf_e4=0) for x in pair], before)
        for value in (merged.x_e6, merged.mu_e6):
            assert min(honest, last) <= value <= max(honest, last)


def test_a_mu_that_jumps_or_an_attack_beyond_its_range_is_rejected() -> None:
    twin = feed()
    push(twin, quote(1))
    for changes, name in (
        ({"mu_e6": 24_999_999}, "StepTooLarge"),
        ({"s_e4": (1 << 31) + 250_001}, "BadQuote"),
        ({"s_e4": 0}, "BadQuote"),
    ):
        with pytest.raises(QuoteRejected, match=name):
            push(twin, quote(2, **changes))
    push(twin, quote(2, mu_e6=25_000_000, s_e4=(1 << 31) - 250_000))


def test_one_flag_suspends_and_a_quorum_without_flags_resumes() -> None:
    twin = feed(3, 2)
    push(twin, quote(1, flags=1, suspend_reason=2), 0)
    push(twin, quote(1), 1)
    assert (twin.suspended, twin.suspend_epoch, twin.suspend_reason) == (True, 1, 2)
    push(twin, quote(2), 1)
    push(twin, quote(2), 2)
    assert (twin.suspended, twin.suspend_epoch, twin.suspend_reason) == (False, 2, 0)


def test_a_late_quote_is_counted_and_changes_no_sample() -> None:
    twin = feed(3, 2)
    for who in (0, 1):
        push(twin, quote(1), who)
    before = (twin.hash_chain, len(twin.samples))
    push(twin, quote(1, 90_000_000, flags=1), 2)
    assert (twin.hash_chain, len(twin.samples)) == before
    assert [(twin.scores[who].late, twin.scores[who].used) for who in range(3)] == [(0, 1), (0, 1), (1, 0)]


def test_a_late_quote_is_scored_against_the_newest_sample_only() -> None:
    twin = feed(3, 2)
    for tick in (1, 2):
        for who in (0, 1):
            push(twin, quote(tick), who)
        push(twin, quote(tick, 50_300_000), 2)
    assert (twin.scores[2].scored, twin.scores[2].deviation_e6) == (2, 600_000)
    for who in (0, 1):
        push(twin, quote(4), who)
    push(twin, quote(3, 90_000_000), 2)
    assert (twin.scores[2].late, twin.scores[2].scored) == (3, 2)


def test_play_after_a_suspended_sample_is_suspended_until_the_next_sample() -> None:
    twin = feed()
    push(twin, quote(1))
    push(twin, quote(41, flags=1))
    assert (twin.suspended_ms, twin.suspended_since_ms) == (0, 40_000)
    push(twin, quote(71, flags=1))
    assert (twin.suspended_ms, twin.suspended_since_ms) == (30_000, 40_000)
    push(twin, quote(81))
    assert (twin.suspended_ms, twin.suspended_since_ms) == (40_000, 0)
    push(twin, quote(131))
    assert twin.minute_suspended_ms[0][:3] == [0, 20_000, 40_000]


def test_the_operators_hold_suspends_against_all_publishers_until_it_is_lifted() -> None:
    twin = feed()
    push(twin, quote(1))
    twin.hold = True
    push(twin, quote(2))
    assert (twin.suspended, twin.suspend_reason) == (True, 7)
    push(twin, quote(3))
    assert (twin.suspended, twin.suspend_epoch) == (True, 1)
    twin.hold = False
    push(twin, quote(4, flags=1, suspend_reason=2))
    assert (twin.suspend_epoch, twin.suspend_reason, twin.suspended_since_ms) == (1, 2, 1_000)
    push(twin, quote(5))
    assert (twin.suspended, twin.suspend_epoch) == (False, 2)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (quote(2, 80_000_000), "StepTooLarge"),
        (quote(1), "TickNotNew"),
        (quote(2, data_ms=20_000), "AheadOfClock"),
        (quote(2, period=5), "BadQuote"),
    ],
)
def test_a_bad_quote_is_rejected_and_the_feed_goes_on(value: Quote, name: str) -> None:
    twin = feed()
    push(twin, quote(1))
    with pytest.raises(QuoteRejected, match=name):
        twin.push(0, value, START_S + 1)
    push(twin, quote(3, 60_000_000))
    assert len(twin.samples) == 2


def test_strangers_and_final_feeds_take_no_quotes() -> None:
    twin = feed()
    with pytest.raises(QuoteRejected, match="NotPublisher"):
        push(twin, quote(1), 1)
    twin.final = True
    with pytest.raises(QuoteRejected, match="FeedFinal"):
        push(twin, quote(1))


def test_a_period_whose_end_was_lost_ends_where_the_next_one_starts() -> None:
    twin = feed()
    push(twin, quote(1))
    push(twin, quote(31))
    push(twin, quote(32, period=2, play_ms=0, data_ms=900_000))
    assert (twin.periods[0].end_play_ms, twin.periods[1].start_play_ms) == (30_000, 30_000)
    assert (twin.period, twin.in_break) == (2, False)


def test_a_sample_survives_packing_and_its_hash_covers_every_byte() -> None:
    twin = feed()
    push(twin, quote(1))
    sample = twin.samples[0]
    assert unpack_sample(pack_sample(sample)) == sample
    assert chain_hash(bytes(32), sample, bytes(32)) == twin.hash_chain
    assert chain_hash(bytes(32), sample, bytes(31) + b"\1") != twin.hash_chain


def test_the_lower_median_of_two_is_the_lower() -> None:
    assert (lower_median([9, 1]), lower_median([3, 1, 2])) == (1, 2)

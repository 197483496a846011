"""What the learned forecast promises: exact, symmetric, causal, the same however the events arrived."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, Kind, Side, Upsert
from ingest.feeds import adapter, default_match_paths
from ingest.timeline import Applied, Timeline
from momentum import archive, pricing
from momentum.forecast import Forecast, Prior, forecast
from momentum.forecast.live import Forecaster, Quote
from momentum.live import LiveMatch
from momentum.methodology import SPEC_DECAY
from momentum.replay import final_events
from momentum.state import CARRIES_AWARDS, Suspension
from tests.momentum.conftest import added, events, matches, season_match

ODDS = Prior(0.55, 0.25, 0.20, form=-1.5)
HALVES = (1, 2)


def look(match: list[Event], prior: Prior | None = None, venue: int = 1) -> tuple[archive.Replay, Forecast]:
    ticks = archive.replay(match, (SPEC_DECAY,))
    return ticks, forecast(match, ticks, prior, awards_carried=True, venue=venue)


def row(found: Forecast, at: int) -> Quote:
    odds = found.model_prior_e6
    return Quote(
        int(found.model_e6[at]),
        None if odds is None else int(odds[at]),
        int(found.mu_e6[at]),
        int(found.s_e4[at]),
        int(found.conf_e4[at]),
    )


def assert_live_equals_batch(match: list[Event], prior: Prior | None, awards_carried: bool) -> None:
    ticks = archive.replay(match, (SPEC_DECAY,))
    found = forecast(match, ticks, prior, awards_carried=awards_carried)
    index, live = LiveMatch((SPEC_DECAY,)), Forecaster(awards_carried=awards_carried, prior=prior)
    state = Suspension(awards_carried)
    ordered, at = sorted(match, key=lambda e: (e.period, e.play_ms, e.event_id)), 0
    for i, (period, second) in enumerate(zip(ticks.period.tolist(), ticks.second.tolist(), strict=True)):
        changes: list[Applied] = []
        while at < len(ordered) and (ordered[at].period, ordered[at].play_ms) <= (period, second * 1000):
            changes += added(ordered[at])
            at += 1
        index.apply(changes)
        live.apply(changes)
        reason = state.tick(changes, period, second)
        x_e6 = int(ticks.x_e6[SPEC_DECAY.name][i])
        assert live.tick(index, period, second, x_e6, reason=reason) == row(found, i), (period, second)


@settings(max_examples=25, deadline=None)
@given(matches(), st.sampled_from([None, ODDS]), st.booleans())
def test_live_and_batch_agree_to_the_last_bit(match: list[Event], prior: Prior | None, awards_carried: bool) -> None:
    assert_live_equals_batch(match, prior, awards_carried)


@pytest.mark.parametrize("provider", ["statsperform", "wyscout"])
def test_they_agree_on_a_real_match(provider: str) -> None:
    _, match = final_events(adapter(provider), default_match_paths(provider))
    assert_live_equals_batch(list(match), ODDS, provider in CARRIES_AWARDS)


@settings(max_examples=25, deadline=None)
@given(st.data(), matches(most=25))
def test_late_edited_repeated_and_withdrawn_events_end_in_the_forecast_of_the_final_ones(
    data: st.DataObject, final: list[Event]
) -> None:
    """Every final event comes as its last version; wrong versions, repetitions and withdrawn strangers come between."""
    steps: list[Upsert | Delete] = []
    for event in final:
        if data.draw(st.booleans()):
            wrong = data.draw(events(event_id=event.event_id))
            steps.append(Upsert(replace(wrong, version=0)))
        steps += [Upsert(event)] * data.draw(st.integers(1, 2))
    strangers = [replace(data.draw(events()), event_id=f"gone{n}") for n in range(data.draw(st.integers(0, 4)))]
    steps += [Upsert(event) for event in strangers]
    order = data.draw(st.permutations(steps))
    ticks, found = look(final, ODDS)
    assume(len(ticks.period))
    timeline, index, live = Timeline(), LiveMatch((SPEC_DECAY,)), Forecaster(awards_carried=True, prior=ODDS)
    ask = sorted(data.draw(st.sets(st.integers(0, len(ticks.period) - 1), max_size=3)))
    last = len(ticks.period) - 1
    for at, step in enumerate([*order, *(Delete(e.event_id, e.version + 1) for e in strangers)]):
        changes = timeline.apply([step])
        index.apply(changes)
        live.apply(changes)
        if at < len(ask) and ask[at] < last:  # ticks under way, with whatever was known then
            live.tick(index, int(ticks.period[ask[at]]), int(ticks.second[ask[at]]), 50_000_000)
    x_e6 = int(ticks.x_e6[SPEC_DECAY.name][last])
    got = live.tick(index, int(ticks.period[last]), int(ticks.second[last]), x_e6)
    want = row(found, last)
    assert replace(got, conf_e4=0) == replace(want, conf_e4=0)


def mirrored(match: list[Event]) -> list[Event]:
    other = {Side.HOME: Side.AWAY, Side.AWAY: Side.HOME, None: None}
    return [replace(event, side=other[event.side]) for event in match]


@settings(max_examples=25, deadline=None)
@given(matches(), st.sampled_from([None, ODDS]))
def test_exchanging_the_sides_gives_exactly_the_opposite(match: list[Event], prior: Prior | None) -> None:
    ticks, one = look(match, prior)
    turned = None if prior is None else Prior(prior.away, prior.draw, prior.home, -(prior.form or 0))
    _, other = look(mirrored(match), turned, venue=-1)
    halves = np.isin(ticks.period, HALVES)
    assert (one.model_e6 + other.model_e6 == 1_000_000).all()
    assert (one.mu_e6 + other.mu_e6 == 100_000_000).all()
    assert (one.s_e4 == -other.s_e4).all()
    assert (one.conf_e4 == other.conf_e4).all()
    if one.model_prior_e6 is not None and other.model_prior_e6 is not None:
        assert (one.model_prior_e6 + other.model_prior_e6 == 1_000_000).all()
    priced = one.forward_e6[halves] >= 0
    # The program floors a price, so the two may miss 100 by two millionths.
    assert (np.abs(one.forward_e6[halves] + other.forward_e6[halves] - 100_000_000)[priced] <= 2).all()


@settings(max_examples=25, deadline=None)
@given(st.data(), matches())
def test_what_comes_later_changes_nothing_said_before(data: st.DataObject, match: list[Event]) -> None:
    ticks, whole = look(match, ODDS)
    assume(len(ticks.period))
    cut = data.draw(st.integers(0, len(ticks.period) - 1))
    period, second = int(ticks.period[cut]), int(ticks.second[cut])
    earlier = [e for e in match if (e.period, e.play_ms) <= (period, second * 1000)]
    if not earlier:
        return
    known, part = look(earlier, ODDS)
    for i in range(0, len(known.period), 13):
        assert (known.period[i], known.second[i]) == (ticks.period[i], ticks.second[i])
        assert row(part, i) == row(whole, i)
        assert part.forward_e6[i] == whole.forward_e6[i]


@pytest.mark.parametrize("last_s", range(30, 46))
def test_what_ended_a_half_is_remembered_at_once_in_the_next(last_s: int) -> None:
    """Whatever the half's length: its last block of 15 s may be a short one."""
    shots = [Event(f"s{n}", 1, 1, (last_s - n) * 1000, Kind.SHOT, Side.HOME, x=95.0, y=50.0) for n in range(3)]
    match = [*shots, Event("k", 1, 2, 20_000, Kind.PASS, Side.AWAY)]
    ticks, found = look(match)
    at = int(np.flatnonzero(ticks.period == 2)[0])
    assert (np.abs(np.diff(found.model_e6[at : at + 15])) < 20_000).all()
    assert_live_equals_batch(match, None, awards_carried=True)


def test_seconds_without_a_sample_widen_conf_also_at_a_half_s_beginning() -> None:
    index = LiveMatch((SPEC_DECAY,))
    whole, late, lost = (Forecaster(awards_carried=True) for _ in range(3))
    first, second = whole.tick(index, 1, 0, 50_000_000), late.tick(index, 1, 1, 50_000_000)
    assert second.conf_e4 - first.conf_e4 == pytest.approx(200, abs=20)
    whole.tick(index, 1, 1, 50_000_000)
    lost.tick(index, 1, 0, 50_000_000)
    assert lost.tick(index, 1, 4, 50_000_000).conf_e4 > whole.tick(index, 1, 2, 50_000_000).conf_e4 + 350


def test_a_forecaster_does_not_go_back_in_time() -> None:
    index, live = LiveMatch((SPEC_DECAY,)), Forecaster(awards_carried=True)
    live.tick(index, 1, 10, 50_000_000)
    with pytest.raises(ValueError, match="lies before"):
        live.tick(index, 1, 9, 50_000_000)


def test_the_forward_is_the_programs_price_of_the_running_window_and_lies_in_its_band() -> None:
    match = season_match(3)
    ticks, found = look(match)
    open_ = (ticks.period <= 2) & (ticks.second < 2_700)
    assert ((found.forward_e6 >= 0) == open_).all()
    assert ((found.band_lo_e6 <= found.forward_e6) & (found.forward_e6 <= found.band_hi_e6)).all()
    assert (found.band_lo_e6[~open_] == -1).all()
    x_e6 = ticks.x_e6[SPEC_DECAY.name]
    at = int(np.flatnonzero((ticks.period == 2) & (ticks.second == 1_100))[0])
    area = int(x_e6[at - 200 : at].sum()) * 1_000
    price = pricing.forward(
        area, 700_000, 0, int(x_e6[at]), int(found.mu_e6[at]), int(found.s_e4[at]) + pricing.S_BIAS, 900_000
    )
    assert found.forward_e6[at] == price
    last = np.flatnonzero((ticks.period == 1) & (ticks.second == 899))[0]
    width = found.band_hi_e6 - found.band_lo_e6
    assert width[last] < 100_000 < 3_000_000 < width[last - 899]


def test_odds_move_the_forecast_their_way() -> None:
    match = season_match(4)
    _, plain = look(match)
    _, better = look(match, Prior(0.80, 0.13, 0.07))
    _, worse = look(match, Prior(0.07, 0.13, 0.80))
    assert plain.model_prior_e6 is None
    assert better.model_prior_e6 is not None
    assert worse.model_prior_e6 is not None
    assert (better.model_prior_e6 > worse.model_prior_e6).all()
    assert (better.mu_e6 > worse.mu_e6).all()
    assert (better.model_e6 == worse.model_e6).all()
    apart = better.mu_e6 - worse.mu_e6
    assert apart[0] > 8_000_000


def test_form_moves_the_forecast_its_way_and_most_before_play() -> None:
    match = season_match(4)
    _, better = look(match, replace(ODDS, form=5.0))
    _, worse = look(match, replace(ODDS, form=-5.0))
    apart = better.mu_e6 - worse.mu_e6
    assert (apart > 0).all()
    assert apart[0] > 2 * apart[-1]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, -40.0, 130.0])
@pytest.mark.parametrize("kind", [Kind.PASS, Kind.SHOT, Kind.FOUL, Kind.OUT, Kind.CORNER_AWARDED])
def test_a_place_that_is_none_or_off_the_pitch_never_reaches_the_forecast(bad: float, kind: Kind) -> None:
    match = [Event("a", 1, 1, 5_000, kind, Side.HOME, x=bad, y=bad), Event("b", 1, 1, 9_000, Kind.PASS, Side.AWAY)]
    for awards_carried in (True, False):
        ticks = archive.replay(match, (SPEC_DECAY,))
        found = forecast(match, ticks, ODDS, awards_carried=awards_carried)
        assert ((found.model_e6 > 0) & (found.model_e6 < 1_000_000)).all()
        assert ((found.mu_e6 > 20_000_000) & (found.mu_e6 < 80_000_000)).all()


def test_a_match_without_events_has_no_forecast() -> None:
    ticks, found = look([])
    assert len(ticks.period) == len(found.mu_e6) == len(found.forward_e6) == 0

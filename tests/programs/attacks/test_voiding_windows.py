"""Attacks by the operator and the guardian: whoever has lost a position would rather have its window void."""

from __future__ import annotations

from solders.instruction import Instruction

from chain.clients import market, oracle
from chain.clients.oracle import ErrorCode
from tests.programs.market_kit import LONG, Venue
from tests.programs.market_scene import PERIOD_END, Scene
from tests.programs.oracle_kit import rejected
from tests.programs.test_market_dispute import appoint_guardian

FINAL = 1
HOUR_S = 3_600


def ix_finalise(venue: Venue) -> Instruction:
    """The operator ends the feed."""
    return oracle.ix_finalise_feed(operator=venue.operator.pubkey(), config=venue.config, feed=venue.feed)


def ix_close(venue: Venue) -> Instruction:
    """The operator closes the feed."""
    return oracle.ix_close_feed(
        operator=venue.operator.pubkey(), config=venue.config, rent_receiver=venue.creator.pubkey(), feed=venue.feed
    )


def test_a_guardians_pause_does_not_outlast_the_feed() -> None:
    """Halted for 72 h just before the end, nobody can finalise; the feed used to be gone when the pause was over."""
    scene = Scene.make()
    venue = scene.venue
    appoint_guardian(venue)
    venue.trade(scene.ann, scene.window, LONG, 10)
    venue.play(60, 890, 70.0)
    pause = market.ix_guardian_pause(
        guardian=venue.guardian.pubkey(), exchange=venue.exchange, level=3, seconds=72 * HOUR_S
    )
    venue.chain.send(pause, venue.guardian)
    venue.tick(900, 70.0)
    venue.tick(0, 70.0, period=2)
    venue.tick(2_700, 70.0, period=2, flags=PERIOD_END)
    venue.chain.send(ix_finalise(venue), venue.operator)
    ended = venue.chain.unix_s
    for hours in (48, 72, 119):
        venue.chain.clock(ended + hours * HOUR_S)
        with rejected(ErrorCode.RETENTION_RUNNING):
            venue.chain.send(ix_close(venue), venue.operator)
    event = venue.finalise(scene.window)
    assert event.state == FINAL
    assert event.settlement_e6 > 60_000_000


def test_the_operator_cannot_end_the_match_at_half_time() -> None:
    """The window of both halves would be void for want of the second."""
    scene = Scene.make(8)
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 10)
    venue.play(60, 2_700, 70.0)
    venue.tick(2_701, 70.0, flags=PERIOD_END)
    with rejected(ErrorCode.PERIOD_RUNNING):
        venue.chain.send(ix_finalise(venue), venue.operator)
    venue.play(0, 2_700, 70.0, period=2)
    venue.tick(2_701, 70.0, period=2, flags=PERIOD_END)
    venue.chain.send(ix_finalise(venue), venue.operator)
    assert venue.finalise(scene.window).state == FINAL


def test_an_abandoned_match_ends_by_silence() -> None:
    """Nobody needs the operator for that, and he cannot hurry it."""
    scene = Scene.make(8)
    venue = scene.venue
    venue.play(60, 1_000, 70.0)
    venue.chain.clock(venue.chain.unix_s + 6 * HOUR_S - 1)
    with rejected(ErrorCode.PERIOD_RUNNING):
        venue.chain.send(ix_finalise(venue), venue.operator)
    venue.chain.clock(venue.chain.unix_s + 1)
    venue.chain.send(ix_finalise(venue), venue.operator)
    assert venue.finalise(scene.window).left_out_ms > 0


def test_the_operators_hold_voids_no_window() -> None:
    """Held from minute 29 on, the first half is suspended for its last 16 minutes, and settles on what was measured."""
    scene = Scene.make(6)
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 10)
    venue.play(60, 1_740, 70.0)
    hold = oracle.ix_set_hold(signer=venue.operator.pubkey(), config=venue.config, feed=venue.feed, on=True)
    venue.chain.send(hold, venue.operator)
    venue.play(1_770, 2_700, 70.0)
    feed = venue.get_feed()
    assert feed.suspended_ms >= 900_000
    assert venue.finalise(scene.window).state == FINAL

"""A settlement can be doubted with a bond and undone by the guardian, never replaced."""

from __future__ import annotations

from typing import Any

import pytest
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import assert_empty, check, tokens_everywhere
from tests.programs.market_kit import LONG, USDC, Trader, Venue, events
from tests.programs.market_scene import FILLED, Scene

BOND = 50 * USDC
FINAL, VOID = 1, 2


@pytest.fixture
def scene() -> Scene:
    """Ann is long two contracts of a window that is final at 900 s; a dispute takes 60 s, a challenge adds 120 s."""
    scene = Scene.make(challenge_bond_e6=BOND, challenge_ms=120_000)
    appoint_guardian(scene.venue)
    assert scene.venue.trade(scene.ann, scene.window, LONG, 2).reason == FILLED
    scene.venue.play(60, 900, 70.0)
    scene.venue.finalise(scene.window)
    return scene


def appoint_guardian(venue: Venue) -> None:
    """Make Venue.guardian the exchange's guardian."""
    ix = m.ix_set_guardian(
        authority=venue.authority.pubkey(), exchange=venue.exchange, guardian=venue.guardian.pubkey()
    )
    venue.chain.send(ix, venue.authority)


def challenge(venue: Venue, window: Pubkey, trader: Trader) -> m.WindowChallenged:
    """Challenge a window's settlement."""
    ix = m.ix_challenge_window(
        challenger=trader.key.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        window=window,
        vault=venue.vault,
        source=trader.tokens,
    )
    event: m.WindowChallenged = events(venue.chain.send(ix, trader.key))[0]
    return event


def void(venue: Venue, window: Pubkey, signer: Any = None) -> m.WindowVoided:
    """Void a window as the guardian, or as `signer`."""
    key = signer or venue.guardian
    ix = m.ix_void_window(signer=key.pubkey(), exchange=venue.exchange, window=window)
    event: m.WindowVoided = events(venue.chain.send(ix, key))[0]
    return event


def resolve(venue: Venue, window: Pubkey, trader: Trader) -> m.ChallengeResolved:
    """End a challenge; `trader` owns the account that may get the bond."""
    ix = m.ix_resolve_challenge(
        exchange=venue.exchange, pool=venue.pool, window=window, vault=venue.vault, destination=trader.tokens
    )
    event: m.ChallengeResolved = events(venue.chain.send(ix))[0]
    return event


def test_a_challenge_that_nobody_upholds_delays_settlement_and_costs_its_bond(scene: Scene) -> None:
    venue = scene.venue
    everything = tokens_everywhere(venue)
    final_ms = venue.chain.unix_s * 1000
    event = challenge(venue, scene.window, scene.bob)
    assert event.dispute_until_ms == final_ms + 180_000
    assert venue.get_pool().claimable_e6 == BOND
    check(venue)
    venue.at(900 + 179)
    scene.refused(ErrorCode.IN_DISPUTE, lambda: venue.settle(scene.ann, scene.window))
    scene.refused(ErrorCode.IN_DISPUTE, lambda: resolve(venue, scene.window, scene.bob))
    venue.at(900 + 180)
    insurance = venue.get_pool().insurance_e6
    assert resolve(venue, scene.window, scene.bob).upheld == 0
    assert venue.get_pool().insurance_e6 == insurance + BOND
    assert venue.settle(scene.ann, scene.window).gain_e6 > 0
    venue.distribute(scene.window)
    check(venue)
    assert tokens_everywhere(venue) == everything


def test_a_challenge_that_the_guardian_upholds_returns_bond_collateral_and_fees(scene: Scene) -> None:
    venue = scene.venue
    before = venue.tokens(scene.bob.tokens)
    challenge(venue, scene.window, scene.bob)
    venue.at(900 + 100)
    settlement = venue.get_window(scene.window).settlement_e6
    assert void(venue, scene.window).settlement_e6 == settlement > 0
    window = venue.get_window(scene.window)
    assert (window.state, window.settlement_e6) == (VOID, 0)
    settled = venue.settle(scene.ann, scene.window)
    assert (settled.gain_e6, settled.loss_e6) == (0, 0)
    assert settled.fees_returned_e6 > 0
    assert venue.get_margin(scene.ann).free_e6 == 500 * USDC
    assert resolve(venue, scene.window, scene.bob).upheld == 1
    assert venue.tokens(scene.bob.tokens) == before
    check(venue)
    venue.distribute(scene.window)
    for trader in (scene.ann, scene.bob):
        venue.withdraw(trader, venue.get_margin(trader).free_e6)
    venue.remove_liquidity(scene.lp, venue.tokens(scene.lp.shares))
    assert_empty(venue)


def test_only_guardian_and_authority_void_and_only_in_the_dispute_time(scene: Scene) -> None:
    venue = scene.venue
    for key in (scene.ann.key, venue.operator):
        scene.refused(ErrorCode.NOT_GUARDIAN, lambda k=key: void(venue, scene.window, k))  # type: ignore[misc]
    venue.at(900 + 60)
    scene.refused(ErrorCode.DISPUTE_OVER, lambda: void(venue, scene.window))
    scene.refused(ErrorCode.DISPUTE_OVER, lambda: challenge(venue, scene.window, scene.bob))
    assert venue.get_window(scene.window).state == FINAL


def test_the_authority_voids_too(scene: Scene) -> None:
    void(scene.venue, scene.window, scene.venue.authority)
    assert scene.venue.get_window(scene.window).state == VOID
    scene.refused(ErrorCode.WINDOW_IS_VOID, lambda: void(scene.venue, scene.window))
    scene.refused(ErrorCode.WINDOW_IS_VOID, lambda: challenge(scene.venue, scene.window, scene.bob))


def test_a_window_is_challenged_once(scene: Scene) -> None:
    venue = scene.venue
    challenge(venue, scene.window, scene.bob)
    scene.refused(ErrorCode.ALREADY_CHALLENGED, lambda: challenge(venue, scene.window, scene.ann))
    venue.at(900 + 180)
    resolve(venue, scene.window, scene.bob)
    scene.refused(ErrorCode.NOT_CHALLENGED, lambda: resolve(venue, scene.window, scene.bob))


def test_the_bond_goes_to_nobody_but_the_challenger(scene: Scene) -> None:
    venue = scene.venue
    challenge(venue, scene.window, scene.bob)
    void(venue, scene.window)
    scene.refused(ErrorCode.WRONG_RECEIVER, lambda: resolve(venue, scene.window, scene.ann))


def test_what_is_not_final_cannot_be_challenged_or_voided() -> None:
    scene = Scene.make(challenge_bond_e6=BOND, challenge_ms=120_000)
    scene.refused(ErrorCode.NOT_FINAL, lambda: challenge(scene.venue, scene.window, scene.bob))
    appoint_guardian(scene.venue)
    scene.refused(ErrorCode.NOT_FINAL, lambda: void(scene.venue, scene.window))


def test_an_exchange_without_challenges_takes_none() -> None:
    scene = Scene.make()
    scene.venue.play(60, 900, 70.0)
    scene.venue.finalise(scene.window)
    scene.refused(ErrorCode.NO_CHALLENGES, lambda: challenge(scene.venue, scene.window, scene.bob))


def test_a_change_of_parameters_does_not_shorten_a_running_dispute(scene: Scene) -> None:
    venue = scene.venue
    venue.set_params(dispute_ms=0, challenge_ms=0)
    scene.refused(ErrorCode.IN_DISPUTE, lambda: venue.settle(scene.ann, scene.window))

"""One valid transaction for every instruction of the market that begins or ends the life of an account."""

from __future__ import annotations

from chain import pda
from chain.clients import market as m
from tests.programs.market_kit import USDC
from tests.programs.market_scene import Scene
from tests.programs.negative.scenes_market import case, wallet
from tests.programs.negative.world import Case, scene
from tests.programs.test_market_lifecycle import close_window as close
from tests.programs.test_market_lifecycle import finalise_feed, played
from tests.programs.test_market_migration import FIRST_SIZES, old_venue, shrink


@scene("market.open_custom_window")
def open_custom_window() -> Case:
    """Open a window of twenty minutes."""
    venue = Scene.make().venue
    ix = m.ix_open_custom_window(
        operator=venue.operator.pubkey(),
        payer=wallet(venue),
        exchange=venue.exchange,
        market=venue.market,
        feed=venue.feed,
        window=pda.window(venue.market, 9),
        window_id=9,
        from_minute=20,
        to_minute=40,
        k_e6=1_000 * USDC,
    )
    return Case(venue.chain, ix)


@scene("market.close_window")
def close_window() -> Case:
    """Close a window that is over and empty."""
    s = Scene.make()
    s.venue.open_window(1)
    played(s)
    receiver = s.venue.get_window(s.window).rent_receiver
    return case(s, m.ix_close_window(market=s.venue.market, window=s.window, rent_receiver=receiver))


@scene("market.close_market")
def close_market() -> Case:
    """Close the market of a match that is over."""
    s = Scene.make()
    v = s.venue
    played(s)
    close(v, s.window)
    v.tick(0, 60.0, period=2, flags=4)
    finalise_feed(v)
    return case(s, m.ix_close_market(market=v.market, feed=v.feed, rent_receiver=v.chain.payer.pubkey()))


@scene("market.migrate_account")
def migrate_account() -> Case:
    """Grow a margin account of version 1."""
    s = Scene.make()
    shrink(s.venue.chain, s.ann.margin, FIRST_SIZES["margin"])
    return case(s, m.ix_migrate_account(payer=wallet(s.venue), account=s.ann.margin))


@scene("market.init_lp_escrow")
def init_lp_escrow() -> Case:
    """Create the escrow that a migrated pool lacks."""
    venue, kept = old_venue()
    for address in kept:
        venue.chain.send(m.ix_migrate_account(payer=venue.chain.payer.pubkey(), account=address))
    ix = m.ix_init_lp_escrow(payer=wallet(venue), exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint)
    return Case(venue.chain, ix)

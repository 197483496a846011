"""One valid transaction for every instruction of the market that concerns a match: listing, orders, settlement."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from oracle import listing
from tests.programs.market_base import mint_account, token_account
from tests.programs.market_kit import LONG, PARAMS, USDC, Venue
from tests.programs.market_scene import Scene
from tests.programs.negative.world import Case, scene
from tests.programs.svm import START_UNIX_S
from tests.programs.test_market_dispute import appoint_guardian, challenge, void
from tests.programs.test_market_liquidation import slide

BOND = {"challenge_bond_e6": 50 * USDC, "challenge_ms": 120_000}


def wallet(venue: Venue) -> Pubkey:
    """Return a new wallet, so that no key stands in two slots."""
    return venue.chain.wallet().pubkey()


def case(scene: Scene, instruction: Instruction) -> Case:
    """Return a case on the scene's chain."""
    return Case(scene.venue.chain, instruction)


@scene("market.init_exchange")
def init_exchange() -> Case:
    """Create a second exchange of another creator."""
    venue = Venue.make()
    mint, fees = Pubkey.new_unique(), Pubkey.new_unique()
    venue.chain.svm.set_account(mint, mint_account(venue.creator.pubkey(), 0))
    venue.chain.svm.set_account(fees, token_account(mint, venue.authority.pubkey()))
    ix = m.ix_init_exchange(
        creator=wallet(venue),
        payer=wallet(venue),
        authority=wallet(venue),
        operator=wallet(venue),
        oracle_config=venue.config,
        collateral_mint=mint,
        treasury_vault=fees,
        params=m.ExchangeParams(**PARAMS),
    )
    return Case(venue.chain, ix)


@scene("market.init_pool")
def init_pool() -> Case:
    """Create the pool of a second exchange."""
    venue = Venue.make()
    creator, operator = venue.chain.wallet(), wallet(venue)
    ix = m.ix_init_exchange(
        creator=creator.pubkey(),
        payer=venue.chain.payer.pubkey(),
        authority=wallet(venue),
        operator=operator,
        oracle_config=venue.config,
        collateral_mint=venue.mint,
        treasury_vault=venue.treasury,
        params=m.ExchangeParams(**PARAMS),
    )
    venue.chain.send(ix, creator)
    exchange = pda.exchange(creator.pubkey())
    return Case(venue.chain, m.ix_init_pool(payer=wallet(venue), exchange=exchange, collateral_mint=venue.mint))


@scene("market.create_market")
def create_market() -> Case:
    """List a second match."""
    venue = Venue.make()
    match_id = b"match-2".ljust(32, b"\0")
    operator, feed = venue.operator.pubkey(), pda.feed(venue.config, match_id)
    listed = listing.list_feed(
        operator=operator,
        payer=venue.chain.payer.pubkey(),
        rent_receiver=venue.creator.pubkey(),
        config=venue.config,
        set_id=1,
        methodology=bytes(32),
        match_id=match_id,
        start_unix_ms=START_UNIX_S * 1000,
    )
    venue.chain.send(listed, venue.operator)
    ix = m.ix_create_market(operator=operator, payer=wallet(venue), exchange=venue.exchange, feed=feed)
    return Case(venue.chain, ix)


@scene("market.open_window")
def open_window() -> Case:
    """Open a second window."""
    venue = Scene.make().venue
    ix = m.ix_open_window(
        operator=venue.operator.pubkey(),
        payer=wallet(venue),
        exchange=venue.exchange,
        market=venue.market,
        feed=venue.feed,
        window=pda.window(venue.market, 1),
        window_id=1,
        k_e6=1_000 * USDC,
    )
    return Case(venue.chain, ix)


@scene("market.submit_order")
def submit_order() -> Case:
    """Commit an order whose rent a sponsor pays."""
    s = Scene.make()
    s.venue.open_window(1)
    return case(s, s.venue.ix_submit(s.ann, s.window, LONG, 1, payer=wallet(s.venue)))


@scene("market.crank_order")
def crank_order() -> Case:
    """End a ripe order while other orders of the same and of other people wait."""
    s = Scene.make()
    v = s.venue
    other = v.open_window(1)
    order = v.submit(s.ann, s.window, LONG, 1)
    v.submit(s.bob, s.window, LONG, 1)
    v.submit(s.ann, other, LONG, 1)
    v.tick(17)
    address = pda.order(s.ann.margin, order)
    state = m.Order.from_account(v.chain.data(address))
    return case(s, v.ix_crank(address, state, wallet(v), v.ripe_index(state)))


@scene("market.liquidate")
def liquidate() -> Case:
    """Liquidate Ann while Bob holds the same position."""
    s = Scene.make()
    v = s.venue
    v.trade(s.ann, s.window, LONG, 5)
    v.trade(s.bob, s.window, LONG, 5)
    keeper = v.trader(100)
    slide(v, 1.0)
    ix = m.ix_liquidate(
        liquidator=keeper.key.pubkey(),
        liquidator_margin=keeper.margin,
        exchange=v.exchange,
        pool=v.pool,
        market=v.market,
        window=s.window,
        feed=v.feed,
        margin=s.ann.margin,
        position=pda.position(s.ann.margin, s.window),
    )
    return case(s, ix)


@scene("market.add_margin")
def add_margin() -> Case:
    """Put collateral into a position; its owner has another one, and Bob has the same."""
    s = held(Scene.make())
    v = s.venue
    ix = m.ix_add_margin(
        owner=s.ann.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        window=s.window,
        margin=s.ann.margin,
        position=pda.position(s.ann.margin, s.window),
        amount_e6=USDC,
    )
    return case(s, ix)


@scene("market.remove_margin")
def remove_margin() -> Case:
    """Take collateral out of a position that has more than enough."""
    s = held(Scene.make(), collateral_e6=30 * USDC)
    v = s.venue
    ix = m.ix_remove_margin(
        owner=s.ann.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        window=s.window,
        feed=v.feed,
        margin=s.ann.margin,
        position=pda.position(s.ann.margin, s.window),
        amount_e6=USDC,
    )
    return case(s, ix)


def held(s: Scene, **order: int) -> Scene:
    """Give Ann and Bob a contract in each of two windows."""
    other = s.venue.open_window(1)
    for trader in (s.ann, s.bob):
        s.venue.trade(trader, s.window, LONG, 1, **order)
        s.venue.trade(trader, other, LONG, 1, **order)
    return s


def over(**params: int) -> Scene:
    """Return a scene whose window has ended; Ann and Bob hold positions in it and in the next one."""
    s = held(Scene.make(**params))
    appoint_guardian(s.venue)
    s.venue.play(60, 900, 70.0)
    return s


def final(**params: int) -> Scene:
    """Return the same with the window's settlement fixed."""
    s = over(**params)
    s.venue.finalise(s.window)
    return s


@scene("market.finalise_window")
def finalise_window() -> Case:
    """Fix the settlement."""
    s = over()
    return case(s, m.ix_finalise_window(exchange=s.venue.exchange, window=s.window, feed=s.venue.feed))


@scene("market.settle_position")
def settle_position() -> Case:
    """Pay Ann's position out."""
    s = final()
    v = s.venue
    v.at(962)
    position = pda.position(s.ann.margin, s.window)
    ix = m.ix_settle_position(
        exchange=v.exchange,
        pool=v.pool,
        market=v.market,
        window=s.window,
        margin=s.ann.margin,
        position=position,
        rent_payer=m.Position.from_account(v.chain.data(position)).rent_payer,
    )
    return case(s, ix)


@scene("market.distribute_fees")
def distribute_fees() -> Case:
    """Split the fees of a window without positions."""
    s = final()
    v = s.venue
    v.at(962)
    v.settle(s.ann, s.window)
    v.settle(s.bob, s.window)
    ix = m.ix_distribute_fees(
        exchange=v.exchange,
        pool=v.pool,
        window=s.window,
        lp_mint=v.lp_mint,
    )
    return case(s, ix)


@scene("market.collect_protocol_fees")
def collect_protocol_fees() -> Case:
    """Pay the treasury its part of a window's fees."""
    s = final()
    v = s.venue
    v.at(962)
    v.settle(s.ann, s.window)
    v.settle(s.bob, s.window)
    v.distribute(s.window)
    ix = m.ix_collect_protocol_fees(exchange=v.exchange, pool=v.pool, vault=v.vault, treasury_vault=v.treasury)
    return case(s, ix)


@scene("market.quote")
def quote() -> Case:
    """Ask for a price."""
    s = Scene.make()
    s.venue.open_window(1)
    return case(s, m.ix_quote(exchange=s.venue.exchange, window=s.window, feed=s.venue.feed, side=0, qty_e6=USDC))


@scene("market.challenge_window")
def challenge_window() -> Case:
    """Doubt a settlement."""
    s = final(**BOND)
    v = s.venue
    ix = m.ix_challenge_window(
        challenger=s.bob.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        window=s.window,
        vault=v.vault,
        source=s.bob.tokens,
    )
    return case(s, ix)


@scene("market.void_window")
def void_window() -> Case:
    """Undo a settlement as the guardian."""
    s = final()
    ix = m.ix_void_window(signer=s.venue.guardian.pubkey(), exchange=s.venue.exchange, window=s.window)
    return case(s, ix)


@scene("market.resolve_challenge")
def resolve_challenge() -> Case:
    """Give the bond of an upheld challenge back."""
    s = final(**BOND)
    v = s.venue
    challenge(v, s.window, s.bob)
    void(v, s.window)
    ix = m.ix_resolve_challenge(
        exchange=v.exchange, pool=v.pool, window=s.window, vault=v.vault, destination=s.bob.tokens
    )
    return case(s, ix)

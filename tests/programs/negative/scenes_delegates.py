"""One valid transaction for every instruction of sessions and attestations, and for orders that use them."""

from __future__ import annotations

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.programs.market_base import LIMIT
from tests.programs.market_kit import LONG, USDC
from tests.programs.market_scene import Scene
from tests.programs.negative.scenes_market import case, wallet
from tests.programs.negative.world import Case, scene

RESTING = {"kind": LIMIT, "limit_e6": 40_000_000}


def delegated() -> tuple[Scene, Keypair, Pubkey]:
    """Return a scene with a delegate of Ann's, another one, and one of Bob's."""
    s = Scene.make()
    v = s.venue
    bot = v.chain.wallet()
    v.session(s.ann, wallet(v))
    v.session(s.bob, bot.pubkey())
    return s, bot, v.session(s.ann, bot.pubkey())


def attested() -> tuple[Scene, Keypair]:
    """Return a scene with an attestor who has attested Ann and Bob."""
    s = Scene.make()
    attestor = s.venue.chain.wallet()
    s.venue.set_attestor(attestor.pubkey())
    for trader in (s.ann, s.bob):
        s.venue.attest(attestor, trader.key.pubkey())
    return s, attestor


@scene("market.submit_order (delegate)")
def submit_as_delegate() -> Case:
    """Commit an order with a session."""
    s, bot, session = delegated()
    return case(
        s, s.venue.ix_submit(s.ann, s.window, LONG, 1, owner=bot.pubkey(), payer=wallet(s.venue), session=session)
    )


@scene("market.submit_order (attested)")
def submit_attested() -> Case:
    """Commit an order where only attested owners may."""
    s, _ = attested()
    mine = pda.attestation(s.venue.exchange, s.ann.key.pubkey())
    return case(s, s.venue.ix_submit(s.ann, s.window, LONG, 1, payer=wallet(s.venue), attestation=mine))


@scene("market.cancel_order")
def cancel_order() -> Case:
    """Cancel an order that rests, while others rest too."""
    s = Scene.make()
    order = s.venue.submit(s.ann, s.window, LONG, 1, **RESTING)
    s.venue.submit(s.ann, s.window, LONG, 1, **RESTING)
    s.venue.submit(s.bob, s.window, LONG, 1, **RESTING)
    return case(s, s.venue.ix_cancel(s.ann, order, s.ann.key.pubkey()))


@scene("market.cancel_order (delegate)")
def cancel_as_delegate() -> Case:
    """Cancel an order that rests with a session."""
    s, bot, session = delegated()
    order = s.venue.submit(s.ann, s.window, LONG, 1, **RESTING)
    s.venue.submit(s.bob, s.window, LONG, 1, **RESTING)
    return case(s, s.venue.ix_cancel(s.ann, order, bot.pubkey(), session))


@scene("market.create_session")
def create_session() -> Case:
    """Let a delegate trade."""
    s, _, _ = delegated()
    ix = m.ix_create_session(
        owner=s.ann.key.pubkey(),
        payer=wallet(s.venue),
        delegate=wallet(s.venue),
        margin=s.ann.margin,
        expires_unix=s.venue.chain.unix_s + 60,
        max_qty_e6=USDC,
        budget_e6=USDC,
    )
    return case(s, ix)


@scene("market.revoke_session")
def revoke_session() -> Case:
    """End a session before its time."""
    s, _, session = delegated()
    rent_payer = m.Session.from_account(s.venue.chain.data(session)).rent_payer
    return case(s, m.ix_revoke_session(signer=s.ann.key.pubkey(), session=session, rent_payer=rent_payer))


@scene("market.set_attestor")
def set_attestor() -> Case:
    """Name another attestor."""
    s, _ = attested()
    authority = s.venue.authority.pubkey()
    return case(s, m.ix_set_attestor(authority=authority, exchange=s.venue.exchange, attestor=Pubkey.new_unique()))


@scene("market.attest")
def attest() -> Case:
    """Attest somebody new."""
    s, attestor = attested()
    v = s.venue
    ix = m.ix_attest(
        attestor=attestor.pubkey(),
        payer=wallet(v),
        owner=wallet(v),
        exchange=v.exchange,
        expires_unix=v.chain.unix_s + 60,
    )
    return case(s, ix)


@scene("market.revoke_attestation")
def revoke_attestation() -> Case:
    """Take an attestation back."""
    s, attestor = attested()
    mine = pda.attestation(s.venue.exchange, s.ann.key.pubkey())
    rent_payer = m.Attestation.from_account(s.venue.chain.data(mine)).rent_payer
    ix = m.ix_revoke_attestation(
        attestor=attestor.pubkey(), exchange=s.venue.exchange, attestation=mine, rent_payer=rent_payer
    )
    return case(s, ix)

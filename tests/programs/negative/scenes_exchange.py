"""One valid transaction for every instruction of the market that concerns roles, parameters and money in and out."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from chain.clients import market as m
from tests.programs.market_kit import PARAMS, USDC, Venue
from tests.programs.market_scene import Scene
from tests.programs.negative.scenes_market import case, wallet
from tests.programs.negative.world import Case, scene
from tests.programs.test_market_authority import pause
from tests.programs.test_market_dispute import appoint_guardian
from tests.programs.test_market_liquidation import insure


def guarded() -> Scene:
    """Return a venue that has a guardian."""
    s = Scene.make()
    appoint_guardian(s.venue)
    return s


def roles(venue: Venue) -> dict[str, Any]:
    """Return the two accounts most instructions of the authority take."""
    return {"authority": venue.authority.pubkey(), "exchange": venue.exchange}


@scene("market.set_params")
def set_params() -> Case:
    """Change the fee."""
    s = guarded()
    return case(s, m.ix_set_params(**roles(s.venue), params=m.ExchangeParams(**(PARAMS | {"fee_e6": 60_000}))))


@scene("market.release_insurance")
def release_insurance() -> Case:
    """Move insurance into the pool's cash."""
    s = guarded()
    v = s.venue
    insure(v, USDC)
    return case(s, m.ix_release_insurance(**roles(v), pool=v.pool, lp_mint=v.lp_mint, amount_e6=USDC))


@scene("market.set_operator")
def set_operator() -> Case:
    """Name another operator."""
    s = guarded()
    return case(s, m.ix_set_operator(**roles(s.venue), operator=Pubkey.new_unique()))


@scene("market.set_guardian")
def set_guardian() -> Case:
    """Name another guardian."""
    s = guarded()
    return case(s, m.ix_set_guardian(**roles(s.venue), guardian=Pubkey.new_unique()))


@scene("market.revoke_operator")
def revoke_operator() -> Case:
    """Leave the exchange without an operator."""
    s = guarded()
    return case(s, m.ix_revoke_operator(**roles(s.venue)))


@scene("market.revoke_guardian")
def revoke_guardian() -> Case:
    """Leave the exchange without a guardian."""
    s = guarded()
    return case(s, m.ix_revoke_guardian(**roles(s.venue)))


@scene("market.propose_authority")
def propose_authority() -> Case:
    """Offer the authority to somebody."""
    s = guarded()
    return case(s, m.ix_propose_authority(**roles(s.venue), successor=wallet(s.venue)))


@scene("market.accept_authority")
def accept_authority() -> Case:
    """Take the authority that was offered."""
    s = guarded()
    successor = wallet(s.venue)
    s.venue.chain.send(m.ix_propose_authority(**roles(s.venue), successor=successor), s.venue.authority)
    return case(s, m.ix_accept_authority(pending_authority=successor, exchange=s.venue.exchange))


@scene("market.set_pause")
def set_pause() -> Case:
    """Loosen the pause, which only the authority may."""
    s = guarded()
    s.venue.pause(2)
    return case(s, m.ix_set_pause(signer=s.venue.authority.pubkey(), exchange=s.venue.exchange, level=0))


@scene("market.guardian_pause")
def guardian_pause() -> Case:
    """Pause as the guardian."""
    s = guarded()
    guardian = s.venue.guardian.pubkey()
    return case(s, m.ix_guardian_pause(guardian=guardian, exchange=s.venue.exchange, level=3, seconds=60))


@scene("market.clear_guardian_pause")
def clear_guardian_pause() -> Case:
    """End the guardian's pause."""
    s = guarded()
    pause(s, 3)
    return case(s, m.ix_clear_guardian_pause(**roles(s.venue)))


@scene("market.create_margin")
def create_margin() -> Case:
    """Open a margin account for somebody."""
    s = guarded()
    v = s.venue
    return case(s, m.ix_create_margin(owner=wallet(v), payer=wallet(v), exchange=v.exchange))


@scene("market.deposit_collateral")
def deposit_collateral() -> Case:
    """Put tokens into a margin account."""
    s = guarded()
    v = s.venue
    ix = m.ix_deposit_collateral(
        depositor=s.ann.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        margin=s.ann.margin,
        vault=v.vault,
        source=s.ann.tokens,
        amount_e6=USDC,
    )
    return case(s, ix)


@scene("market.withdraw_collateral")
def withdraw_collateral() -> Case:
    """Take tokens out of a margin account."""
    s = guarded()
    v = s.venue
    ix = m.ix_withdraw_collateral(
        owner=s.ann.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        margin=s.ann.margin,
        vault=v.vault,
        destination=s.ann.tokens,
        amount_e6=USDC,
    )
    return case(s, ix)

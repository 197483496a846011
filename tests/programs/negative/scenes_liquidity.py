"""One valid transaction for every instruction that concerns the pool's liquidity, while positions are open."""

from __future__ import annotations

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.programs.market_kit import USDC
from tests.programs.market_scene import Scene
from tests.programs.negative.scenes_market import case, held, wallet
from tests.programs.negative.world import Case, scene


def shared() -> Scene:
    """Return a scene in which two people own the pool and two hold positions."""
    s = Scene.make()
    s.venue.add_liquidity(s.bob, 100 * USDC)
    return held(s)


def waiting(*, deposit: bool) -> tuple[Scene, Pubkey]:
    """Return a scene with two requests of the provider and one of Bob; their payer is a sponsor."""
    s = shared()
    v = s.venue
    sponsor = v.chain.wallet()
    ask = v.ix_request_deposit if deposit else v.ix_request_withdrawal
    requests = []
    for trader in (s.lp, s.lp, s.bob):
        v.chain.send(ask(trader, USDC, payer=sponsor.pubkey()), trader.key, sponsor)
        requests.append(pda.lp_request(v.pool, trader.key.pubkey(), trader.next_request))
        trader.next_request += 1
    return s, requests[0]


@scene("market.request_deposit")
def request_deposit() -> Case:
    """Ask to put tokens into the pool."""
    s = shared()
    return case(s, s.venue.ix_request_deposit(s.lp, USDC, payer=wallet(s.venue)))


@scene("market.request_withdrawal")
def request_withdrawal() -> Case:
    """Ask to take tokens out of the pool."""
    s = shared()
    return case(s, s.venue.ix_request_withdrawal(s.lp, USDC, payer=wallet(s.venue)))


@scene("market.mark_window")
def mark_window() -> Case:
    """Measure what one of two windows owes."""
    s = shared()
    return case(s, s.venue.ix_mark(s.window))


@scene("market.cancel_request")
def cancel_request() -> Case:
    """Take a request for a withdrawal back."""
    s, request = waiting(deposit=False)
    v = s.venue
    ix = m.ix_cancel_request(
        signer=s.lp.key.pubkey(),
        exchange=v.exchange,
        pool=v.pool,
        vault=v.vault,
        destination=s.lp.shares,
        request=request,
        rent_payer=m.LpRequest.from_account(v.chain.data(request)).rent_payer,
    )
    return case(s, ix)


@scene("market.execute_request")
def execute_request() -> Case:
    """Carry a withdrawal out, every window marked."""
    s, request = waiting(deposit=False)
    v = s.venue
    v.tick(v.now_s + 7)
    v.mark(*v.windows.values())
    wish = m.LpRequest.from_account(v.chain.data(request))
    return case(s, v.ix_execute_request(request, wish.destination, wish.rent_payer, wallet(v)))

"""Attacks on the pool's books and on what outsiders can know of them."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import transfer
from spl.token.models import TransferParams

from chain.clients import market as m
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, USDC, Trader, Venue, events
from tests.programs.market_scene import FILLED, Scene

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def donate(venue: Venue, giver: Trader, amount: int) -> None:
    """Send tokens straight to the pool's vault."""
    params = TransferParams(
        program_id=TOKEN_PROGRAM_ID, source=giver.tokens, dest=venue.vault, owner=giver.key.pubkey(), amount=amount
    )
    venue.chain.send(transfer(params), giver.key)


def test_the_first_depositor_cannot_inflate_the_share_and_take_the_second_ones_money() -> None:
    """One unit in, a fortune sent to the vault, and the next depositor's shares should round to nothing.

    The pool books its cash and never looks at the vault's balance, so the fortune moves no price: it is lost to him.
    """
    venue = Venue.make()
    thief, victim = venue.trader(20_000), venue.trader(10_000)
    venue.add_liquidity(thief, 1)
    donate(venue, thief, 10_000 * USDC)
    shares = venue.add_liquidity(victim, 10_000 * USDC).shares
    assert shares > 0
    back = venue.remove_liquidity(victim, shares).amount_e6
    assert back >= 10_000 * USDC - 2
    mine = int.from_bytes(venue.chain.data(thief.shares)[64:72], "little")
    assert venue.remove_liquidity(thief, mine).amount_e6 <= 2
    assert venue.tokens(thief.tokens) <= 10_000 * USDC + 2, "the donation is gone"


def test_a_donation_through_deposits_of_one_unit_gains_nothing_either() -> None:
    """Thousands of dust deposits and withdrawals round against the one who makes them, every time."""
    venue = Venue.make()
    honest, dust = venue.trader(1_000), venue.trader(1_000)
    venue.add_liquidity(honest, 1_000 * USDC)
    before = venue.tokens(dust.tokens)
    for amount in (1, 2, 3, 7, 999_999, 1_000_001):
        got = venue.add_liquidity(dust, amount).shares
        if got:
            venue.remove_liquidity(dust, got)
    assert venue.tokens(dust.tokens) <= before
    mine = int.from_bytes(venue.chain.data(honest.shares)[64:72], "little")
    assert venue.remove_liquidity(honest, mine).amount_e6 >= 1_000 * USDC - 1


def test_a_donation_to_the_vault_blocks_nobody() -> None:
    """Tokens sent to the vault are nobody's: no book counts them and no instruction minds them."""
    scene = Scene.make()
    venue = scene.venue
    donate(venue, scene.bob, 7)
    assert venue.trade(scene.ann, scene.window, LONG, 1).reason == FILLED
    venue.withdraw(scene.bob, 500 * USDC)
    pool = venue.get_pool()
    booked = pool.cash_e6 + pool.margin_e6 + pool.position_collateral_e6 + pool.fee_escrow_e6
    assert venue.tokens(venue.vault) == booked + 7


def test_flooding_the_log_does_not_hide_a_trade_from_those_who_watch() -> None:
    """Logs end after so many bytes, and whoever fills them hides what comes later. Events are inner instructions."""
    scene = Scene.make()
    venue = scene.venue
    venue.chain.svm = venue.chain.svm.with_log_bytes_limit(600)
    order_id = venue.submit(scene.ann, scene.window, LONG, 2)
    venue.tick(17)
    address = next(iter(venue.orders))
    order = m.Order.from_account(venue.chain.data(address))
    crank = venue.ix_crank(address, order, venue.chain.payer.pubkey(), venue.ripe_index(order))
    noise = Instruction(MEMO, b"x" * 200, [])
    meta = venue.chain.send([noise, noise, noise, crank])
    assert any("truncated" in line for line in meta.logs()), meta.logs()
    assert not any(str(m.PROGRAM_ID) in line and "success" in line for line in meta.logs()), (
        "the crank is not in the log"
    )
    (event,) = events(meta)
    assert isinstance(event, m.OrderEnded)
    assert (event.reason, event.client_id, event.filled_e6) == (FILLED, order_id, 2 * USDC)
    venue.orders.clear()
    check(venue)

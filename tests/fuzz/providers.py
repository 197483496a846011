"""Liquidity providers: requests to deposit and withdraw, executed at marks of every live window."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.fuzz.ledger import liquidity
from tests.fuzz.ledger.books import LpRequest
from tests.fuzz.ledger.rules import DEPOSIT, WITHDRAWAL
from tests.fuzz.stage import USDC, action, anyone
from tests.fuzz.venue import Person, Venue


@action(3, "request_deposit", "request_withdrawal")
def request(venue: Venue) -> None:
    """Ask for a deposit or a withdrawal: odd amounts, so that rounding shows."""
    rng, world = venue.world.rng, venue.world
    who = rng.choice(venue.lps)
    held = venue.ledger.shares[who.shares]
    if rng.random() < 0.5:
        ask(venue, who, DEPOSIT, rng.choice((1, 7, rng.randint(1, 900 * USDC), rng.randint(1, 900 * USDC))))
    else:
        ask(venue, who, WITHDRAWAL, rng.choice((held, held + 1, rng.randint(1, max(1, held // 4)), 3)))
    if world.rng.random() < 0.1:
        cancel(venue)


def ask(venue: Venue, who: Person, kind: int, amount: int, minimum: int = 0) -> Pubkey | None:
    """Place a request; return its address unless it was refused."""
    world, ledger = venue.world, venue.ledger
    number = who.next_request
    key = pda.lp_request(venue.pool, who.key.pubkey(), number)
    payer = world.rng.choice((who.key, world.chain.payer))
    deposit = kind == DEPOSIT
    source, target = (who.tokens, who.shares) if deposit else (who.shares, who.tokens)
    asked = LpRequest(who.key.pubkey(), source, target, payer.pubkey(), kind, number, amount, minimum)
    if deposit:
        instruction = m.ix_request_deposit(
            owner=who.key.pubkey(),
            payer=payer.pubkey(),
            exchange=venue.exchange,
            pool=venue.pool,
            vault=ledger.vault,
            source=source,
            destination=target,
            id=number,
            amount_e6=amount,
            min_shares=minimum,
        )
    else:
        instruction = m.ix_request_withdrawal(
            owner=who.key.pubkey(),
            payer=payer.pubkey(),
            exchange=venue.exchange,
            pool=venue.pool,
            source=source,
            destination=target,
            id=number,
            shares=amount,
            min_amount_e6=minimum,
        )
    name = "request_deposit" if deposit else "request_withdrawal"
    signers = [who.key, payer]
    if not world.attempt(
        name, instruction, signers, lambda: liquidity.request(ledger, key, asked), venue, role=who.key
    ):
        return None
    who.next_request += 1
    return key


@action(3, "execute_request", "mark_window")
def execute(venue: Venue) -> None:
    """Execute any request that waits, mostly after marking every live window."""
    rng, requests = venue.world.rng, list(venue.ledger.requests)
    if not requests:
        return
    if rng.random() < 0.85:
        mark_all(venue)
    execute_request(venue, rng.choice(requests))


def execute_request(venue: Venue, key: Pubkey) -> None:
    """Execute a request; sometimes try it twice."""
    world, ledger = venue.world, venue.ledger
    asked = replace(ledger.requests[key])
    executor = world.rng.choice((world.chain.payer, anyone(venue).key))
    instruction = m.ix_execute_request(
        executor=executor.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        vault=ledger.vault,
        lp_mint=venue.lp_mint,
        destination=asked.destination,
        request=key,
        rent_payer=asked.rent_payer,
    )
    for name in ("execute_request", "execute_request again")[: 1 + (world.rng.random() < 0.1)]:
        event = world.attempt(
            name, instruction, [executor], lambda: liquidity.execute_request(ledger, key), venue, breaks="I6"
        )
        if event is not None:
            world.seen["liquidity moved while positions were open"] += ledger.pool.live_windows > 0


def mark_all(venue: Venue) -> None:
    """Mark every live window."""
    for key, window in venue.ledger.windows.items():
        if window.open_positions:
            mark_window(venue, key)


@action(2, "mark_window")
def mark(venue: Venue) -> None:
    """Mark any window."""
    mark_window(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def mark_window(venue: Venue, key: Pubkey) -> None:
    """Measure what the traders of a window gain and lose."""
    world, ledger = venue.world, venue.ledger
    instruction = m.ix_mark_window(
        exchange=venue.exchange, pool=venue.pool, window=key, feed=ledger.windows[key].feed.address
    )
    world.attempt("mark_window", instruction, [], lambda: liquidity.mark(ledger, key, world.now()), venue)


@action(0.7, "cancel_request")
def cancel(venue: Venue) -> None:
    """Take any request back."""
    if venue.ledger.requests:
        cancel_request(venue, venue.world.rng.choice(list(venue.ledger.requests)))


def cancel_request(venue: Venue, key: Pubkey) -> None:
    """Take a request back."""
    ledger = venue.ledger
    asked = ledger.requests[key]
    who = next(person for person in venue.lps if person.key.pubkey() == asked.owner)
    instruction = m.ix_cancel_request(
        owner=asked.owner,
        exchange=venue.exchange,
        pool=venue.pool,
        vault=ledger.vault,
        destination=asked.source,
        request=key,
        rent_payer=asked.rent_payer,
    )
    venue.world.attempt(
        "cancel_request", instruction, [who.key], lambda: liquidity.cancel_request(ledger, key), venue, role=who.key
    )


def add_liquidity(venue: Venue, who: Person, amount: int) -> None:
    """Deposit at once: nothing is at stake."""
    key = ask(venue, who, DEPOSIT, amount)
    if key is not None:
        execute_request(venue, key)

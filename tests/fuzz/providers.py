"""Liquidity providers: requests to deposit and withdraw, executed at marks of every live window."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from solders.account import Account
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.fuzz.ledger import liquidity
from tests.fuzz.ledger.books import LpRequest
from tests.fuzz.ledger.rules import DEPOSIT, WITHDRAWAL
from tests.fuzz.stage import USDC, action, anyone
from tests.fuzz.venue import Person, Venue
from tests.programs.market_base import token_account


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
    if (shut := shut_account(venue)) is not None:
        target = shut
        mint = venue.lp_mint if deposit else venue.mint
        world.chain.svm.set_account(target, token_account(mint, who.key.pubkey()))
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
    done = world.attempt(name, instruction, signers, lambda: liquidity.request(ledger, key, asked), venue, role=who.key)
    if shut is not None:
        world.chain.svm.set_account(shut, Account(0, b"", Pubkey.default()))
        venue.shut.add(shut)
    if not done:
        return None
    who.next_request += 1
    return key


def shut_account(venue: Venue) -> Pubkey | None:
    """Now and then the account to be paid is closed as soon as it was named; return its address."""
    return venue.world.address() if venue.world.rng.random() < 0.1 else None


@action(3, "execute_request", "mark_window")
def execute(venue: Venue) -> None:
    """Execute any request that waits, mostly after marking every live window."""
    rng, requests = venue.world.rng, list(venue.ledger.requests)
    if not requests:
        return
    if rng.random() < 0.85:
        mark_all(venue)
    execute_request(venue, rng.choice(requests), same_slot=rng.random() < 0.9)


def execute_request(venue: Venue, key: Pubkey, *, same_slot: bool = False) -> None:
    """Execute a request, mostly in the slot of its marks; sometimes try it twice."""
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
            name,
            instruction,
            [executor],
            lambda: liquidity.execute_request(
                ledger, key, world.chain.slot, payable=asked.destination not in venue.shut
            ),
            venue,
            breaks="I6",
            same_slot=same_slot,
        )
        if event is not None:
            world.seen["liquidity held for its owner"] += event.held
            world.seen["liquidity moved while positions were open"] += ledger.pool.live_windows > 0


def mark_all(venue: Venue) -> None:
    """Mark every live window, all in one slot."""
    live = [key for key, window in venue.ledger.windows.items() if window.open_positions]
    for number, key in enumerate(live):
        mark_window(venue, key, same_slot=number > 0)


@action(2, "mark_window")
def mark(venue: Venue) -> None:
    """Mark any window, mostly one with open positions."""
    keys = list(venue.ledger.windows)
    live = [key for key in keys if venue.ledger.windows[key].open_positions]
    mark_window(venue, venue.world.rng.choice(live if live and venue.world.rng.random() < 0.8 else keys))


def mark_window(venue: Venue, key: Pubkey, *, same_slot: bool = False) -> None:
    """Measure what the traders of a window gain and lose."""
    world, ledger = venue.world, venue.ledger
    instruction = m.ix_mark_window(
        exchange=venue.exchange, pool=venue.pool, window=key, feed=ledger.windows[key].feed.address
    )
    rule = partial(liquidity.mark, ledger, key)
    world.attempt("mark_window", instruction, [], lambda: rule(world.now()), venue, same_slot=same_slot)


@action(0.7, "cancel_request")
def cancel(venue: Venue) -> None:
    """Take any request back."""
    if venue.ledger.requests:
        cancel_request(venue, venue.world.rng.choice(list(venue.ledger.requests)))


def cancel_request(venue: Venue, key: Pubkey) -> None:
    """Take a request back or what it holds; now and then somebody else tries, late enough or not."""
    ledger, world = venue.ledger, venue.world
    asked = replace(ledger.requests[key])
    who = next(person for person in venue.lps if person.key.pubkey() == asked.owner)
    signer = who.key if world.rng.random() < 0.7 else anyone(venue).key
    back = who.tokens if asked.kind == DEPOSIT else who.shares
    instruction = m.ix_cancel_request(
        signer=signer.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        vault=ledger.vault,
        destination=back,
        request=key,
        rent_payer=asked.rent_payer,
    )

    def rule() -> dict[str, int]:
        return liquidity.cancel_request(ledger, key, signer.pubkey(), back)

    if world.attempt("cancel_request", instruction, [signer], rule, venue):
        world.seen["requests ended by others"] += signer != who.key


def add_liquidity(venue: Venue, who: Person, amount: int) -> None:
    """Deposit at once: nothing is at stake."""
    key = ask(venue, who, DEPOSIT, amount)
    if key is not None:
        execute_request(venue, key)

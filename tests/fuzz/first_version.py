"""Accounts as the first version of the market wrote them: grown before anything else happens to them."""

from __future__ import annotations

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.fuzz.ledger.rules import need
from tests.fuzz.venue import Venue

LONG = {m.Exchange: 344, m.Pool: 224, m.Margin: 128}
"""Bytes of an account of version 1; what came later lies behind."""
VERSION_AT = 8


def age(venue: Venue, address: Pubkey, kind: type[Any]) -> None:
    """Make an account just created what version 1 would have made, and let anybody grow it, at his own cost."""
    chain, size = venue.world.chain, LONG[kind]
    data = bytearray(chain.data(address)[:size])
    data[VERSION_AT] = 1
    rent = chain.svm.minimum_balance_for_rent_exemption(size)
    chain.svm.set_account(address, Account(rent, bytes(data), m.PROGRAM_ID))
    if kind is m.Exchange:
        for name in set(venue.ledger.params) & {name for name, at in offsets(m.EXCHANGE_DTYPE).items() if at >= size}:
            venue.ledger.params[name] = 0
    grow(venue, address, old=True)


def grow(venue: Venue, address: Pubkey, *, old: bool = False) -> None:
    """Grow an account of version 1; no other is taken."""
    payer = venue.world.rng.choice((venue.lister, venue.creator))

    def rule() -> None:
        need(old, "not of version 1")

    instruction = m.ix_migrate_account(payer=payer.pubkey(), account=address)
    venue.world.attempt("migrate_account", instruction, [payer], rule, venue)


def offsets(dtype: Any) -> dict[str, int]:
    """Return where each field of an account begins, the discriminator counted."""
    return {name: 8 + int(place[1]) for name, place in dtype.fields.items()}


def lose_escrow(venue: Venue) -> None:
    """Take the escrow of waiting withdrawals' shares away, which version 1 did not have, and let somebody make it."""
    chain, escrow = venue.world.chain, pda.lp_escrow(venue.exchange)
    chain.svm.set_account(escrow, Account(0, b"", Pubkey.default()))
    account, at = chain.account(venue.pool), offsets(m.POOL_DTYPE)["lp_escrow_bump"]
    data = bytearray(account.data)
    data[at] = 0
    chain.svm.set_account(venue.pool, Account(account.lamports, bytes(data), account.owner))
    missing = [True]

    def rule() -> None:
        need(missing.pop() if missing else False, "there is one already")

    instruction = m.ix_init_lp_escrow(
        payer=venue.lister.pubkey(), exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint
    )
    for name in ("init_lp_escrow", "init_lp_escrow again")[: 1 + (venue.world.rng.random() < 0.1)]:
        venue.world.attempt(name, instruction, [venue.lister], rule, venue)

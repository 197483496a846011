"""Accounts of version 1, byte for byte as that program wrote them, are grown and work on."""

from __future__ import annotations

import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import USDC, Venue
from tests.programs.market_scene import Scene
from tests.programs.svm import Chain, Rejected

FIRST_SIZES = {"exchange": 344, "pool": 224, "margin": 128}
VERSION_AT = 8
POOL_ORDER_ESCROW, POOL_FEE_ESCROW, POOL_OPEN_POSITIONS = 8 + 104 + 32, 8 + 104 + 40, 8 + 104 + 72


def shrink(chain: Chain, address: Pubkey, size: int) -> bytes:
    """Make an account what version 1 had: the leading bytes of today's, which have not moved."""
    data = bytearray(chain.data(address)[:size])
    data[VERSION_AT] = 1
    rent = chain.svm.minimum_balance_for_rent_exemption(size)
    chain.svm.set_account(address, Account(rent, bytes(data), m.PROGRAM_ID))
    return bytes(data)


def migrate(chain: Chain, address: Pubkey, payer: Keypair | None = None) -> int:
    """Grow an account, whoever pays; return what it cost in compute units."""
    key = payer or chain.payer
    return chain.cu(m.ix_migrate_account(payer=key.pubkey(), account=address), key)


def write(chain: Chain, address: Pubkey, at: int, value: int) -> None:
    """Overwrite a number of 8 bytes."""
    account = chain.account(address)
    data = bytearray(account.data)
    data[at : at + 8] = value.to_bytes(8, "little")
    chain.svm.set_account(address, Account(account.lamports, bytes(data), account.owner))


def old_pool(at: int | None = None) -> Scene:
    """Return a scene whose pool is of version 1; `at` names a number in it that is not zero."""
    scene = Scene.make()
    shrink(scene.venue.chain, scene.venue.pool, FIRST_SIZES["pool"])
    if at is not None:
        write(scene.venue.chain, scene.venue.pool, at, 1)
    return scene


def old_venue() -> tuple[Venue, dict[Pubkey, bytes]]:
    """Return a venue whose lasting accounts are all of version 1, without an escrow of shares, and their bytes."""
    scene = Scene.make()
    venue = scene.venue
    kept = {}
    for address, kind in ((venue.exchange, "exchange"), (venue.pool, "pool"), (scene.ann.margin, "margin")):
        kept[address] = shrink(venue.chain, address, FIRST_SIZES[kind])
    bump_at = VERSION_AT + 4  # version 1 kept no bump of the escrow
    pool = bytearray(kept[venue.pool])
    pool[bump_at] = 0
    kept[venue.pool] = bytes(pool)
    venue.chain.svm.set_account(
        venue.pool, Account(venue.chain.account(venue.pool).lamports, bytes(pool), m.PROGRAM_ID)
    )
    venue.chain.svm.set_account(pda.lp_escrow(venue.exchange), Account(0, b"", Pubkey.default()))
    return venue, kept


def test_accounts_of_version_1_keep_every_byte_and_grow_by_zeros() -> None:
    venue, kept = old_venue()
    stranger = venue.chain.wallet()
    for address, old in kept.items():
        assert migrate(venue.chain, address, stranger) <= 4_000
        new = venue.chain.data(address)
        assert new[VERSION_AT] == 2
        assert new[:VERSION_AT] + b"\x01" + new[VERSION_AT + 1 : len(old)] == old
        assert not any(new[len(old) :])
        rent = venue.chain.svm.minimum_balance_for_rent_exemption(len(new))
        assert venue.chain.account(address).lamports == rent
    assert len(venue.chain.data(venue.exchange)) == m.Exchange.SPACE
    assert len(venue.chain.data(venue.pool)) == m.Pool.SPACE


def test_a_migrated_venue_works_on() -> None:
    venue, kept = old_venue()
    ann, lp = venue.traders[1], venue.traders[0]
    for address in kept:
        migrate(venue.chain, address)
    venue.deposit(ann, 10 * USDC)
    venue.withdraw(ann, 20 * USDC)
    payer = venue.chain.payer.pubkey()
    ix = m.ix_init_lp_escrow(payer=payer, exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint)
    venue.chain.send(ix)
    assert venue.get_pool().lp_escrow_bump > 0
    venue.remove_liquidity(lp, 100 * USDC)
    check(venue)


def test_no_instruction_takes_an_account_of_version_1() -> None:
    for kind, size in FIRST_SIZES.items():
        scene = Scene.make()
        venue = scene.venue
        address = {"exchange": venue.exchange, "pool": venue.pool, "margin": scene.ann.margin}[kind]
        shrink(venue.chain, address, size)
        with pytest.raises(Rejected, match="AccountDataTooSmall"):
            venue.deposit(scene.ann, USDC)


def test_what_is_not_of_version_1_is_not_migrated() -> None:
    scene = Scene.make()
    venue = scene.venue
    for address in (venue.exchange, venue.pool, scene.ann.margin, venue.market, scene.window):
        scene.refused(ErrorCode.NOT_OLD_ACCOUNT, lambda a=address: migrate(venue.chain, a))  # type: ignore[misc]


def test_an_account_of_another_program_is_not_migrated() -> None:
    scene = Scene.make()
    with pytest.raises(Rejected):
        migrate(scene.venue.chain, scene.venue.vault)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (POOL_OPEN_POSITIONS, ErrorCode.POSITIONS_OPEN),
        (POOL_ORDER_ESCROW, ErrorCode.ORDERS_PENDING),
        (POOL_FEE_ESCROW, ErrorCode.FEES_NOT_DONE),
    ],
)
def test_a_pool_migrates_only_while_nothing_is_at_stake(at: int, code: ErrorCode) -> None:
    scene = old_pool(at)
    scene.refused(code, lambda: migrate(scene.venue.chain, scene.venue.pool))


def test_the_escrow_is_created_once() -> None:
    scene = Scene.make()
    venue = scene.venue
    payer = venue.chain.payer.pubkey()
    ix = m.ix_init_lp_escrow(payer=payer, exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint)
    with pytest.raises(Rejected):
        venue.chain.send(ix)

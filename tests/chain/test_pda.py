"""Addresses by hand agree with those the IDL tells."""

from __future__ import annotations

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market, oracle, treasury

KEY, OTHER = Pubkey.new_unique(), Pubkey.new_unique()


def test_the_program_ids_are_those_of_the_clients() -> None:
    assert (oracle.PROGRAM_ID, market.PROGRAM_ID, treasury.PROGRAM_ID) == (pda.ORACLE, pda.MARKET, pda.TREASURY)


def test_addresses_agree_with_the_helpers_of_the_clients() -> None:
    assert pda.event_authority(market.PROGRAM_ID) == market.EVENT_AUTHORITY
    assert pda.config(KEY) == oracle.pda_config(KEY)[0]
    assert pda.feed(KEY, b"m" * 32) == oracle.pda_feed(KEY, b"m" * 32)[0]
    assert pda.exchange(KEY) == market.pda_exchange(KEY)[0]
    assert pda.pool(KEY) == market.pda_pool(KEY)[0]
    assert pda.vault(KEY) == market.pda_vault(KEY)[0]
    assert pda.lp_mint(KEY) == market.pda_lp_mint(KEY)[0]
    assert pda.market(KEY, OTHER) == market.pda_market(KEY, OTHER)[0]
    assert pda.margin(KEY, OTHER) == market.pda_margin(KEY, OTHER)[0]
    assert pda.order(KEY, 7) == market.pda_order(KEY, 7)[0]
    assert pda.position(KEY, OTHER) == market.pda_position(KEY, OTHER)[0]
    assert pda.treasury(KEY) == treasury.pda_treasury(KEY)[0]
    assert pda.executor(KEY) == treasury.pda_executor(KEY)[0]
    assert pda.fees(KEY) == treasury.pda_fees(KEY)[0]
    assert pda.proposal(KEY, 3) == treasury.pda_proposal(KEY, 3)[0]
    assert pda.spending_limit(KEY, 3) == treasury.pda_limit(KEY, 3)[0]


def test_windows_of_a_market_have_their_own_addresses() -> None:
    assert len({pda.window(KEY, number) for number in range(9)}) == 9

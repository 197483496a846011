"""The treasury at work on a real venue: it takes the authority over, tightens at once and waits for real windows."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market
from chain.clients.treasury import ErrorCode
from tests.programs.market_kit import Venue
from tests.programs.svm import ARTIFACTS, Rejected
from tests.programs.treasury_kit import TreasuryKit, rejected
from tests.programs.treasury_loader import deploy, give, ix_upgrade, program_data, write_buffer


def governed() -> tuple[Venue, TreasuryKit]:
    """Return a venue whose authority a treasury has accepted."""
    venue = Venue.make()
    kit = TreasuryKit.make(chain=venue.chain)
    by = venue.authority
    for ix in (
        market.ix_set_guardian(authority=by.pubkey(), exchange=venue.exchange, guardian=venue.guardian.pubkey()),
        market.ix_propose_authority(authority=by.pubkey(), exchange=venue.exchange, successor=kit.executor),
    ):
        venue.chain.send(ix, by)
    kit.run(market.ix_accept_authority(pending_authority=kit.executor, exchange=venue.exchange))
    return venue, kit


def exchange_of(venue: Venue) -> market.Exchange:
    """Return the venue's exchange."""
    return market.Exchange.from_account(venue.chain.data(venue.exchange))


def test_the_treasury_takes_an_exchange_over_in_two_steps_and_can_hand_it_on() -> None:
    venue, kit = governed()
    assert exchange_of(venue).authority == kit.executor
    with pytest.raises(Rejected):
        venue.set_params(fee_e6=0)  # by the old authority
    new = kit.chain.wallet()
    kit.run(market.ix_propose_authority(authority=kit.executor, exchange=venue.exchange, successor=new.pubkey()))
    assert exchange_of(venue).authority == kit.executor
    venue.chain.send(market.ix_accept_authority(pending_authority=new.pubkey(), exchange=venue.exchange), new)
    assert exchange_of(venue).authority == new.pubkey()


def test_operator_and_guardian_are_revoked_at_once_and_named_only_after_48_hours() -> None:
    venue, kit = governed()
    role = {"authority": kit.executor, "exchange": venue.exchange}
    kit.at_once(market.ix_revoke_operator(**role))
    kit.at_once(market.ix_revoke_guardian(**role))
    state = exchange_of(venue)
    assert (state.operator, state.guardian) == (Pubkey.default(), Pubkey.default())
    new = Keypair().pubkey()
    for inner in (market.ix_set_operator(operator=new, **role), market.ix_set_guardian(guardian=new, **role)):
        with rejected(ErrorCode.NOT_TIGHTENING):
            kit.propose(inner, 0)
        number = kit.propose(inner)
        kit.approve(number, *kit.members[:2])
        with rejected(ErrorCode.TOO_EARLY):
            kit.chain.send(kit.ix_execute(number, inner))
    with rejected(ErrorCode.NOT_TIGHTENING):
        kit.propose(market.ix_clear_guardian_pause(**role), 0)


def test_an_upgrade_waits_until_a_real_window_is_final() -> None:
    venue, kit = governed()
    code = (ARTIFACTS / "oracle.so").read_bytes()
    program = Keypair().pubkey()
    deploy(kit.chain, program, code, len(code))
    give(kit.chain, program_data(program), kit.executor)
    buffer = write_buffer(kit.chain, code)
    give(kit.chain, buffer, kit.executor)
    window = venue.open_window(0)
    venue.tick(1)
    inner = ix_upgrade(program, buffer, kit.chain.payer.pubkey(), kit.executor, venue.exchange)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(172_800)
    with rejected(ErrorCode.WINDOWS_OPEN):
        kit.chain.send(kit.ix_execute(number, inner))
    venue.finalise(window)  # silent for two days: abandoned
    assert exchange_of(venue).open_windows == 0
    kit.chain.send(kit.ix_execute(number, inner))


def test_a_guardians_halt_lets_an_approved_upgrade_through_while_it_holds() -> None:
    venue, kit = governed()
    code = (ARTIFACTS / "oracle.so").read_bytes()
    program = Keypair().pubkey()
    deploy(kit.chain, program, code, len(code))
    give(kit.chain, program_data(program), kit.executor)
    buffer = write_buffer(kit.chain, code)
    give(kit.chain, buffer, kit.executor)
    venue.open_window(0)
    inner = ix_upgrade(program, buffer, kit.chain.payer.pubkey(), kit.executor, venue.exchange)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(172_800)
    halt = market.ix_guardian_pause(guardian=venue.guardian.pubkey(), exchange=venue.exchange, level=3, seconds=60)
    venue.chain.send(halt, venue.guardian)
    kit.later(60)
    with rejected(ErrorCode.WINDOWS_OPEN):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.later(-1)
    kit.chain.send(kit.ix_execute(number, inner))

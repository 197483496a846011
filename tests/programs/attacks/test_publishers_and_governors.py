"""Attacks by insiders: lying publishers, and members whose approvals were collected long before."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
)
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import transfer
from spl.token.models import TransferParams

from chain.clients import market, oracle, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.oracle_kit import FeedKit, quote
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import TreasuryKit

TRUTH, LIE_UP, LIE_DOWN = 50_000_000, 74_000_000, 26_000_000
DAY_S = 86_400


def newest(kit: FeedKit) -> int:
    """Return the newest sample's index."""
    feed = kit.feed()
    return int(feed.ring[(feed.samples - 1) % 512]["x_e6"])


def quiet_start(n: int, minimum: int) -> FeedKit:
    """Ten honest ticks of `n` publishers."""
    kit = FeedKit.make(n, minimum)
    for tick in range(1, 11):
        kit.tick(quote(tick), publishers=n)
    return kit


def collude(kit: FeedKit, liars: int, lie_e6: int, *, liars_first: bool) -> int:
    """One tick in which the first `liars` publishers send the lie; return the sample."""
    tick = kit.feed().tick + 1
    n = len(kit.publishers)
    order = list(range(n)) if liars_first else list(reversed(range(n)))
    for who in order:
        kit.push(who, quote(tick, x_e6=lie_e6 if who < liars else TRUTH))
    return newest(kit)


@pytest.mark.parametrize("lie", [LIE_UP, LIE_DOWN])
@pytest.mark.parametrize("liars_first", [True, False])
@pytest.mark.parametrize(("n", "minimum", "liars"), [(3, 3, 1), (4, 3, 1), (5, 5, 2), (7, 5, 2), (8, 7, 3)])
def test_a_minority_of_the_quorum_lies_and_the_median_stays_with_the_honest(
    n: int, minimum: int, liars: int, liars_first: bool, lie: int
) -> None:
    """However early or late the liars are: while they are fewer than half of any quorum, the sample is honest."""
    kit = quiet_start(n, minimum)
    conf_e6 = quote(1).conf_e4 * 100
    assert abs(collude(kit, liars, lie, liars_first=liars_first) - TRUTH) <= conf_e6


@pytest.mark.parametrize(("n", "minimum", "liars"), [(3, 2, 2), (5, 3, 3), (8, 5, 5)])
def test_a_majority_of_publishers_can_move_the_index_and_only_25_points_a_tick(
    n: int, minimum: int, liars: int
) -> None:
    """The stated limit of any median: a colluding majority sets the sample; the slew limit makes it take four ticks."""
    kit = quiet_start(n, minimum)
    assert abs(collude(kit, liars, LIE_UP, liars_first=True) - LIE_UP) <= 20_000
    tick = kit.feed().tick + 1
    with pytest.raises(Rejected) as caught:
        kit.push(0, quote(tick, x_e6=100_000_000))
    assert caught.value.code == oracle.ErrorCode.STEP_TOO_LARGE


@pytest.mark.parametrize("lie", [LIE_UP, LIE_DOWN])
def test_one_quick_liar_of_two_can_hold_the_index_back_but_not_move_it(lie: int) -> None:
    """Two of three close a tick, and he is always one of the two: between two votes the index stays where it was."""
    kit = quiet_start(3, 2)
    conf_e6 = quote(1).conf_e4 * 100
    assert abs(collude(kit, 1, lie, liars_first=True) - TRUTH) <= conf_e6


def test_two_quick_liars_of_five_are_a_majority_of_a_quorum_of_three() -> None:
    """The stated limit of small quorums: a tick closes with the first quotes, and two of the first three may lie.

    A deployment that fears `f` liars needs a quorum of 2f + 1 and, to stay alive without them, 3f + 1 publishers.
    """
    kit = quiet_start(5, 3)
    conf_e6 = quote(1).conf_e4 * 100
    assert abs(collude(kit, 2, LIE_DOWN, liars_first=True) - LIE_DOWN) <= conf_e6


@pytest.mark.parametrize("lie", [LIE_UP, LIE_DOWN])
@pytest.mark.parametrize(("n", "minimum", "liars"), [(4, 3, 1), (7, 5, 2), (8, 7, 3)])
def test_liars_about_the_target_alone_do_not_move_it_either(n: int, minimum: int, liars: int, lie: int) -> None:
    """The forward leans on `mu` more than on the index: they tell the truth about the index and lie about `mu`."""
    kit = quiet_start(n, minimum)
    tick = kit.feed().tick + 1
    for who in range(n):
        kit.push(who, quote(tick, mu_e6=lie if who < liars else TRUTH))
    feed = kit.feed()
    assert int(feed.ring[(feed.samples - 1) % 512]["mu_e6"]) == TRUTH


def test_nobody_jumps_with_the_target_at_once() -> None:
    """Even a majority needs ticks: a step of `mu` of more than 25 points is refused like one of the index."""
    kit = quiet_start(4, 3)
    with pytest.raises(Rejected) as caught:
        kit.push(0, quote(kit.feed().tick + 1, mu_e6=0))
    assert caught.value.code == oracle.ErrorCode.STEP_TOO_LARGE


def test_a_single_publisher_can_stop_trading_but_not_start_it() -> None:
    """One flag suspends at once, for 30 s at most; and a liar without a flag cannot make the market trade in a goal."""
    kit = quiet_start(4, 3)
    tick = kit.feed().tick + 1
    kit.push(0, quote(tick, flags=1, suspend_reason=1))
    for who in (1, 2):
        kit.push(who, quote(tick))
    assert kit.feed().suspend_epoch % 2 == 1
    kit.push(0, quote(tick + 1))
    for who in (1, 2):
        kit.push(who, quote(tick + 1, flags=1, suspend_reason=1))
    assert kit.feed().suspend_epoch % 2 == 1, "one unflagged quote resumes nothing"


def test_approvals_signed_in_advance_cannot_take_over_the_treasury() -> None:
    """Two members were tricked into signing approvals that never expire; the thief keeps them until the vault is full.

    A transaction lives on only with a durable nonce, which must be its first instruction: `approve` refuses those.
    """
    kit = TreasuryKit.make()
    kit.pay(5_000_000)
    thief = kit.chain.wallet()
    params = TransferParams(
        program_id=TOKEN_PROGRAM_ID, source=kit.fees, dest=thief.pubkey(), owner=kit.executor, amount=5_000_000
    )
    drain = transfer(params)
    number = kit.propose(drain)
    signed = []
    for member in kit.members[:2]:
        nonce, owner = Keypair(), kit.chain.payer.pubkey()
        rent = kit.chain.svm.minimum_balance_for_rent_exemption(80)
        make = CreateAccountParams(
            from_pubkey=owner, to_pubkey=nonce.pubkey(), lamports=rent, space=80, owner=Pubkey.default()
        )
        start = InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=owner)
        kit.chain.send([create_account(make), initialize_nonce_account(start)], nonce)
        advance = AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=owner)
        signed.append(([advance_nonce_account(advance), kit.ix_approve(number, member.pubkey())], member))
    kit.later(3 * DAY_S)
    for instructions, member in signed:
        with pytest.raises(Rejected) as caught:
            kit.chain.send(instructions, member)
        assert caught.value.code == ErrorCode.DURABLE_NONCE
    with pytest.raises(Rejected) as caught:
        kit.chain.send(kit.ix_execute(number, drain))
    assert caught.value.code == ErrorCode.NOT_ENOUGH_APPROVALS
    assert int.from_bytes(kit.chain.data(kit.fees)[64:72], "little") == 5_000_000


def test_a_member_who_was_removed_does_not_count_when_it_comes_to_execution() -> None:
    """A bribed member approves and is found out within the 48 hours: its approval lapses with its seat."""
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    bribed, honest, third = kit.members
    loosen = market.ix_set_pause(signer=kit.executor, exchange=exchange, level=0)
    bad = kit.propose(loosen)
    kit.approve(bad, bribed, honest)
    keys = (honest.pubkey(), third.pubkey(), *[Pubkey.default()] * 6)
    remove = treasury.ix_set_members(
        executor=kit.executor, treasury=kit.address, members=keys, n_members=2, threshold=2
    )
    removal = kit.propose(remove, who=honest)
    kit.approve(removal, honest, third)
    kit.later(2 * DAY_S + 1)
    kit.chain.send(kit.ix_execute(removal, remove))
    with pytest.raises(Rejected) as caught:
        kit.chain.send(kit.ix_execute(bad, loosen))
    assert caught.value.code == ErrorCode.MEMBERS_CHANGED

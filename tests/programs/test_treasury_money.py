"""Money that leaves the treasury without a proposal each time: fee receivers and spending limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import approve, close_account
from spl.token.models import ApproveParams, CloseAccountParams

from chain import pda
from chain.clients import treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import DAY_S, WIRE_LIMIT, TreasuryKit, rejected, wire_bytes


def set_receivers(kit: TreasuryKit, receivers: list[Pubkey], shares: list[int]) -> Instruction:
    """Return the executor's choice of receivers."""
    return treasury.ix_set_receivers(
        executor=kit.executor,
        treasury=kit.address,
        fees=kit.fees,
        shares_bps=tuple(shares),
        remaining_accounts=[AccountMeta(key, False, False) for key in receivers],
    )


def distribute(kit: TreasuryKit, receivers: list[Pubkey]) -> Instruction:
    """Return the distribution of the fee vault."""
    return treasury.ix_distribute(
        treasury=kit.address,
        executor=kit.executor,
        fees=kit.fees,
        remaining_accounts=[AccountMeta(key, False, True) for key in receivers],
    )


def add_limit(kit: TreasuryKit, payer: Pubkey, paid: list[Pubkey], **change: Any) -> Instruction:
    """Return a new limit of 100 a day for the first two members."""
    values: dict[str, Any] = {
        "executor": kit.executor,
        "id": 7,
        "mint": kit.mint,
        "amount": 100,
        "period_s": DAY_S,
        "members": tuple(m.pubkey() for m in kit.members[:2]),
        "receivers": tuple(paid),
    }
    return treasury.ix_add_spending_limit(payer=payer, treasury=kit.address, **(values | change))


def use_limit(kit: TreasuryKit, member: Pubkey, receiver: Pubkey, amount: int, **change: Pubkey) -> Instruction:
    """Return a payment out of limit 7."""
    values = {"limit": pda.spending_limit(kit.address, 7), "source": kit.fees, "executor": kit.executor}
    return treasury.ix_use_spending_limit(
        member=member, treasury=kit.address, receiver=receiver, amount=amount, **(values | change)
    )


def remove_limit(kit: TreasuryKit, rent_payer: Pubkey) -> Instruction:
    """Return the removal of limit 7."""
    return treasury.ix_remove_spending_limit(
        executor=kit.executor, treasury=kit.address, rent_payer=rent_payer, limit=pda.spending_limit(kit.address, 7)
    )


def limited(**change: Any) -> tuple[TreasuryKit, Pubkey]:
    """Return a treasury with 1,000 in its vault, limit 7 and the limit's receiver."""
    kit = TreasuryKit.make()
    kit.pay(1_000)
    receiver = kit.token_account()
    kit.run(add_limit(kit, kit.chain.payer.pubkey(), [receiver], **change))
    return kit, receiver


def spend(kit: TreasuryKit, receiver: Pubkey, amount: int, who: int = 0) -> None:
    """Pay out of limit 7 as a member."""
    kit.chain.send(use_limit(kit, kit.members[who].pubkey(), receiver, amount), kit.members[who])


def limit(kit: TreasuryKit) -> treasury.SpendingLimit:
    """Return limit 7."""
    return treasury.SpendingLimit.from_account(kit.chain.data(pda.spending_limit(kit.address, 7)))


def test_fees_are_split_by_shares_and_the_remainder_stays() -> None:
    kit = TreasuryKit.make()
    receivers = [kit.token_account() for _ in range(3)]
    kit.run(set_receivers(kit, receivers, [5_000, 3_333, 1_667]))
    kit.pay(1_001)
    sent = kit.chain.send(distribute(kit, receivers))
    assert [kit.balance(key) for key in receivers] == [500, 333, 166]
    assert kit.balance(kit.fees) == 2
    last = sent.inner_instructions()[0][-1].instruction().data
    assert treasury.PROGRAM.decode_event(last) == treasury.VaultDistributed(treasury=kit.address, paid=999, rest=2)
    with rejected(ErrorCode.NOTHING_TO_DISTRIBUTE):
        kit.chain.send(distribute(kit, receivers))


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 9_999), min_size=0, max_size=7), balance=st.integers(10_000, 2**62))
def test_no_split_pays_more_than_the_share_or_loses_more_than_a_unit_each(cuts: set[int], balance: int) -> None:
    kit = TreasuryKit.make(1, 1)
    edges = [0, *sorted(cuts), 10_000]
    shares = [b - a for a, b in pairwise(edges)]
    receivers = [kit.token_account() for _ in shares]
    kit.run(set_receivers(kit, receivers, shares))
    kit.pay(balance)
    kit.chain.send(distribute(kit, receivers))
    paid = [kit.balance(key) for key in receivers]
    assert paid == [balance * share // 10_000 for share in shares]
    assert kit.balance(kit.fees) == balance - sum(paid) < len(shares)


def test_receivers_are_different_token_accounts_of_the_vaults_mint_with_shares_of_10000() -> None:
    kit = TreasuryKit.make()
    one, two = kit.token_account(), kit.token_account()
    foreign = kit.token_account(mint=other_mint(kit))
    for receivers, shares in (
        ([one, two], [5_000, 4_999]),
        ([one, two], [10_000, 0]),
        ([one, two], [10_000]),
        ([one, one], [5_000, 5_000]),
        ([one, kit.fees], [5_000, 5_000]),
        ([one, foreign], [5_000, 5_000]),
        ([], []),
        ([kit.token_account() for _ in range(9)], [1_111] * 8 + [1_112]),
    ):
        inner = set_receivers(kit, receivers, shares)
        number = kit.propose(inner)
        kit.approve(number, *kit.members[:2])
        kit.later(2 * DAY_S)
        with pytest.raises(Rejected) as caught:
            kit.chain.send(kit.ix_execute(number, inner))
        assert caught.value.code == ErrorCode.BAD_RECEIVERS, receivers
    assert kit.get().n_receivers == 0


def other_mint(kit: TreasuryKit) -> Pubkey:
    """Return the mint of another treasury on the same chain."""
    return kit.new_mint(kit.chain, kit.mint_authority.pubkey())


def test_only_the_executor_names_receivers_and_only_they_are_paid() -> None:
    kit = TreasuryKit.make()
    one, two = kit.token_account(), kit.token_account()
    with rejected(ErrorCode.NO_RECEIVERS):
        kit.chain.send(distribute(kit, []))
    thief = kit.chain.wallet()
    stolen = treasury.ix_set_receivers(
        executor=thief.pubkey(),
        treasury=kit.address,
        fees=kit.fees,
        shares_bps=(10_000,),
        remaining_accounts=[AccountMeta(one, False, False)],
    )
    with rejected(ErrorCode.NOT_EXECUTOR):
        kit.chain.send(stolen, thief)
    kit.run(set_receivers(kit, [one, two], [9_000, 1_000]))
    kit.pay(100_000)
    for wrong in ([two, one], [one], [one, two, two], [one, kit.token_account()]):
        with rejected(ErrorCode.WRONG_ACCOUNTS):
            kit.chain.send(distribute(kit, wrong))
    elsewhere = treasury.ix_distribute(treasury=kit.address, executor=thief.pubkey(), fees=kit.fees)
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(elsewhere)
    other_vault = treasury.ix_distribute(treasury=kit.address, executor=kit.executor, fees=one)
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(other_vault)
    kit.chain.send(distribute(kit, [one, two]))
    kit.run(set_receivers(kit, [two], [10_000]))
    state = kit.get()
    assert (state.n_receivers, state.receivers[0], state.receivers[1]) == (1, two, Pubkey.default())


def test_a_receiver_that_closed_its_account_stops_the_split_and_loses_nobody_anything() -> None:
    kit = TreasuryKit.make()
    owner = kit.chain.wallet()
    gone, other = kit.token_account(owner.pubkey()), kit.token_account()
    kit.run(set_receivers(kit, [gone, other], [5_000, 5_000]))
    kit.pay(100)
    params = CloseAccountParams(account=gone, dest=owner.pubkey(), owner=owner.pubkey(), program_id=TOKEN_PROGRAM_ID)
    kit.chain.send(close_account(params), owner)
    with pytest.raises(Rejected):
        kit.chain.send(distribute(kit, [gone, other]))
    assert (kit.balance(kit.fees), kit.balance(other)) == (100, 0)


def test_a_listed_member_pays_a_listed_receiver_up_to_the_amount_of_the_period() -> None:
    kit, receiver = limited()
    sent = kit.chain.send(use_limit(kit, kit.members[0].pubkey(), receiver, 60), kit.members[0])
    event = treasury.PROGRAM.decode_event(sent.inner_instructions()[0][-1].instruction().data)
    assert isinstance(event, treasury.LimitUsed)
    assert (event.amount, event.left, event.member) == (60, 40, kit.members[0].pubkey())
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 41, 1)
    spend(kit, receiver, 40, 1)
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 1)
    assert kit.balance(receiver) == 100
    assert (limit(kit).left, limit(kit).spent) == (0, 100)


def test_the_amount_is_there_again_in_the_next_period_but_never_adds_up() -> None:
    kit, receiver = limited()
    start = limit(kit).period_start_unix
    spend(kit, receiver, 100)
    kit.later(DAY_S - 1)
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 1)
    kit.later(1)
    spend(kit, receiver, 100)
    kit.later(10 * DAY_S + 5)
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 101)
    spend(kit, receiver, 100)
    assert limit(kit).period_start_unix == start + 11 * DAY_S
    assert kit.balance(receiver) == 300


def test_a_limit_without_period_is_there_once() -> None:
    kit, receiver = limited(period_s=0)
    spend(kit, receiver, 100)
    kit.later(400 * DAY_S)
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 1)


def test_who_is_not_listed_neither_pays_nor_is_paid() -> None:
    kit, receiver = limited()
    with rejected(ErrorCode.NOT_MEMBER):
        spend(kit, receiver, 1, 2)  # a member of the treasury, not of the limit
    stranger = kit.chain.wallet()
    with rejected(ErrorCode.NOT_MEMBER):
        kit.chain.send(use_limit(kit, stranger.pubkey(), receiver, 1), stranger)
    me = kit.members[0]
    with rejected(ErrorCode.NOT_RECEIVER):
        kit.chain.send(use_limit(kit, me.pubkey(), kit.token_account(), 1), me)
    with rejected(ErrorCode.LIMIT_EXCEEDED):
        spend(kit, receiver, 0)


def test_a_limit_works_for_its_own_mint_and_treasury_only() -> None:
    kit, receiver = limited()
    me = kit.members[0]
    foreign = kit.token_account(kit.executor, other_mint(kit))
    owner = kit.chain.wallet()
    lent = kit.token_account(owner.pubkey())
    params = ApproveParams(
        program_id=TOKEN_PROGRAM_ID, source=lent, delegate=kit.executor, owner=owner.pubkey(), amount=100
    )
    kit.chain.send(approve(params), owner)
    for change in ({"source": foreign}, {"source": lent}, {"executor": me.pubkey()}):
        with rejected(ErrorCode.WRONG_ACCOUNTS):
            kit.chain.send(use_limit(kit, me.pubkey(), receiver, 1, **change), me)
    key = Keypair()
    kit.chain.send(kit.ix_init(key.pubkey(), [me.pubkey()], 1), key)
    mine = treasury.pda_treasury(key.pubkey())[0]
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(
            treasury.ix_use_spending_limit(
                member=me.pubkey(),
                treasury=mine,
                executor=treasury.pda_executor(mine)[0],
                limit=pda.spending_limit(kit.address, 7),
                source=kit.fees,
                receiver=receiver,
                amount=1,
            ),
            me,
        )
    assert kit.balance(receiver) == 0


def test_a_member_who_left_the_treasury_cannot_use_a_limit_any_more() -> None:
    kit, receiver = limited()
    keys = [m.pubkey() for m in kit.members[1:]]
    kit.run(
        treasury.ix_set_members(
            executor=kit.executor,
            treasury=kit.address,
            members=(*keys, *[Pubkey.default()] * 6),
            n_members=2,
            threshold=2,
        )
    )
    with rejected(ErrorCode.NOT_MEMBER):
        spend(kit, receiver, 1, 0)
    spend(kit, receiver, 1, 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 0}, ErrorCode.BAD_LIMIT),
        ({"period_s": 3_599}, ErrorCode.BAD_LIMIT),
        ({"period_s": 366 * DAY_S + 1}, ErrorCode.BAD_LIMIT),
        ({"members": ()}, ErrorCode.BAD_LIMIT),
        ({"receivers": ()}, ErrorCode.BAD_LIMIT),
        ({"receivers": (Pubkey.default(),)}, ErrorCode.BAD_LIMIT),
        ({"receivers": tuple(Pubkey.new_unique() for _ in range(9))}, ErrorCode.BAD_LIMIT),
        ({"members": (Pubkey.new_unique(),)}, ErrorCode.NOT_MEMBER),
    ],
)
def test_a_limit_outside_the_rules_is_refused(change: dict[str, Any], code: ErrorCode) -> None:
    kit = TreasuryKit.make()
    with pytest.raises(Rejected) as caught:
        kit.run(add_limit(kit, kit.chain.payer.pubkey(), [Pubkey.new_unique()], **change))
    assert caught.value.code == code


def test_a_member_listed_twice_is_refused_and_eight_of_each_are_not() -> None:
    kit = TreasuryKit.make(8, 1)
    twice = (kit.members[0].pubkey(),) * 2
    with pytest.raises(Rejected) as caught:
        kit.run(add_limit(kit, kit.chain.payer.pubkey(), [Pubkey.new_unique()], members=twice))
    assert caught.value.code == ErrorCode.BAD_LIMIT
    receivers = [Pubkey.new_unique() for _ in range(8)]
    inner = add_limit(kit, kit.members[0].pubkey(), receivers, members=tuple(m.pubkey() for m in kit.members))
    assert wire_bytes(kit.ix_create(inner, 1, kit.members[0].pubkey()), kit.members[0].pubkey()) <= WIRE_LIMIT
    kit.run(inner, kit.members[0])
    assert limit(kit).receivers == tuple(receivers)


def test_only_the_executor_adds_and_removes_limits() -> None:
    kit, _ = limited()
    thief = kit.chain.wallet()
    with rejected(ErrorCode.NOT_EXECUTOR):
        kit.chain.send(add_limit(kit, thief.pubkey(), [thief.pubkey()], executor=thief.pubkey(), id=8), thief)
    removal = treasury.ix_remove_spending_limit(
        executor=thief.pubkey(),
        treasury=kit.address,
        rent_payer=thief.pubkey(),
        limit=pda.spending_limit(kit.address, 7),
    )
    with pytest.raises(Rejected) as caught:
        kit.chain.send(removal, thief)
    assert caught.value.code == ErrorCode.NOT_EXECUTOR


def test_a_limit_is_removed_without_delay_and_its_rent_goes_back_to_who_paid_it() -> None:
    kit, receiver = limited()
    address, payer = pda.spending_limit(kit.address, 7), kit.chain.payer.pubkey()
    thief = kit.chain.wallet().pubkey()
    wrong = remove_limit(kit, thief)
    number = kit.propose(wrong, 0)
    kit.approve(number, *kit.members[:2])
    with pytest.raises(Rejected) as caught:
        kit.chain.send(kit.ix_execute(number, wrong))
    assert caught.value.code == ErrorCode.WRONG_ACCOUNTS
    inner = remove_limit(kit, payer)
    number = kit.propose(inner, 0)
    kit.approve(number, *kit.members[:2])
    rent, before = kit.chain.account(address).lamports, kit.chain.account(payer).lamports
    kit.chain.send(kit.ix_execute(number, inner))
    assert kit.chain.account(payer).lamports == before + rent - 5_000
    assert kit.chain.svm.get_account(address) is None
    with pytest.raises(Rejected):
        spend(kit, receiver, 1)


def test_the_executor_can_pay_the_rent_of_a_limit_itself() -> None:
    kit = TreasuryKit.make()
    kit.chain.svm.airdrop(kit.executor, 1_000_000_000)
    kit.run(add_limit(kit, kit.executor, [Pubkey.new_unique()]))
    assert limit(kit).rent_payer == kit.executor
    inner = remove_limit(kit, kit.executor)
    number = kit.propose(inner, 0)
    kit.approve(number, *kit.members[:2])
    kit.chain.send(kit.ix_execute(number, inner))
    assert kit.chain.account(kit.executor).lamports == 1_000_000_000

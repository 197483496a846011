"""Attempts to take the treasury over, each as its attacker would make it."""

from __future__ import annotations

import hashlib

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    TransferParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
    transfer,
)
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from chain import pda
from chain.clients import market, oracle, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import DAY_S, TreasuryKit, level_of, padded, pause, rejected

MISSING_SIGNATURE = "MissingRequiredSignature"


def nonce_account(kit: TreasuryKit) -> tuple[Pubkey, Instruction]:
    """Create a durable nonce of the payer; return it and the instruction that advances it."""
    key, me = Keypair(), kit.chain.payer.pubkey()
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(80)
    create = create_account(
        CreateAccountParams(from_pubkey=me, to_pubkey=key.pubkey(), lamports=rent, space=80, owner=Pubkey.default())
    )
    start = initialize_nonce_account(InitializeNonceAccountParams(nonce_pubkey=key.pubkey(), authority=me))
    kit.chain.send([create, start], key)
    kit.later(1)
    return key.pubkey(), advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=key.pubkey(), authorized_pubkey=me)
    )


def send_on_nonce(kit: TreasuryKit, nonce: Pubkey, message: Message, *signers: Keypair) -> None:
    """Send a transaction that was signed on the nonce's hash, long after its signers signed it."""
    stored = Hash(kit.chain.data(nonce)[40:72])
    signed = Transaction([kit.chain.payer, *signers], message, stored)
    kit.later(30 * DAY_S)
    kit.chain.svm.expire_blockhash()
    result = kit.chain.svm.send_transaction(signed)
    if isinstance(result, FailedTransactionMetadata):
        raise Rejected(result)


def set_members(kit: TreasuryKit, keys: list[Pubkey], threshold: int) -> Instruction:
    """Return the executor's change of members."""
    return treasury.ix_set_members(
        executor=kit.executor,
        treasury=kit.address,
        members=padded(keys),
        n_members=len(keys),
        threshold=threshold,
    )


def test_an_approval_signed_a_month_ago_on_a_durable_nonce_is_worth_nothing() -> None:
    kit = TreasuryKit.make()
    nonce, advance = nonce_account(kit)
    me, payer = kit.members[0], kit.chain.payer.pubkey()
    harmless = transfer(TransferParams(from_pubkey=me.pubkey(), to_pubkey=payer, lamports=1))
    send_on_nonce(kit, nonce, Message([advance, harmless], payer), me)  # such transactions do work
    later = kit.get().next_id
    message = Message([advance, kit.ix_approve(later, me.pubkey())], payer)
    kit.propose(set_members(kit, [Keypair().pubkey()], 1))
    with rejected(ErrorCode.DURABLE_NONCE):
        send_on_nonce(kit, nonce, message, me)


def test_a_payment_out_of_a_limit_signed_on_a_durable_nonce_is_refused() -> None:
    kit = TreasuryKit.make()
    kit.pay(100)
    me, receiver = kit.members[0], kit.token_account()
    add = treasury.ix_add_spending_limit(
        executor=kit.executor,
        payer=kit.chain.payer.pubkey(),
        treasury=kit.address,
        mint=kit.mint,
        id=0,
        amount=10,
        period_s=DAY_S,
        members=(me.pubkey(),),
        receivers=(receiver,),
    )
    kit.run(add)
    use = treasury.ix_use_spending_limit(
        member=me.pubkey(),
        treasury=kit.address,
        executor=kit.executor,
        limit=pda.spending_limit(kit.address, 0),
        source=kit.fees,
        receiver=receiver,
        amount=10,
    )
    nonce, advance = nonce_account(kit)
    with rejected(ErrorCode.DURABLE_NONCE):
        send_on_nonce(kit, nonce, Message([advance, use], kit.chain.payer.pubkey()), me)
    kit.chain.send(use, me)


def test_a_false_instructions_sysvar_hides_no_nonce() -> None:
    kit = TreasuryKit.make()
    number, me = kit.propose(pause(kit, Pubkey.new_unique(), 1)), kit.members[0]
    fake = treasury.ix_approve(
        member=me.pubkey(), treasury=kit.address, proposal=kit.proposal_key(number), instructions=Pubkey.new_unique()
    )
    with pytest.raises(Rejected):
        kit.chain.send(fake, me)
    assert kit.proposal(number).approvals == 0


def test_an_executed_proposal_runs_no_second_time_and_its_number_is_never_used_again() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    inner = pause(kit, exchange, 1)
    number = kit.run(inner)
    with rejected(ErrorCode.ALREADY_EXECUTED):
        kit.chain.send([kit.ix_execute(number, inner), kit.ix_execute(number, inner)])
    held = kit.proposal(number)
    kit.chain.send(treasury.ix_close_proposal(rent_payer=held.rent_payer, proposal=kit.proposal_key(number)))
    me = kit.members[0]
    again = treasury.ix_create_proposal(
        creator=me.pubkey(),
        payer=me.pubkey(),
        treasury=kit.address,
        id=number,
        class_=1,
        program_id=inner.program_id,
        accounts=(),
        data=b"",
    )
    with rejected(ErrorCode.WRONG_ID):
        kit.chain.send(again, me)
    with pytest.raises(Rejected):
        kit.chain.send(kit.ix_execute(number, inner))


def test_a_proposal_that_executes_itself_fails() -> None:
    kit = TreasuryKit.make()
    number = kit.get().next_id
    inner = treasury.ix_execute(
        treasury=kit.address,
        proposal=kit.proposal_key(number),
        remaining_accounts=[AccountMeta(treasury.PROGRAM_ID, False, False)],
    )
    assert kit.propose(inner) == number
    kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    with pytest.raises(Rejected):
        kit.chain.send(kit.ix_execute(number, inner))
    assert kit.proposal(number).status == 0


def test_a_member_removed_after_the_approval_does_not_count_even_when_the_threshold_falls() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    wanted, removal = pause(kit, exchange, 3), set_members(kit, [m.pubkey() for m in kit.members[1:]], 1)
    first, second = kit.propose(wanted), kit.propose(removal)
    kit.approve(first, kit.members[0])
    kit.approve(second, *kit.members[1:])
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(second, removal))
    with rejected(ErrorCode.MEMBERS_CHANGED):
        kit.chain.send(kit.ix_execute(first, wanted))
    with rejected(ErrorCode.NOT_MEMBER):
        kit.approve(first, kit.members[0])
    assert level_of(kit, exchange) == 0


def test_a_member_who_takes_a_removed_members_place_does_not_inherit_its_approval() -> None:
    kit = TreasuryKit.make()
    exchange, fresh = kit.exchange(), kit.chain.wallet()
    wanted = pause(kit, exchange, 3)
    swap = set_members(kit, [fresh.pubkey(), kit.members[1].pubkey(), kit.members[2].pubkey()], 2)
    first, second = kit.propose(wanted), kit.propose(swap)
    kit.approve(first, *kit.members[:2])
    kit.approve(second, *kit.members[1:])
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(second, swap))
    kit.approve(first, kit.members[1])
    held = kit.proposal(first)
    assert (held.approvals, held.members_epoch) == (0b10, kit.get().members_epoch)
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(first, wanted))


def test_rejections_of_former_members_do_not_outlive_them() -> None:
    kit = TreasuryKit.make()
    wanted, swap = pause(kit, kit.exchange(), 3), set_members(kit, [m.pubkey() for m in reversed(kit.members)], 2)
    first, second = kit.propose(wanted), kit.propose(swap)
    no = {"treasury": kit.address, "proposal": kit.proposal_key(first)}
    kit.chain.send(treasury.ix_reject(member=kit.members[0].pubkey(), **no), kit.members[0])
    kit.approve(second, *kit.members[1:])
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(second, swap))
    kit.chain.send(treasury.ix_reject(member=kit.members[1].pubkey(), **no), kit.members[1])
    held = kit.proposal(first)
    assert (held.rejections, held.status) == (0b10, 0)


def test_an_approved_proposal_is_dead_from_the_second_it_expires() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(7 * DAY_S)
    with rejected(ErrorCode.EXPIRED):
        kit.chain.send(kit.ix_execute(number, inner))


def test_nobody_acts_as_the_executor() -> None:
    kit = TreasuryKit.make()
    thief = kit.chain.wallet()
    takeover = set_members(kit, [thief.pubkey()], 1)
    unsigned = [AccountMeta(m.pubkey, False, m.is_writable) for m in takeover.accounts]
    with pytest.raises(Rejected, match=MISSING_SIGNATURE):
        kit.chain.send(Instruction(takeover.program_id, bytes(takeover.data), unsigned))
    mine = own_treasury(kit, thief)
    other = treasury.ix_set_members(
        executor=mine.executor, treasury=kit.address, members=padded([thief.pubkey()]), n_members=1, threshold=1
    )
    for inner in (other, takeover):
        number = mine.propose(inner)
        mine.approve(number, thief)
        mine.later(2 * DAY_S)
        with pytest.raises(Rejected) as caught:
            mine.chain.send(execute_unsigned(mine, number, inner, kit.executor))
        if inner is other:
            assert caught.value.code == ErrorCode.NOT_EXECUTOR
    assert kit.get().n_members == 3


def own_treasury(kit: TreasuryKit, owner: Keypair) -> TreasuryKit:
    """Return a treasury of one member on the same chain."""
    key = Keypair()
    kit.chain.send(kit.ix_init(key.pubkey(), [owner.pubkey()], 1), key)
    address = treasury.pda_treasury(key.pubkey())[0]
    executor, fees = treasury.pda_executor(address)[0], treasury.pda_fees(address)[0]
    return TreasuryKit(kit.chain, [owner], address, executor, fees, kit.mint, kit.mint_authority)


def test_the_executor_of_one_treasury_signs_nothing_for_another() -> None:
    kit = TreasuryKit.make()
    thief = kit.chain.wallet()
    mine = own_treasury(kit, thief)
    exchange = kit.exchange()
    stolen = pause(kit, exchange, 3)
    number = mine.propose(stolen)
    mine.approve(number, thief)
    mine.later(2 * DAY_S)
    with pytest.raises(Rejected):
        mine.chain.send(execute_unsigned(mine, number, stolen, kit.executor))
    assert level_of(kit, exchange) == 0


def execute_unsigned(mine: TreasuryKit, number: int, inner: Instruction, victim: Pubkey) -> Instruction:
    """Return an execution that does not sign for `victim`: nobody could."""
    built = mine.ix_execute(number, inner)
    metas = [AccountMeta(m.pubkey, m.is_signer and m.pubkey != victim, m.is_writable) for m in built.accounts]
    return Instruction(built.program_id, bytes(built.data), metas)


def test_the_executor_is_no_member_of_its_own_treasury() -> None:
    kit = TreasuryKit.make()
    with pytest.raises(Rejected) as caught:
        kit.run(set_members(kit, [kit.executor, kit.members[0].pubkey()], 1))
    assert caught.value.code == ErrorCode.BAD_MEMBERS


def test_members_are_set_and_different() -> None:
    kit = TreasuryKit.make()
    one = kit.members[0].pubkey()
    for keys in ([one, one], [one, Pubkey.default()]):
        with pytest.raises(Rejected) as caught:
            kit.run(set_members(kit, keys, 1))
        assert caught.value.code == ErrorCode.BAD_MEMBERS


def test_class_0_smuggles_in_nothing_that_loosens() -> None:
    kit = TreasuryKit.make()
    exchange, thief = kit.exchange(), Keypair().pubkey()
    tight = pause(kit, exchange, 3)
    config = oracle.pda_config(Pubkey.new_unique())[0]
    head = bytes(tight.data)[:8]
    revoke = hashlib.sha256(b"global:revoke_operator").digest()[:8]
    for inner in (
        set_members(kit, [thief], 1),
        market.ix_set_operator(authority=kit.executor, exchange=exchange, operator=thief),
        oracle.ix_set_operator(authority=kit.executor, config=config, operator=thief),
        treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=exchange),
        Instruction(market.PROGRAM_ID, head, tight.accounts),
        Instruction(market.PROGRAM_ID, bytes(tight.data) + b"\0", tight.accounts),
        Instruction(market.PROGRAM_ID, revoke + bytes(thief), tight.accounts),
        Instruction(treasury.PROGRAM_ID, bytes(tight.data), tight.accounts),
        Instruction(treasury.PROGRAM_ID, revoke, tight.accounts),
        Instruction(Pubkey.new_unique(), bytes(tight.data), tight.accounts),
        Instruction(market.PROGRAM_ID, b"", []),
    ):
        with rejected(ErrorCode.NOT_TIGHTENING):
            kit.propose(inner, 0)


def test_class_0_compares_with_the_exchange_it_changes_at_the_moment_of_execution() -> None:
    kit = TreasuryKit.make()
    one, two = kit.exchange(), kit.exchange()
    raised = pause(kit, two, 2)
    first, late = kit.propose(raised, 0), kit.propose(pause(kit, two, 1), 0)
    for number in (first, late):
        kit.approve(number, *kit.members[:2])
    kit.chain.send(kit.ix_execute(first, raised))
    with rejected(ErrorCode.NOT_TIGHTENING):  # it was a raise when it was proposed
        kit.chain.send(kit.ix_execute(late, pause(kit, two, 1)))
    swapped = pause(kit, one, 1)
    metas = list(swapped.accounts)
    metas[0], metas[1] = AccountMeta(one, False, False), AccountMeta(two, False, True)
    smuggled = Instruction(market.PROGRAM_ID, bytes(swapped.data), metas)
    number = kit.propose(smuggled, 0)
    kit.approve(number, *kit.members[:2])
    with rejected(ErrorCode.NOT_TIGHTENING):
        kit.chain.send(kit.ix_execute(number, smuggled))
    assert level_of(kit, two) == 2


@pytest.mark.parametrize("where", ["missing", "not-an-exchange", "short"])
def test_class_0_needs_the_exchange_as_second_account(where: str) -> None:
    kit = TreasuryKit.make()
    tight = pause(kit, kit.exchange(), 3)
    metas = {"missing": list(tight.accounts[:1]), "not-an-exchange": list(tight.accounts), "short": []}[where]
    if where == "not-an-exchange":
        metas[1] = AccountMeta(kit.address, False, True)
    inner = Instruction(market.PROGRAM_ID, bytes(tight.data), metas)
    number = kit.propose(inner, 0)
    kit.approve(number, *kit.members[:2])
    with rejected(ErrorCode.NOT_TIGHTENING):
        kit.chain.send(kit.ix_execute(number, inner))


def test_a_treasury_made_up_by_another_program_is_no_treasury() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    number, fake = kit.propose(inner, 0), Pubkey.new_unique()
    real = kit.chain.account(kit.address)
    kit.chain.svm.set_account(fake, Account(real.lamports, bytes(real.data), market.PROGRAM_ID))
    me = kit.members[0]
    for ix in (treasury.ix_approve, treasury.ix_reject):
        with pytest.raises(Rejected):
            kit.chain.send(ix(member=me.pubkey(), treasury=fake, proposal=kit.proposal_key(number)), me)
    with pytest.raises(Rejected):
        kit.chain.send(treasury.ix_execute(treasury=fake, proposal=kit.proposal_key(number)))


def test_sol_sent_to_an_address_in_advance_does_not_block_it() -> None:
    kit = TreasuryKit.make()
    key = Keypair()
    address = treasury.pda_treasury(key.pubkey())[0]
    limit = pda.spending_limit(kit.address, 0)
    for target in (address, treasury.pda_fees(address)[0], limit, *[kit.proposal_key(n) for n in range(3)]):
        kit.chain.svm.airdrop(target, 1_000_000)
    kit.chain.send(kit.ix_init(key.pubkey(), [kit.members[0].pubkey()], 1), key)
    kit.propose(pause(kit, Pubkey.new_unique(), 1))
    kit.draft(pause(kit, Pubkey.new_unique(), 1))
    kit.run(
        treasury.ix_add_spending_limit(
            executor=kit.executor,
            payer=kit.chain.payer.pubkey(),
            treasury=kit.address,
            mint=kit.mint,
            id=0,
            amount=1,
            period_s=0,
            members=(kit.members[0].pubkey(),),
            receivers=(kit.fees,),
        )
    )
    assert treasury.SpendingLimit.from_account(kit.chain.data(limit)).amount == 1

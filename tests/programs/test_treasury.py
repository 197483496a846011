"""The treasury program on a chain in this process: members, delays, tightening, fees."""

from __future__ import annotations

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
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
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import DAY_S, TreasuryKit, level_of, padded, pause, rejected


def test_a_new_treasury_owns_its_fee_vault_through_its_executor() -> None:
    kit = TreasuryKit.make()
    state = kit.get()
    assert (state.n_members, state.threshold, state.min_delay_s) == (3, 2, 172_800)
    assert (state.executor, state.fees) == (kit.executor, kit.fees)
    vault = kit.chain.data(kit.fees)
    assert (vault[:32], vault[32:64]) == (bytes(kit.mint), bytes(kit.executor))


def test_fees_leave_after_two_approvals_and_48_hours_and_only_once() -> None:
    kit = TreasuryKit.make()
    kit.pay(5_000_000)
    other = TreasuryKit.ix_init(kit, (key := Keypair()).pubkey(), [kit.members[0].pubkey()], 1)
    kit.chain.send(other, key)
    target = treasury.pda_fees(treasury.pda_treasury(key.pubkey())[0])[0]
    inner = transfer(
        TransferParams(program_id=TOKEN_PROGRAM_ID, source=kit.fees, dest=target, owner=kit.executor, amount=3_000_000)
    )
    number = kit.propose(inner)
    kit.approve(number, kit.members[0])
    kit.later(2 * DAY_S)
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.approve(number, kit.members[2])
    kit.chain.send(kit.ix_execute(number, inner))
    assert int.from_bytes(kit.chain.data(target)[64:72], "little") == 3_000_000
    with rejected(ErrorCode.ALREADY_EXECUTED):
        kit.chain.send(kit.ix_execute(number, inner))


def test_a_slow_proposal_waits_48_hours_and_expires_after_seven_days() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    inner = pause(kit, exchange, 3)
    first, second = kit.propose(inner), kit.propose(inner)
    for number in (first, second):
        kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S - 1)
    with rejected(ErrorCode.TOO_EARLY):
        kit.chain.send(kit.ix_execute(first, inner))
    kit.later(1)
    kit.chain.send(kit.ix_execute(first, inner))
    assert level_of(kit, exchange) == 3
    kit.later(5 * DAY_S)
    with rejected(ErrorCode.EXPIRED):
        kit.chain.send(kit.ix_execute(second, inner))
    with rejected(ErrorCode.EXPIRED):
        kit.approve(second, kit.members[2])


def test_tightening_needs_no_delay_but_still_the_threshold() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    inner = pause(kit, exchange, 2)
    number = kit.propose(inner, 0)
    kit.approve(number, kit.members[0])
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.approve(number, kit.members[1])
    kit.chain.send(kit.ix_execute(number, inner))
    assert level_of(kit, exchange) == 2


@pytest.mark.parametrize("level", [0, 1, 2])
def test_class_0_never_loosens(level: int) -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    tight, loose = pause(kit, exchange, 2), pause(kit, exchange, level)
    for inner in (tight, loose):
        number = kit.propose(inner, 0)
        kit.approve(number, *kit.members[:2])
        if inner is tight:
            kit.chain.send(kit.ix_execute(number, inner))
        else:
            with rejected(ErrorCode.NOT_TIGHTENING):
                kit.chain.send(kit.ix_execute(number, inner))
    assert level_of(kit, exchange) == 2


def test_class_0_carries_nothing_but_a_pause() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    config = oracle.pda_config(Pubkey.new_unique())[0]
    for inner in (
        oracle.ix_set_operator(authority=kit.executor, config=config, operator=Pubkey.new_unique()),
        Instruction(oracle.PROGRAM_ID, bytes(pause(kit, exchange, 3).data), []),
        Instruction(market.PROGRAM_ID, bytes(pause(kit, exchange, 3).data) + b"\0", []),
    ):
        with rejected(ErrorCode.NOT_TIGHTENING):
            kit.propose(inner, 0)


def test_a_second_exchange_among_the_accounts_cannot_lend_its_pause_level() -> None:
    kit = TreasuryKit.make()
    one, two = kit.exchange(), kit.exchange()
    for level in (3, 1):  # `one` is Halted, `two` stays Active
        inner = pause(kit, one, level)
        extra = [*inner.accounts, AccountMeta(two, False, False)]
        inner = Instruction(inner.program_id, bytes(inner.data), extra)
        number = kit.propose(inner, 0)
        kit.approve(number, *kit.members[:2])
        if level == 3:
            kit.chain.send(kit.ix_execute(number, inner))
            continue
        with rejected(ErrorCode.NOT_TIGHTENING):
            kit.chain.send(kit.ix_execute(number, inner))
    assert (level_of(kit, one), level_of(kit, two)) == (3, 0)


def test_the_executor_is_the_authority_of_the_oracles_config() -> None:
    kit = TreasuryKit.make()
    creator, new = kit.chain.wallet(), Keypair().pubkey()
    kit.chain.send(
        oracle.ix_init_config(creator=creator.pubkey(), authority=kit.executor, operator=creator.pubkey()), creator
    )
    config = oracle.pda_config(creator.pubkey())[0]
    inner = oracle.ix_set_operator(authority=kit.executor, config=config, operator=new)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(number, inner))
    assert oracle.Config.from_account(kit.chain.data(config)).operator == new


def test_members_change_by_proposal_only_and_older_approvals_lapse() -> None:
    kit = TreasuryKit.make()
    fresh = [kit.chain.wallet() for _ in range(2)]
    args = {"members": padded([key.pubkey() for key in fresh]), "n_members": 2, "threshold": 2}
    stranger = kit.chain.wallet()
    with rejected(ErrorCode.NOT_EXECUTOR):
        kit.chain.send(treasury.ix_set_members(executor=stranger.pubkey(), treasury=kit.address, **args), stranger)
    inner = treasury.ix_set_members(executor=kit.executor, treasury=kit.address, **args)
    change, other = kit.propose(inner), kit.propose(pause(kit, kit.exchange(), 1))
    for number in (change, other):
        kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(change, inner))
    assert kit.get().members[:2] == (fresh[0].pubkey(), fresh[1].pubkey())
    held = kit.proposal(other)
    call = Instruction(
        held.program_id,
        bytes(held.data[: held.data_len]),
        [AccountMeta(m.address, False, m.flags > 1) for m in held.accounts[: held.n_accounts]],
    )
    with rejected(ErrorCode.MEMBERS_CHANGED):
        kit.chain.send(kit.ix_execute(other, call))
    with rejected(ErrorCode.NOT_MEMBER):
        kit.approve(other, kit.members[2])
    kit.approve(other, fresh[0])
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(other, call))
    kit.approve(other, fresh[1])
    kit.chain.send(kit.ix_execute(other, call))


def test_an_approval_counts_once_and_only_from_a_member() -> None:
    kit = TreasuryKit.make()
    number = kit.propose(pause(kit, kit.exchange(), 1))
    kit.approve(number, kit.members[0])
    with rejected(ErrorCode.ALREADY_APPROVED):
        kit.approve(number, kit.members[0])
    with rejected(ErrorCode.NOT_MEMBER):
        kit.approve(number, kit.chain.wallet())
    with rejected(ErrorCode.NOT_MEMBER):
        kit.propose(pause(kit, Pubkey.new_unique(), 1), who=kit.chain.wallet())


def test_an_approval_on_a_durable_nonce_is_refused() -> None:
    kit = TreasuryKit.make()
    number = kit.propose(pause(kit, kit.exchange(), 1))
    member, nonce, me = kit.members[0], Keypair(), kit.chain.payer.pubkey()
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(80)
    owner = Pubkey.default()
    kit.chain.send(
        [
            create_account(
                CreateAccountParams(from_pubkey=me, to_pubkey=nonce.pubkey(), lamports=rent, space=80, owner=owner)
            ),
            initialize_nonce_account(InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=me)),
        ],
        nonce,
    )
    advance = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=me))
    kit.later(1)
    with rejected(ErrorCode.DURABLE_NONCE):
        kit.chain.send([advance, kit.ix_approve(number, member.pubkey())], member)
    assert kit.chain.svm.latest_blockhash() != Hash.default()
    kit.approve(number, member)


def test_only_the_approved_accounts_and_program_run() -> None:
    kit = TreasuryKit.make()
    exchange, other = kit.exchange(), kit.exchange()
    inner = pause(kit, exchange, 1)
    number = kit.propose(inner, 0)
    kit.approve(number, *kit.members[:2])
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(kit.ix_execute(number, pause(kit, other, 1)))
    stray = Instruction(oracle.PROGRAM_ID, bytes(inner.data), inner.accounts)
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(kit.ix_execute(number, stray))
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(treasury.ix_execute(treasury=other, proposal=kit.proposal_key(number)))
    kit.chain.send(kit.ix_execute(number, inner))


def test_a_failed_instruction_leaves_the_proposal_open() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 9)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    with pytest.raises(Rejected):
        kit.chain.send(kit.ix_execute(number, inner))
    assert kit.proposal(number).status == 0


def test_a_proposal_closes_when_executed_or_expired_and_returns_its_rent() -> None:
    kit = TreasuryKit.make()
    number = kit.propose(pause(kit, kit.exchange(), 1))
    key = kit.proposal_key(number)
    payer = kit.proposal(number).rent_payer
    close = treasury.ix_close_proposal(rent_payer=payer, proposal=key)
    with rejected(ErrorCode.STILL_OPEN):
        kit.chain.send(close)
    kit.later(7 * DAY_S)
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(treasury.ix_close_proposal(rent_payer=kit.chain.payer.pubkey(), proposal=key))
    before = kit.chain.account(payer).lamports
    rent = kit.chain.account(key).lamports
    kit.chain.send(close)
    assert kit.chain.account(payer).lamports == before + rent
    assert kit.chain.svm.get_account(key) is None


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_outside_the_members_is_refused(threshold: int) -> None:
    kit = TreasuryKit.make()
    key = Keypair()
    with rejected(ErrorCode.BAD_MEMBERS):
        kit.chain.send(kit.ix_init(key.pubkey(), [m.pubkey() for m in kit.members], threshold), key)


def test_a_wrong_id_class_or_flag_is_refused() -> None:
    kit = TreasuryKit.make()
    me = kit.members[0]
    good = {"id": 0, "class_": 1, "accounts": (), "program_id": market.PROGRAM_ID, "data": b"x"}
    flagged = (treasury.ProposalAccount(address=me.pubkey(), flags=4),)
    for change, code in (
        ({"id": 1}, ErrorCode.WRONG_ID),
        ({"class_": 2}, ErrorCode.BAD_PROPOSAL),
        ({"accounts": flagged}, ErrorCode.BAD_PROPOSAL),
    ):
        with rejected(code):
            kit.chain.send(
                treasury.ix_create_proposal(
                    creator=me.pubkey(), payer=me.pubkey(), treasury=kit.address, **(good | change)
                ),
                me,
            )

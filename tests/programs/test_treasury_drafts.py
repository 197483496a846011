"""The life of a proposal: drafts in parts, votes for and against, and how it ends."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.treasury_kit import (
    DATA_AT,
    DAY_S,
    WIRE_LIMIT,
    TreasuryKit,
    content_hash,
    level_of,
    packed,
    pause,
    rejected,
    wire_bytes,
)

DRAFT, REJECTED, CANCELLED = 2, 3, 4


def begin(
    kit: TreasuryKit, *, kind: int = 1, n_accounts: int = 0, data_len: int = 0, who: Keypair | None = None
) -> int:
    """Create an empty draft for the market and return its id."""
    creator, number = who or kit.members[0], kit.get().next_id
    kit.chain.send(
        treasury.ix_create_draft(
            creator=creator.pubkey(),
            payer=kit.chain.payer.pubkey(),
            treasury=kit.address,
            id=number,
            class_=kind,
            program_id=market.PROGRAM_ID,
            n_accounts=n_accounts,
            data_len=data_len,
        ),
        creator,
    )
    return number


def write(kit: TreasuryKit, number: int, offset: int, part: bytes, who: Keypair | None = None) -> None:
    """Write a part of a draft."""
    creator = who or kit.members[0]
    key = kit.proposal_key(number)
    kit.chain.send(
        treasury.ix_write_proposal(creator=creator.pubkey(), proposal=key, offset=offset, part=part), creator
    )


def activate(kit: TreasuryKit, number: int, who: Keypair | None = None) -> None:
    """Freeze a draft."""
    creator = who or kit.members[0]
    kit.chain.send(treasury.ix_activate_proposal(creator=creator.pubkey(), proposal=kit.proposal_key(number)), creator)


def vote(kit: TreasuryKit, number: int, member: Keypair, what: str) -> None:
    """Reject a proposal or revoke an approval."""
    ix = {"reject": treasury.ix_reject, "revoke": treasury.ix_revoke_approval}[what]
    kit.chain.send(ix(member=member.pubkey(), treasury=kit.address, proposal=kit.proposal_key(number)), member)


def cancel(kit: TreasuryKit, number: int, who: Keypair) -> None:
    """Cancel a proposal."""
    kit.chain.send(treasury.ix_cancel_proposal(creator=who.pubkey(), proposal=kit.proposal_key(number)), who)


def close(kit: TreasuryKit, number: int) -> None:
    """Close a proposal."""
    payer = kit.proposal(number).rent_payer
    kit.chain.send(treasury.ix_close_proposal(rent_payer=payer, proposal=kit.proposal_key(number)))


def large(kit: TreasuryKit, exchange: Pubkey) -> Instruction:
    """Return a pause with 20 accounts more than it needs."""
    inner = pause(kit, exchange, 1)
    extra = [AccountMeta(Pubkey.new_unique(), False, False) for _ in range(20)]
    return Instruction(inner.program_id, bytes(inner.data), [*inner.accounts, *extra])


def test_an_instruction_of_24_accounts_and_1024_bytes_is_written_in_parts_as_it_is() -> None:
    kit = TreasuryKit.make()
    metas = [AccountMeta(Pubkey.new_unique(), i % 2 == 0, i % 3 == 0) for i in range(24)]
    inner = Instruction(market.PROGRAM_ID, bytes(i % 251 for i in range(1_024)), metas)
    me = kit.members[0].pubkey()
    assert wire_bytes(kit.ix_create(inner, 1, me), me) > WIRE_LIMIT
    held = kit.proposal(kit.draft(inner, part=333))
    assert (held.status, held.n_accounts, held.data_len) == (0, 24, 1_024)
    assert held.data == bytes(inner.data)
    assert b"".join(account.encode() for account in held.accounts) == packed(inner)
    assert held.content_hash == content_hash(inner, 1)


def test_one_part_may_cross_from_the_accounts_into_the_data() -> None:
    kit = TreasuryKit.make()
    number = begin(kit, n_accounts=24, data_len=40)
    write(kit, number, 0, bytes(700))
    write(kit, number, DATA_AT - 33, bytes(Pubkey.new_unique()) + b"\x02" + bytes(range(40)))
    write(kit, number, DATA_AT + 1_020, b"tail")
    held = kit.proposal(number)
    assert held.accounts[23].flags == 2
    assert held.data[:40] == bytes(range(40))
    assert held.data[-4:] == b"tail"


def test_a_draft_with_24_accounts_is_executed_in_one_transaction() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    inner = large(kit, exchange)
    me = kit.members[0].pubkey()
    number = kit.run(inner)
    assert wire_bytes(kit.ix_execute(number, inner), me) <= WIRE_LIMIT
    assert level_of(kit, exchange) == 1


def test_a_small_proposal_carries_the_hash_of_its_contents_and_so_does_its_event() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, Pubkey.new_unique(), 1)
    number = kit.propose(inner)
    held = kit.proposal(number)
    assert held.content_hash == content_hash(inner, 1)
    assert (held.activated_unix, held.expires_unix) == (kit.chain.unix_s, kit.chain.unix_s + 7 * DAY_S)
    me = kit.members[1]
    number = begin(kit, who=me)
    sent = kit.chain.send(
        treasury.ix_activate_proposal(creator=me.pubkey(), proposal=kit.proposal_key(number)), me
    ).inner_instructions()
    event = treasury.PROGRAM.decode_event(sent[0][0].instruction().data)
    assert isinstance(event, treasury.ProposalActivated)
    assert (event.proposal, event.id, event.creator) == (kit.proposal_key(number), number, me.pubkey())
    assert event.content_hash == kit.proposal(number).content_hash


def test_a_draft_cannot_be_approved_rejected_or_executed() -> None:
    kit = TreasuryKit.make()
    number = begin(kit)
    with rejected(ErrorCode.NOT_ACTIVE):
        kit.approve(number, kit.members[0])
    for what in ("reject", "revoke"):
        with rejected(ErrorCode.NOT_ACTIVE):
            vote(kit, number, kit.members[0], what)
    with rejected(ErrorCode.NOT_ACTIVE):
        kit.chain.send(kit.ix_execute(number, Instruction(market.PROGRAM_ID, b"", [])))
    with rejected(ErrorCode.STILL_OPEN):
        close(kit, number)


def test_only_the_creator_writes_and_activates_and_nothing_changes_afterwards() -> None:
    kit = TreasuryKit.make()
    number, other = begin(kit, data_len=9), kit.members[1]
    with rejected(ErrorCode.NOT_CREATOR):
        write(kit, number, DATA_AT, b"x", other)
    with rejected(ErrorCode.NOT_CREATOR):
        activate(kit, number, other)
    activate(kit, number)
    before = kit.chain.data(kit.proposal_key(number))
    with rejected(ErrorCode.NOT_DRAFT):
        write(kit, number, DATA_AT, b"x")
    with rejected(ErrorCode.NOT_DRAFT):
        activate(kit, number)
    assert kit.chain.data(kit.proposal_key(number)) == before


def test_the_delay_of_a_draft_counts_from_its_activation() -> None:
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    inner = pause(kit, exchange, 1)
    number = begin(kit, n_accounts=len(inner.accounts), data_len=len(inner.data))
    write(kit, number, 0, packed(inner))
    write(kit, number, DATA_AT, bytes(inner.data))
    kit.later(6 * DAY_S)
    activate(kit, number)
    kit.approve(number, *kit.members[:2])
    with rejected(ErrorCode.TOO_EARLY):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.later(2 * DAY_S)
    kit.chain.send(kit.ix_execute(number, inner))
    assert level_of(kit, exchange) == 1


def test_a_draft_expires_after_seven_days_and_can_be_closed_by_anyone() -> None:
    kit = TreasuryKit.make()
    number = begin(kit)
    kit.later(7 * DAY_S)
    with rejected(ErrorCode.EXPIRED):
        write(kit, number, 0, b"x")
    with rejected(ErrorCode.EXPIRED):
        activate(kit, number)
    close(kit, number)


def test_drafts_are_checked_like_small_proposals() -> None:
    kit = TreasuryKit.make()
    for wrong in ({"n_accounts": 25}, {"data_len": 1_025}, {"kind": 2}):
        with rejected(ErrorCode.BAD_PROPOSAL):
            begin(kit, **wrong)
    with rejected(ErrorCode.NOT_MEMBER):
        begin(kit, who=kit.chain.wallet())
    number = begin(kit, n_accounts=1)
    with rejected(ErrorCode.BAD_PROPOSAL):
        write(kit, number, DATA_AT + 1_024, b"x")
    with rejected(ErrorCode.BAD_PROPOSAL):
        write(kit, number, 65_535, b"x")
    write(kit, number, 32, b"\x04")
    with rejected(ErrorCode.BAD_PROPOSAL):
        activate(kit, number)
    number = begin(kit, kind=0, data_len=9)
    with rejected(ErrorCode.NOT_TIGHTENING):
        activate(kit, number)


def test_a_revoked_approval_does_not_count() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    number = kit.propose(inner, 0)
    kit.approve(number, *kit.members[:2])
    vote(kit, number, kit.members[1], "revoke")
    with rejected(ErrorCode.NOT_APPROVED):
        vote(kit, number, kit.members[1], "revoke")
    with rejected(ErrorCode.NOT_APPROVED):
        vote(kit, number, kit.members[2], "revoke")
    with rejected(ErrorCode.NOT_MEMBER):
        vote(kit, number, kit.chain.wallet(), "revoke")
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.approve(number, kit.members[1])
    kit.chain.send(kit.ix_execute(number, inner))


def test_a_proposal_that_cannot_reach_its_threshold_is_over_and_closes_at_once() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    number = kit.propose(inner)
    kit.approve(number, kit.members[0])
    vote(kit, number, kit.members[0], "reject")
    held = kit.proposal(number)
    assert (held.approvals, held.rejections, held.status) == (0, 1, 0)
    with rejected(ErrorCode.ALREADY_REJECTED):
        vote(kit, number, kit.members[0], "reject")
    with rejected(ErrorCode.NOT_MEMBER):
        vote(kit, number, kit.chain.wallet(), "reject")
    with rejected(ErrorCode.STILL_OPEN):
        close(kit, number)
    vote(kit, number, kit.members[1], "reject")
    assert kit.proposal(number).status == REJECTED
    with rejected(ErrorCode.WITHDRAWN):
        kit.approve(number, kit.members[2])
    with rejected(ErrorCode.WITHDRAWN):
        kit.chain.send(kit.ix_execute(number, inner))
    close(kit, number)


def test_a_member_may_change_from_rejection_to_approval() -> None:
    kit = TreasuryKit.make()
    number = kit.propose(pause(kit, kit.exchange(), 1))
    vote(kit, number, kit.members[0], "reject")
    kit.approve(number, kit.members[0])
    held = kit.proposal(number)
    assert (held.approvals, held.rejections) == (1, 0)


def test_the_creator_cancels_a_draft_or_an_approved_proposal_and_nobody_else() -> None:
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    draft, approved = begin(kit), kit.propose(inner, 0)
    kit.approve(approved, *kit.members[:2])
    for number in (draft, approved):
        with rejected(ErrorCode.NOT_CREATOR):
            cancel(kit, number, kit.members[1])
        cancel(kit, number, kit.members[0])
        assert kit.proposal(number).status == CANCELLED
        with rejected(ErrorCode.WITHDRAWN):
            cancel(kit, number, kit.members[0])
    with rejected(ErrorCode.WITHDRAWN):
        kit.chain.send(kit.ix_execute(approved, inner))
    with rejected(ErrorCode.NOT_DRAFT):
        activate(kit, draft)
    close(kit, draft)
    close(kit, approved)


def test_a_vote_on_another_treasurys_proposal_is_refused() -> None:
    kit = TreasuryKit.make()
    number = kit.propose(pause(kit, Pubkey.new_unique(), 1))
    key = Keypair()
    kit.chain.send(kit.ix_init(key.pubkey(), [m.pubkey() for m in kit.members], 1), key)
    elsewhere = treasury.pda_treasury(key.pubkey())[0]
    me, proposal = kit.members[0], kit.proposal_key(number)
    for ix in (treasury.ix_approve, treasury.ix_reject, treasury.ix_revoke_approval):
        with rejected(ErrorCode.WRONG_ACCOUNTS):
            kit.chain.send(ix(member=me.pubkey(), treasury=elsewhere, proposal=proposal), me)

"""One valid transaction for every instruction of the treasury; what the executor signs is sent directly."""

from __future__ import annotations

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import treasury
from tests.programs.negative.world import Case, scene
from tests.programs.test_treasury_drafts import begin, write
from tests.programs.test_treasury_layout import FIRST_LEN
from tests.programs.test_treasury_money import (
    add_limit,
    distribute,
    limit,
    limited,
    remove_limit,
    set_receivers,
    use_limit,
)
from tests.programs.treasury_kit import DAY_S, TreasuryKit, padded, pause

MONEY = 5_000_000


def proposed(kind: int = 1, approvals: int = 0) -> tuple[TreasuryKit, int, Instruction]:
    """Return a treasury with two equal proposals, the first of them approved `approvals` times."""
    kit = TreasuryKit.make()
    inner = pause(kit, kit.exchange(), 1)
    number = kit.propose(inner, kind)
    kit.propose(inner, kind)
    kit.approve(number, *kit.members[:approvals])
    return kit, number, inner


def payer(kit: TreasuryKit) -> Pubkey:
    """Return a new wallet that pays."""
    return kit.chain.wallet().pubkey()


@scene("treasury.init_treasury")
def init_treasury() -> Case:
    """Create a second treasury."""
    kit, key = TreasuryKit.make(), Keypair()
    members = [member.pubkey() for member in kit.members]
    ix = treasury.ix_init_treasury(
        create_key=key.pubkey(), payer=payer(kit), mint=kit.mint, members=padded(members), n_members=3, threshold=2
    )
    return Case(kit.chain, ix)


@scene("treasury.migrate_treasury")
def migrate_treasury() -> Case:
    """Grow a treasury of the first version."""
    kit = TreasuryKit.make()
    full = kit.chain.account(kit.address)
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(FIRST_LEN)
    kit.chain.svm.set_account(kit.address, Account(rent, bytes(full.data[:FIRST_LEN]), full.owner))
    return Case(kit.chain, treasury.ix_migrate_treasury(payer=payer(kit), treasury=kit.address))


@scene("treasury.create_proposal")
def create_proposal() -> Case:
    """Propose a pause."""
    kit, _, inner = proposed()
    ix = kit.ix_create(inner, 1, kit.members[0].pubkey())
    metas = list(ix.accounts)
    metas[1] = type(metas[1])(payer(kit), True, True)
    return Case(kit.chain, Instruction(ix.program_id, bytes(ix.data), metas))


@scene("treasury.create_draft")
def create_draft() -> Case:
    """Begin a draft."""
    kit, _, inner = proposed()
    ix = treasury.ix_create_draft(
        creator=kit.members[0].pubkey(),
        payer=payer(kit),
        treasury=kit.address,
        id=kit.get().next_id,
        class_=1,
        program_id=inner.program_id,
        n_accounts=0,
        data_len=8,
    )
    return Case(kit.chain, ix)


def drafted() -> tuple[TreasuryKit, Pubkey]:
    """Return a treasury with two drafts of eight bytes, the first of them written, and the first one's address."""
    kit = TreasuryKit.make()
    number = begin(kit, data_len=8)
    begin(kit, data_len=8, who=kit.members[1])
    write(kit, number, 792, bytes(8))
    return kit, kit.proposal_key(number)


@scene("treasury.write_proposal")
def write_proposal() -> Case:
    """Write a part of a draft."""
    kit, draft = drafted()
    ix = treasury.ix_write_proposal(creator=kit.members[0].pubkey(), proposal=draft, offset=792, part=b"12345678")
    return Case(kit.chain, ix)


@scene("treasury.activate_proposal")
def activate_proposal() -> Case:
    """Freeze a draft."""
    kit, draft = drafted()
    return Case(kit.chain, treasury.ix_activate_proposal(creator=kit.members[0].pubkey(), proposal=draft))


@scene("treasury.cancel_proposal")
def cancel_proposal() -> Case:
    """Withdraw a proposal."""
    kit, number, _ = proposed()
    ix = treasury.ix_cancel_proposal(creator=kit.members[0].pubkey(), proposal=kit.proposal_key(number))
    return Case(kit.chain, ix)


@scene("treasury.approve")
def approve() -> Case:
    """Approve a proposal."""
    kit, number, _ = proposed()
    return Case(kit.chain, kit.ix_approve(number, kit.members[0].pubkey()))


@scene("treasury.reject")
def reject() -> Case:
    """Vote against a proposal."""
    kit, number, _ = proposed()
    ix = treasury.ix_reject(member=kit.members[0].pubkey(), treasury=kit.address, proposal=kit.proposal_key(number))
    return Case(kit.chain, ix)


@scene("treasury.revoke_approval")
def revoke_approval() -> Case:
    """Take an approval back."""
    kit, number, _ = proposed(approvals=1)
    ix = treasury.ix_revoke_approval(
        member=kit.members[0].pubkey(), treasury=kit.address, proposal=kit.proposal_key(number)
    )
    return Case(kit.chain, ix)


@scene("treasury.execute")
def execute() -> Case:
    """Execute a pause that two members approved."""
    kit, number, inner = proposed(0, approvals=2)
    return Case(kit.chain, kit.ix_execute(number, inner))


@scene("treasury.close_proposal")
def close_proposal() -> Case:
    """Close an expired proposal."""
    kit, number, _ = proposed()
    kit.later(8 * DAY_S)
    rent_payer = kit.proposal(number).rent_payer
    return Case(kit.chain, treasury.ix_close_proposal(rent_payer=rent_payer, proposal=kit.proposal_key(number)))


@scene("treasury.set_members")
def set_members() -> Case:
    """Change the members as the executor."""
    kit = TreasuryKit.make()
    new = [Pubkey.new_unique() for _ in range(2)]
    ix = treasury.ix_set_members(
        executor=kit.executor, treasury=kit.address, members=padded(new), n_members=2, threshold=2
    )
    return Case(kit.chain, ix)


@scene("treasury.guard_exchange")
def guard_exchange() -> Case:
    """Name the exchange that must be quiet when code changes."""
    kit = TreasuryKit.make()
    exchange = kit.exchange()
    return Case(kit.chain, treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=exchange))


@scene("treasury.set_receivers")
def name_receivers() -> Case:
    """Name two receivers of the fees."""
    kit = TreasuryKit.make()
    receivers = [kit.token_account(), kit.token_account()]
    return Case(kit.chain, set_receivers(kit, receivers, [6_000, 4_000]))


@scene("treasury.distribute")
def split() -> Case:
    """Split the fees."""
    kit = TreasuryKit.make()
    receivers = [kit.token_account(), kit.token_account()]
    kit.run(set_receivers(kit, receivers, [6_000, 4_000]))
    kit.pay(MONEY)
    return Case(kit.chain, distribute(kit, receivers))


@scene("treasury.add_spending_limit")
def add_spending_limit() -> Case:
    """Let a member pay a receiver."""
    kit = TreasuryKit.make()
    return Case(kit.chain, add_limit(kit, payer(kit), [kit.token_account()]))


@scene("treasury.remove_spending_limit")
def remove_spending_limit() -> Case:
    """Take a spending limit back."""
    kit, _ = limited()
    return Case(kit.chain, remove_limit(kit, limit(kit).rent_payer))


@scene("treasury.use_spending_limit")
def use_spending_limit() -> Case:
    """Pay a listed receiver."""
    kit, receiver = limited()
    return Case(kit.chain, use_limit(kit, kit.members[0].pubkey(), receiver, 1))

"""Compute units and rent of every instruction of the treasury against their limits; docs/compute-units.md has both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import transfer
from spl.token.models import TransferParams

from chain import pda
from chain.clients import treasury
from tests.programs.svm import ARTIFACTS
from tests.programs.treasury_kit import DAY_S, TreasuryKit, packed, pause
from tests.programs.treasury_loader import deploy, give, ix_upgrade, program_data, write_buffer

LIMITS = {
    "create_proposal": 12_000,
    "create_draft": 10_000,
    "write_proposal": 1_500,
    "activate_proposal": 6_000,
    "approve": 5_000,
    "reject": 1_000,
    "revoke_approval": 1_000,
    "cancel_proposal": 1_000,
    "close_proposal": 1_000,
    "execute (pause)": 8_000,
    "execute (pause, 24 accounts)": 8_000,
    "execute (token transfer)": 8_000,
    "execute (set_members)": 8_000,
    "execute (set_receivers, 8)": 8_000,
    "execute (add_spending_limit, 8 and 8)": 16_000,
    "execute (remove_spending_limit)": 8_000,
    "execute (guard_exchange)": 8_000,
    "use_spending_limit": 8_000,
    "distribute (1 receiver)": 8_000,
    "distribute (8 receivers)": 16_000,
}
"""Upgrades are in test_treasury_upgrade.py, `init_treasury` and `migrate_treasury` happen once."""


def measure() -> dict[str, int]:
    """Run every instruction once and return its compute units."""
    kit = TreasuryKit.make(8, 8)
    chain, me, payer = kit.chain, kit.members[0], kit.chain.payer.pubkey()
    exchange, spent = kit.exchange(), dict[str, int]()
    kit.pay(1_000_000)
    receivers = [kit.token_account() for _ in range(8)]

    def passed(name: str, inner: Instruction, kind: int = 1) -> None:
        number = kit.draft(inner, kind)
        kit.approve(number, *kit.members)
        kit.later(2 * DAY_S if kind else 0)
        spent[f"execute ({name})"] = chain.cu(kit.ix_execute(number, inner))

    inner = pause(kit, exchange, 1)
    number = kit.get().next_id
    spent["create_proposal"] = chain.cu(kit.ix_create(inner, 0, me.pubkey()), me)
    key = kit.proposal_key(number)
    spent["approve"] = max(chain.cu(kit.ix_approve(number, m.pubkey()), m) for m in kit.members)
    spent["execute (pause)"] = chain.cu(kit.ix_execute(number, inner))
    spent["close_proposal"] = chain.cu(treasury.ix_close_proposal(rent_payer=me.pubkey(), proposal=key))

    draft = kit.get().next_id
    create = treasury.ix_create_draft(
        creator=me.pubkey(),
        payer=me.pubkey(),
        treasury=kit.address,
        id=draft,
        class_=1,
        program_id=inner.program_id,
        n_accounts=len(inner.accounts),
        data_len=1_024,
    )
    key = kit.proposal_key(draft)
    spent["create_draft"] = chain.cu(create, me)
    chain.send(treasury.ix_write_proposal(creator=me.pubkey(), proposal=key, offset=0, part=packed(inner)), me)
    spent["write_proposal"] = chain.cu(
        treasury.ix_write_proposal(creator=me.pubkey(), proposal=key, offset=792, part=bytes(900)), me
    )
    spent["activate_proposal"] = chain.cu(treasury.ix_activate_proposal(creator=me.pubkey(), proposal=key), me)
    kit.approve(draft, me)
    vote = {"member": me.pubkey(), "treasury": kit.address, "proposal": key}
    spent["revoke_approval"] = chain.cu(treasury.ix_revoke_approval(**vote), me)
    spent["cancel_proposal"] = chain.cu(treasury.ix_cancel_proposal(creator=me.pubkey(), proposal=key), me)
    other = kit.propose(inner)
    vote["proposal"] = kit.proposal_key(other)
    spent["reject"] = chain.cu(treasury.ix_reject(**vote), me)

    extra = [AccountMeta(Pubkey.new_unique(), False, False) for _ in range(20)]
    passed("pause, 24 accounts", Instruction(inner.program_id, pause(kit, exchange, 2).data, [*inner.accounts, *extra]))
    passed(
        "token transfer",
        transfer(
            TransferParams(
                program_id=TOKEN_PROGRAM_ID, source=kit.fees, dest=receivers[0], owner=kit.executor, amount=1
            )
        ),
    )
    passed("guard_exchange", treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=exchange))
    for n in (1, 8):
        shares = (10_000,) if n == 1 else (1_250,) * 8
        metas = [AccountMeta(receiver, False, True) for receiver in receivers[:n]]
        passed(
            f"set_receivers, {n}",
            treasury.ix_set_receivers(
                executor=kit.executor,
                treasury=kit.address,
                fees=kit.fees,
                shares_bps=shares,
                remaining_accounts=[AccountMeta(m.pubkey, False, False) for m in metas],
            ),
        )
        pay = treasury.ix_distribute(
            treasury=kit.address, executor=kit.executor, fees=kit.fees, remaining_accounts=metas
        )
        spent[f"distribute ({n} receiver{'s' * (n > 1)})"] = chain.cu(pay)
        kit.pay(1_000_000)
    limit = pda.spending_limit(kit.address, 0)
    keys = tuple(m.pubkey() for m in kit.members)
    add = {"executor": kit.executor, "payer": payer, "treasury": kit.address, "mint": kit.mint, "id": 0}
    passed(
        "add_spending_limit, 8 and 8",
        treasury.ix_add_spending_limit(**add, amount=100, period_s=DAY_S, members=keys, receivers=tuple(receivers)),
    )
    last = kit.members[7]
    use = treasury.ix_use_spending_limit(
        member=last.pubkey(),
        treasury=kit.address,
        executor=kit.executor,
        limit=limit,
        source=kit.fees,
        receiver=receivers[7],
        amount=1,
    )
    spent["use_spending_limit"] = chain.cu(use, last)
    remove = treasury.ix_remove_spending_limit(
        executor=kit.executor, treasury=kit.address, rent_payer=payer, limit=limit
    )
    passed("remove_spending_limit", remove, 0)
    members = treasury.ix_set_members(
        executor=kit.executor, treasury=kit.address, members=keys, n_members=8, threshold=8
    )
    passed("set_members", members)
    del spent["execute (set_receivers, 1)"]
    return spent


def test_every_instruction_stays_below_its_limit() -> None:
    spent = measure()
    print(json.dumps(spent, indent=1))
    assert {name: units for name, units in spent.items() if units > LIMITS[name]} == {}
    assert set(spent) == set(LIMITS)


def test_every_instruction_of_the_idl_is_measured_somewhere() -> None:
    names = {item["name"] for item in json.loads((ARTIFACTS / "treasury.json").read_text())["instructions"]}
    once = {"init_treasury", "migrate_treasury"}
    measured = " ".join(LIMITS)
    assert {name for name in names - once if name not in measured} == set()


def test_rent_is_what_the_table_says() -> None:
    rent = TreasuryKit.make().chain.svm.minimum_balance_for_rent_exemption
    sizes = (treasury.Treasury.SPACE, treasury.Proposal.SPACE, treasury.SpendingLimit.SPACE)
    assert sizes == (760, 2_040, 672)
    assert [rent(size) for size in sizes] == [6_180_480, 15_089_280, 5_568_000]


def test_every_error_of_the_treasury_is_reached_by_name_in_a_test() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_treasury*.py"))
    assert {code.name for code in treasury.ErrorCode if f"ErrorCode.{code.name}" not in tests} == set()


def test_the_program_is_small() -> None:
    assert (ARTIFACTS / "treasury.so").stat().st_size <= 160_000


@pytest.mark.parametrize(("name", "limit"), [("oracle", 8_000), ("treasury", 8_000), ("market", 9_500)])
def test_an_upgrade_costs_what_the_loader_and_the_bytes_cost_and_little_more(name: str, limit: int) -> None:
    kit = TreasuryKit.make()
    exchange, program = kit.exchange(), Keypair().pubkey()
    code = (ARTIFACTS / f"{name}.so").read_bytes()
    deploy(kit.chain, program, code, len(code))
    give(kit.chain, program_data(program), kit.executor)
    buffer = write_buffer(kit.chain, code)
    give(kit.chain, buffer, kit.executor)
    inner = ix_upgrade(program, buffer, kit.chain.payer.pubkey(), kit.executor, exchange)
    number = kit.propose(inner)
    kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    units = kit.chain.cu(kit.ix_execute(number, inner))
    assert units <= limit, units
    assert units - 2 * len(code) // 250 <= 6_000, units

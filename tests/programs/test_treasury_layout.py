"""Layouts the treasury relies on: its own accounts, and what it reads of other programs; frozen by number."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from chain.clients import market, oracle, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import TreasuryKit, pause, rejected

FIRST_LEN = 392

FOREIGN = (Path(__file__).parents[2] / "programs" / "treasury" / "src" / "foreign.rs").read_text()
TIGHTENING = [
    (market, "set_pause"),
    (market, "revoke_operator"),
    (market, "revoke_guardian"),
    (oracle, "revoke_operator"),
    (oracle, "retire_publisher_set"),
    (oracle, "retire_methodology"),
    (treasury, "remove_spending_limit"),
]


def number(name: str) -> int:
    """Return a constant of the source."""
    found = re.search(rf"pub const {name}: \w+ = (\d+);", FOREIGN)
    assert found is not None, name
    return int(found[1])


@pytest.mark.parametrize(
    ("constant", "field", "kind"),
    [
        ("EXCHANGE_PAUSE", "pause", "u1"),
        ("EXCHANGE_AUTHORITY", "authority", ("u1", 32)),
        ("EXCHANGE_GUARDIAN_UNTIL", "guardian_until_unix", "<u8"),
        ("EXCHANGE_OPEN_WINDOWS", "open_windows", "<u4"),
        ("EXCHANGE_GUARDIAN_PAUSE", "guardian_pause", "u1"),
    ],
)
def test_the_treasury_reads_an_exchange_where_the_market_writes_it(constant: str, field: str, kind: object) -> None:
    found, offset = (market.EXCHANGE_DTYPE.fields or {})[field][:2]
    assert number(constant) == 8 + offset
    assert found.itemsize == {"u1": 1, "<u4": 4, "<u8": 8}.get(str(kind), 32)


def test_the_head_of_an_exchange_is_the_one_of_the_idl() -> None:
    found = re.search(r"pub const EXCHANGE: \[u8; 8\] = \[([\d, ]+)\];", FOREIGN)
    assert found is not None
    assert bytes(int(byte) for byte in found[1].split(",")) == market.Exchange.DISCRIMINATOR


def test_the_table_of_class_0_holds_the_instructions_it_names_and_no_other() -> None:
    owner = {"MARKET_ID": market, "ORACLE_ID": oracle, "crate::ID": treasury}
    rows = re.findall(r"\((MARKET_ID|ORACLE_ID|crate::ID), \[([\d, ]+)\], Condition::(\w+)\)", FOREIGN)
    table = [(owner[who], bytes(int(byte) for byte in head.split(",")), rule) for who, head, rule in rows]
    heads = [(client, hashlib.sha256(f"global:{name}".encode()).digest()[:8]) for client, name in TIGHTENING]
    assert [(client, head) for client, head, _ in table] == heads
    assert [rule for *_, rule in table] == ["RaisesPause", *["Always"] * 6]
    assert [client.PROGRAM.instructions[head][0] for client, head in heads] == [name for _, name in TIGHTENING]


@pytest.mark.parametrize("name", ["MARKET_ID", "ORACLE_ID"])
def test_the_program_ids_are_those_of_the_clients(name: str) -> None:
    found = re.search(rf'{name}: Address = Address::from_str_const\("(\w+)"\)', FOREIGN)
    client = {"MARKET_ID": market, "ORACLE_ID": oracle}[name]
    assert found is not None
    assert found[1] == str(client.PROGRAM_ID)


def test_a_treasury_of_the_first_version_keeps_everything_and_grows() -> None:
    kit = TreasuryKit.make()
    full = kit.chain.account(kit.address)
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(FIRST_LEN)
    kit.chain.svm.set_account(kit.address, Account(rent, bytes(full.data[:FIRST_LEN]), full.owner))
    inner = pause(kit, kit.exchange(), 1)
    with pytest.raises(Rejected):
        kit.chain.send(kit.ix_approve(0, kit.members[0].pubkey()), kit.members[0])
    payer = kit.chain.payer.pubkey()
    migrate = treasury.ix_migrate_treasury(payer=payer, treasury=kit.address)
    kit.chain.send(migrate)
    grown = kit.chain.account(kit.address)
    assert (grown.data, grown.lamports) == (full.data, full.lamports)
    with rejected(ErrorCode.ALREADY_MIGRATED):
        kit.chain.send(migrate)
    kit.run(inner)


def test_only_a_treasury_is_migrated() -> None:
    kit = TreasuryKit.make()
    number, payer = kit.propose(pause(kit, Pubkey.new_unique(), 1)), kit.chain.payer.pubkey()
    with rejected(ErrorCode.WRONG_ACCOUNTS):
        kit.chain.send(treasury.ix_migrate_treasury(payer=payer, treasury=kit.proposal_key(number)))
    with pytest.raises(Rejected):
        kit.chain.send(treasury.ix_migrate_treasury(payer=payer, treasury=kit.fees))

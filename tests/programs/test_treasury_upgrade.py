"""The treasury holds the authority over a program: an upgrade from end to end, and what stands in its way."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market, oracle, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import ARTIFACTS, Chain, Rejected
from tests.programs.treasury_kit import DAY_S, WIRE_LIMIT, TreasuryKit, pause, rejected, wire_bytes
from tests.programs.treasury_loader import (
    DATA_HEAD,
    LOADER,
    LOADER_V4,
    deploy,
    give,
    ix_close,
    ix_set_authority,
    ix_upgrade,
    program_data,
    write_buffer,
)

UPGRADE_UNITS = 8_000


@dataclass
class Governed:
    """A program at the oracle's address whose authority is the executor, and the oracle's code in a buffer.

    The program begins as another one's code, which refuses to run at that address; the exchange is on the same chain.
    """

    kit: TreasuryKit
    exchange: Pubkey
    buffer: Pubkey
    code: bytes

    @staticmethod
    def make() -> Governed:
        """Deploy through the loader, hand over the authority, write the buffer."""
        kit = TreasuryKit.make()
        exchange = kit.exchange()
        kit.chain = _replaced(kit.chain)
        code = (ARTIFACTS / "oracle.so").read_bytes()
        old = (ARTIFACTS / "treasury.so").read_bytes()
        deploy(kit.chain, oracle.PROGRAM_ID, old, max(len(old), len(code)))
        give(kit.chain, program_data(oracle.PROGRAM_ID), kit.executor)
        buffer = write_buffer(kit.chain, code)
        give(kit.chain, buffer, kit.executor)
        return Governed(kit, exchange, buffer, code)

    def upgrade(self, *quiet: Pubkey) -> Instruction:
        """Return the upgrade to the buffer."""
        return ix_upgrade(oracle.PROGRAM_ID, self.buffer, self.kit.chain.payer.pubkey(), self.kit.executor, *quiet)

    def approved(self, inner: Instruction) -> int:
        """Propose, approve twice, wait 48 hours."""
        number = self.kit.propose(inner)
        self.kit.approve(number, *self.kit.members[:2])
        self.kit.later(2 * DAY_S)
        return number

    def works(self) -> bool:
        """Tell whether the oracle's code runs: it creates a config."""
        creator = self.kit.chain.wallet()
        me = creator.pubkey()
        try:
            self.kit.chain.send(oracle.ix_init_config(creator=me, authority=me, operator=me), creator)
        except Rejected:
            return False
        config = oracle.Config.from_account(self.kit.chain.data(oracle.pda_config(me)[0]))
        return config.authority == me

    def open_windows(self, count: int, *, pause_level: int = 0, guardian: tuple[int, int] = (0, 0)) -> None:
        """Write what the treasury reads of the exchange, as the market would after opening windows."""
        old = self.kit.chain.account(self.exchange)
        data, fields = bytearray(old.data), market.EXCHANGE_DTYPE.fields or {}
        for name, form, value in (
            ("open_windows", "<I", count),
            ("pause", "<B", pause_level),
            ("guardian_pause", "<B", guardian[0]),
            ("guardian_until_unix", "<Q", guardian[1]),
        ):
            struct.pack_into(form, data, 8 + fields[name][1], value)
        self.kit.chain.svm.set_account(self.exchange, Account(old.lamports, bytes(data), old.owner))


def _replaced(chain: Chain) -> Chain:
    """Return the same chain without an oracle, whose address the loader is going to fill."""
    for key in (oracle.PROGRAM_ID, program_data(oracle.PROGRAM_ID)):
        chain.svm.set_account(key, Account(0, b"", Pubkey.default()))
    return chain


def test_a_program_is_upgraded_by_the_multisig_and_the_new_code_runs() -> None:
    it = Governed.make()
    kit = it.kit
    assert not it.works()
    inner = it.upgrade(it.exchange)
    number = kit.propose(inner)
    with rejected(ErrorCode.NOT_ENOUGH_APPROVALS):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S - 1)
    with rejected(ErrorCode.TOO_EARLY):
        kit.chain.send(kit.ix_execute(number, inner))
    kit.later(1)
    assert wire_bytes(kit.ix_execute(number, inner), kit.chain.payer.pubkey()) <= WIRE_LIMIT
    units = kit.chain.cu(kit.ix_execute(number, inner))
    assert units <= UPGRADE_UNITS, units
    kit.later(1)
    held = kit.chain.data(program_data(oracle.PROGRAM_ID))
    assert held[DATA_HEAD : DATA_HEAD + len(it.code)] == it.code
    assert it.works()
    with rejected(ErrorCode.ALREADY_EXECUTED):
        kit.chain.send(kit.ix_execute(number, inner))


def test_nobody_but_the_executor_upgrades_and_nobody_signs_for_it() -> None:
    it = Governed.make()
    kit, thief = it.kit, it.kit.chain.wallet()
    mine = write_buffer(kit.chain, it.code)
    give(kit.chain, mine, thief.pubkey())
    for authority in (thief, kit.members[0]):
        with pytest.raises(Rejected):
            kit.chain.send(ix_upgrade(oracle.PROGRAM_ID, mine, thief.pubkey(), authority.pubkey()), authority)
    with pytest.raises(Rejected):
        kit.chain.send(ix_set_authority(program_data(oracle.PROGRAM_ID), thief.pubkey(), thief.pubkey()), thief)
    key = Keypair()
    kit.chain.send(kit.ix_init(key.pubkey(), [thief.pubkey()], 1), key)
    other = TreasuryKit(
        kit.chain,
        [thief],
        treasury.pda_treasury(key.pubkey())[0],
        treasury.pda_executor(treasury.pda_treasury(key.pubkey())[0])[0],
        kit.fees,
        kit.mint,
        kit.mint_authority,
    )
    own = ix_upgrade(oracle.PROGRAM_ID, mine, thief.pubkey(), other.executor, it.exchange)
    number = other.propose(own)
    other.approve(number, thief)
    other.later(2 * DAY_S)
    with pytest.raises(Rejected):
        other.chain.send(other.ix_execute(number, own))
    assert not it.works()


def test_no_upgrade_while_a_window_is_open_except_when_halted() -> None:
    it = Governed.make()
    inner = it.upgrade(it.exchange)
    number = it.approved(inner)
    execute = it.kit.ix_execute(number, inner)
    now = it.kit.chain.unix_s
    for level, guardian in ((0, (0, 0)), (2, (0, 0)), (2, (3, now)), (0, (2, now + 60))):
        it.open_windows(1, pause_level=level, guardian=guardian)
        with rejected(ErrorCode.WINDOWS_OPEN):
            it.kit.chain.send(execute)
    it.open_windows(256)
    with rejected(ErrorCode.WINDOWS_OPEN):
        it.kit.chain.send(execute)
    it.open_windows(1, guardian=(3, now + 60))
    it.kit.chain.send(execute)


def test_a_halt_by_class_0_makes_an_urgent_upgrade_possible_in_the_middle_of_a_match() -> None:
    it = Governed.make()
    inner = it.upgrade(it.exchange)
    number = it.approved(inner)
    it.open_windows(3)
    halt = pause(it.kit, it.exchange, 3)
    urgent = it.kit.propose(halt, 0)
    it.kit.approve(urgent, *it.kit.members[1:])
    it.kit.chain.send(it.kit.ix_execute(urgent, halt))
    it.kit.chain.send(it.kit.ix_execute(number, inner))
    it.kit.later(1)
    assert it.works()


def test_an_upgrade_names_an_exchange_that_the_executor_governs() -> None:
    it = Governed.make()
    stranger = it.kit.chain.wallet()
    foreign = foreign_exchange(it.kit, stranger)
    for quiet in ((), (foreign,), (it.kit.fees,)):
        inner = it.upgrade(*quiet)
        number = it.approved(inner)
        with rejected(ErrorCode.NO_EXCHANGE):
            it.kit.chain.send(it.kit.ix_execute(number, inner))


def foreign_exchange(kit: TreasuryKit, owner: Keypair) -> Pubkey:
    """Copy nothing but the layout: an exchange whose authority is somebody else."""
    own = TreasuryKit.make()
    address = own.exchange()
    account = own.chain.account(address)
    data, at = bytearray(account.data), 8 + (market.EXCHANGE_DTYPE.fields or {})["authority"][1]
    data[at : at + 32] = bytes(owner.pubkey())
    kit.chain.svm.set_account(address, Account(account.lamports, bytes(data), account.owner))
    return address


def test_once_an_exchange_is_guarded_no_other_stands_in_for_it() -> None:
    it = Governed.make()
    kit = it.kit
    decoy = decoy_exchange(it)
    guard = treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=it.exchange)
    kit.run(guard)
    assert kit.get().guarded_exchange == it.exchange
    it.open_windows(1)
    only_decoy, both = it.upgrade(decoy), it.upgrade(decoy, it.exchange)
    first, second = kit.propose(only_decoy), kit.propose(both)
    for number in (first, second):
        kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    with rejected(ErrorCode.NO_EXCHANGE):
        kit.chain.send(kit.ix_execute(first, only_decoy))
    with rejected(ErrorCode.WINDOWS_OPEN):
        kit.chain.send(kit.ix_execute(second, both))
    it.open_windows(0)
    kit.chain.send(kit.ix_execute(second, both))


def decoy_exchange(it: Governed) -> Pubkey:
    """Return a second exchange of the same executor, without windows, that anyone could have made."""
    account, address = it.kit.chain.account(it.exchange), Pubkey.new_unique()
    it.kit.chain.svm.set_account(address, Account(account.lamports, bytes(account.data), account.owner))
    return address


def test_only_the_executor_guards_and_only_an_exchange_of_its_own() -> None:
    it = Governed.make()
    kit, thief = it.kit, it.kit.chain.wallet()
    with rejected(ErrorCode.NOT_EXECUTOR):
        kit.chain.send(
            treasury.ix_guard_exchange(executor=thief.pubkey(), treasury=kit.address, exchange=it.exchange), thief
        )
    for wrong in (foreign_exchange(kit, thief), kit.fees):
        with pytest.raises(Rejected) as caught:
            kit.run(treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=wrong))
        assert caught.value.code == ErrorCode.NOT_EXCHANGE


@pytest.mark.parametrize("what", ["authority", "close", "loader-v4"])
def test_every_other_way_to_change_code_or_its_owner_waits_for_the_windows_too(what: str) -> None:
    it = Governed.make()
    kit = it.kit
    to = kit.chain.wallet().pubkey()
    plain = {
        "authority": ix_set_authority(program_data(oracle.PROGRAM_ID), kit.executor, to),
        "close": ix_close(oracle.PROGRAM_ID, to, kit.executor),
        "loader-v4": Instruction(LOADER_V4, bytes(4), []),
    }[what]
    number = it.approved(plain)
    with rejected(ErrorCode.NO_EXCHANGE):
        kit.chain.send(kit.ix_execute(number, plain))


def test_a_second_treasury_in_between_is_no_way_around_the_open_windows() -> None:
    it = Governed.make()
    kit = it.kit
    kit.run(treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=it.exchange))
    # A treasury of one member with a quiet exchange of its own, whose approved proposal holds the upgrade.
    key, member = Keypair(), kit.chain.wallet()
    kit.chain.send(kit.ix_init(key.pubkey(), [member.pubkey()], 1), key)
    address = treasury.pda_treasury(key.pubkey())[0]
    executor, fees = treasury.pda_executor(address)[0], treasury.pda_fees(address)[0]
    side = TreasuryKit(kit.chain, [member], address, executor, fees, kit.mint, kit.mint_authority)
    quiet, account = Keypair().pubkey(), kit.chain.account(it.exchange)
    data = bytearray(account.data)
    place = 8 + (market.EXCHANGE_DTYPE.fields or {})["authority"][1]
    data[place : place + 32] = bytes(executor)
    kit.chain.svm.set_account(quiet, Account(account.lamports, bytes(data), account.owner))
    inner = it.upgrade(quiet)
    held = side.propose(inner)
    side.approve(held, member)
    call = side.ix_execute(held, inner)
    metas = [AccountMeta(m.pubkey, m.pubkey == kit.executor, m.is_writable) for m in call.accounts]
    outer = Instruction(call.program_id, bytes(call.data), metas)
    blind = it.approved(outer)
    with rejected(ErrorCode.NO_EXCHANGE):
        kit.chain.send(kit.ix_execute(blind, outer))
    seen = Instruction(call.program_id, bytes(call.data), [*metas, AccountMeta(it.exchange, False, False)])
    number = it.approved(seen)
    it.open_windows(5)
    with rejected(ErrorCode.WINDOWS_OPEN):
        kit.chain.send(kit.ix_execute(number, seen))


def test_what_a_loader_owns_is_not_lent_to_any_program_while_a_window_is_open() -> None:
    it = Governed.make()
    kit = it.kit
    kit.run(treasury.ix_guard_exchange(executor=kit.executor, treasury=kit.address, exchange=it.exchange))
    code = program_data(oracle.PROGRAM_ID)
    call = pause(kit, it.exchange, 1)  # any program might call a loader that only the transaction names
    lent = Instruction(call.program_id, bytes(call.data), [*call.accounts, AccountMeta(code, False, True)])
    shown = Instruction(call.program_id, bytes(call.data), [*call.accounts, AccountMeta(code, False, False)])
    slow, fast, harmless = kit.propose(lent), kit.propose(lent, 0), kit.propose(shown, 0)
    for number in (slow, fast, harmless):
        kit.approve(number, *kit.members[:2])
    kit.later(2 * DAY_S)
    it.open_windows(5)
    for number in (slow, fast):
        with rejected(ErrorCode.WINDOWS_OPEN):
            kit.chain.send(kit.ix_execute(number, lent))
    kit.chain.send(kit.ix_execute(harmless, shown))
    it.open_windows(0)
    kit.chain.send(kit.ix_execute(slow, lent))


def test_the_authority_can_be_handed_to_a_new_executor() -> None:
    it = Governed.make()
    new = treasury.pda_executor(Pubkey.new_unique())[0]
    plain = ix_set_authority(program_data(oracle.PROGRAM_ID), it.kit.executor, new)
    inner = Instruction(LOADER, bytes(plain.data), [*plain.accounts, it.upgrade(it.exchange).accounts[-1]])
    number = it.approved(inner)
    it.kit.chain.send(it.kit.ix_execute(number, inner))
    assert it.kit.chain.data(program_data(oracle.PROGRAM_ID))[13:45] == bytes(new)

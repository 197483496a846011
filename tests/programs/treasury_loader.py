"""The loader of upgradeable programs: buffers, deployment and the instructions that change code."""

from __future__ import annotations

import struct

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.sysvar import CLOCK, RENT
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from tests.programs.svm import Chain, Rejected

LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
LOADER_V4 = Pubkey.from_string("LoaderV411111111111111111111111111111111111")
SYSTEM = Pubkey.default()
BUFFER_HEAD = 37
DATA_HEAD = 45
PROGRAM_LEN = 36


def program_data(program: Pubkey) -> Pubkey:
    """Return the account that holds a program's code."""
    return Pubkey.find_program_address([bytes(program)], LOADER)[0]


def write_buffer(chain: Chain, code: bytes) -> Pubkey:
    """Write `code` into a new buffer whose authority is the payer."""
    key, me = Keypair(), chain.payer.pubkey()
    space = BUFFER_HEAD + len(code)
    create = create_account(
        CreateAccountParams(
            from_pubkey=me,
            to_pubkey=key.pubkey(),
            lamports=chain.svm.minimum_balance_for_rent_exemption(space),
            space=space,
            owner=LOADER,
        )
    )
    metas = [AccountMeta(key.pubkey(), False, True), AccountMeta(me, False, False)]
    chain.send([create, Instruction(LOADER, struct.pack("<I", 0), metas)], key)
    metas = [AccountMeta(key.pubkey(), False, True), AccountMeta(me, True, False)]
    for start in range(0, len(code), 900):
        part = code[start : start + 900]
        chain.send(Instruction(LOADER, struct.pack("<IIQ", 1, start, len(part)) + part, metas))
    return key.pubkey()


def deploy(chain: Chain, program: Pubkey, code: bytes, room: int) -> None:
    """Deploy `code` at `program` with space for `room` bytes; the payer is its authority.

    Nobody here has the key of `program`, so signatures are not checked for this one transaction.
    """
    buffer, me = write_buffer(chain, code), chain.payer.pubkey()
    create = create_account(
        CreateAccountParams(
            from_pubkey=me,
            to_pubkey=program,
            lamports=chain.svm.minimum_balance_for_rent_exemption(PROGRAM_LEN),
            space=PROGRAM_LEN,
            owner=LOADER,
        )
    )
    metas = [
        AccountMeta(me, True, True),
        AccountMeta(program_data(program), False, True),
        AccountMeta(program, False, True),
        AccountMeta(buffer, False, True),
        AccountMeta(RENT, False, False),
        AccountMeta(CLOCK, False, False),
        AccountMeta(SYSTEM, False, False),
        AccountMeta(me, True, False),
    ]
    message = Message([create, Instruction(LOADER, struct.pack("<IQ", 2, room), metas)], me)
    chain.svm.expire_blockhash()
    unsigned = Transaction.new_unsigned(message)
    unsigned.partial_sign([chain.payer], chain.svm.latest_blockhash())
    chain.svm.with_sigverify(False)
    result = chain.svm.send_transaction(unsigned)
    chain.svm.with_sigverify(True)
    if isinstance(result, FailedTransactionMetadata):
        raise Rejected(result)
    chain.clock(chain.unix_s + 1)


def give(chain: Chain, account: Pubkey, authority: Pubkey) -> None:
    """Give the payer's authority over a buffer, or over a program's data, to somebody."""
    chain.send(ix_set_authority(account, chain.payer.pubkey(), authority))


def ix_set_authority(account: Pubkey, old: Pubkey, new: Pubkey) -> Instruction:
    """Return the change of an authority."""
    metas = [AccountMeta(account, False, True), AccountMeta(old, True, False), AccountMeta(new, False, False)]
    return Instruction(LOADER, struct.pack("<I", 4), metas)


def ix_upgrade(program: Pubkey, buffer: Pubkey, spill: Pubkey, authority: Pubkey, *quiet: Pubkey) -> Instruction:
    """Return an upgrade; `quiet` are the exchanges that the treasury wants to see."""
    metas = [
        AccountMeta(program_data(program), False, True),
        AccountMeta(program, False, True),
        AccountMeta(buffer, False, True),
        AccountMeta(spill, False, True),
        AccountMeta(RENT, False, False),
        AccountMeta(CLOCK, False, False),
        AccountMeta(authority, True, False),
        *[AccountMeta(key, False, False) for key in quiet],
    ]
    return Instruction(LOADER, struct.pack("<I", 3), metas)


def ix_close(program: Pubkey, receiver: Pubkey, authority: Pubkey, *quiet: Pubkey) -> Instruction:
    """Return the closing of a program for good."""
    metas = [
        AccountMeta(program_data(program), False, True),
        AccountMeta(receiver, False, True),
        AccountMeta(authority, True, False),
        AccountMeta(program, False, True),
        *[AccountMeta(key, False, False) for key in quiet],
    ]
    return Instruction(LOADER, struct.pack("<I", 5), metas)

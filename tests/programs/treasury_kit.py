"""A treasury of three members on a chain in this process, with a test mint and an exchange it governs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import Transaction
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import initialize_account3, initialize_mint2, mint_to
from spl.token.models import InitializeAccount3Params, InitializeMint2Params, MintToParams

from backend.demo.founding import PARAMS
from chain.clients import market, oracle, treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import Chain, Rejected

ZERO = Pubkey.default()
DAY_S = 86_400
WIRE_LIMIT = 1_232
DATA_AT = 792
"""Where the data of a proposal begins, after 24 accounts of 33 bytes."""


def padded(keys: Sequence[Pubkey]) -> tuple[Pubkey, ...]:
    """Return eight member slots."""
    return (*keys, *[ZERO] * (8 - len(keys)))


def rejected(code: ErrorCode) -> pytest.RaisesExc[Rejected]:
    """Expect the error `code` from the treasury itself, not from a program it called: their codes overlap."""
    line = f"Program {treasury.PROGRAM_ID} failed: custom program error: {hex(code)}"
    failed = " failed: "
    return pytest.raises(
        Rejected, check=lambda error: next(row for row in str(error).splitlines() if failed in row) == line
    )


def wire_bytes(instruction: Instruction, payer: Pubkey) -> int:
    """Return the length of a transaction; the network carries 1,232 bytes."""
    return len(bytes(Transaction.new_unsigned(Message([instruction], payer))))


def packed(inner: Instruction) -> bytes:
    """Return the accounts of an instruction as a proposal stores them."""
    return b"".join(bytes(meta.pubkey) + bytes([meta.is_signer * 1 + meta.is_writable * 2]) for meta in inner.accounts)


def content_hash(inner: Instruction, kind: int) -> bytes:
    """Return the hash of a frozen proposal."""
    head = bytes([kind]) + bytes(inner.program_id) + bytes([len(inner.accounts)])
    return hashlib.sha256(head + packed(inner) + bytes(inner.data)).digest()


@dataclass
class TreasuryKit:
    """A treasury, its members and what it owns."""

    chain: Chain
    members: list[Keypair]
    address: Pubkey
    executor: Pubkey
    fees: Pubkey
    mint: Pubkey
    mint_authority: Keypair

    @staticmethod
    def make(n: int = 3, threshold: int = 2, chain: Chain | None = None) -> TreasuryKit:
        """Load the programs, create a mint and a treasury with `n` members; a given chain has the others already."""
        clients = (oracle, market, treasury) if chain is None else (treasury,)
        chain = chain or Chain()
        for client in clients:
            chain.load(client.PROGRAM_ID, client.PROGRAM.name)
        authority, key = chain.wallet(), Keypair()
        mint = TreasuryKit.new_mint(chain, authority.pubkey())
        address = treasury.pda_treasury(key.pubkey())[0]
        kit = TreasuryKit(
            chain,
            [chain.wallet() for _ in range(n)],
            address,
            treasury.pda_executor(address)[0],
            treasury.pda_fees(address)[0],
            mint,
            authority,
        )
        chain.send(kit.ix_init(key.pubkey(), [m.pubkey() for m in kit.members], threshold), key)
        return kit

    @staticmethod
    def new_mint(chain: Chain, authority: Pubkey) -> Pubkey:
        """Create a mint with 6 decimals."""
        mint = Keypair()
        create = create_account(
            CreateAccountParams(
                from_pubkey=chain.payer.pubkey(),
                to_pubkey=mint.pubkey(),
                lamports=chain.svm.minimum_balance_for_rent_exemption(82),
                space=82,
                owner=TOKEN_PROGRAM_ID,
            )
        )
        params = InitializeMint2Params(
            decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=authority
        )
        chain.send([create, initialize_mint2(params)], mint)
        return mint.pubkey()

    def ix_init(self, key: Pubkey, members: Sequence[Pubkey], threshold: int) -> Instruction:
        """Return the instruction that creates a treasury."""
        return treasury.ix_init_treasury(
            create_key=key,
            payer=self.chain.payer.pubkey(),
            mint=self.mint,
            members=padded(members),
            n_members=len(members),
            threshold=threshold,
        )

    def exchange(self) -> Pubkey:
        """Create an exchange whose authority is the executor and whose fees come here."""
        creator, me = self.chain.wallet(), self.chain.payer.pubkey()
        config = oracle.pda_config(creator.pubkey())[0]
        self.chain.send(
            [
                oracle.ix_init_config(creator=creator.pubkey(), authority=self.executor, operator=me),
                market.ix_init_exchange(
                    creator=creator.pubkey(),
                    payer=me,
                    authority=self.executor,
                    operator=me,
                    oracle_config=config,
                    collateral_mint=self.mint,
                    treasury_vault=self.fees,
                    params=PARAMS,
                ),
            ],
            creator,
        )
        return market.pda_exchange(creator.pubkey())[0]

    def pay(self, amount: int) -> None:
        """Mint test money into the fee vault."""
        params = MintToParams(
            program_id=TOKEN_PROGRAM_ID,
            mint=self.mint,
            dest=self.fees,
            mint_authority=self.mint_authority.pubkey(),
            amount=amount,
        )
        self.chain.send(mint_to(params), self.mint_authority)

    def propose(self, inner: Instruction, kind: int = 1, *, who: Keypair | None = None) -> int:
        """Propose `inner` and return the proposal's id."""
        creator, number = who or self.members[0], self.get().next_id
        self.chain.send(self.ix_create(inner, kind, creator.pubkey()), creator)
        return number

    def ix_create(self, inner: Instruction, kind: int, creator: Pubkey) -> Instruction:
        """Return the creation of a small proposal."""
        accounts = tuple(
            treasury.ProposalAccount(address=meta.pubkey, flags=meta.is_signer * 1 + meta.is_writable * 2)
            for meta in inner.accounts
        )
        return treasury.ix_create_proposal(
            creator=creator,
            payer=creator,
            treasury=self.address,
            id=self.get().next_id,
            class_=kind,
            program_id=inner.program_id,
            accounts=accounts,
            data=bytes(inner.data),
        )

    def draft(self, inner: Instruction, kind: int = 1, *, part: int = 700) -> int:
        """Write `inner` as a draft in parts of `part` bytes, activate it and return the proposal's id."""
        creator, number = self.members[0], self.get().next_id
        create = treasury.ix_create_draft(
            creator=creator.pubkey(),
            payer=creator.pubkey(),
            treasury=self.address,
            id=number,
            class_=kind,
            program_id=inner.program_id,
            n_accounts=len(inner.accounts),
            data_len=len(inner.data),
        )
        self.chain.send(create, creator)
        key = self.proposal_key(number)
        for at, content in ((0, packed(inner)), (DATA_AT, bytes(inner.data))):
            for start in range(0, len(content), part):
                write = treasury.ix_write_proposal(
                    creator=creator.pubkey(), proposal=key, offset=at + start, part=content[start : start + part]
                )
                self.chain.send(write, creator)
        self.chain.send(treasury.ix_activate_proposal(creator=creator.pubkey(), proposal=key), creator)
        return number

    def run(self, inner: Instruction, *signers: Keypair) -> int:
        """Pass `inner` as a slow proposal, whatever its size, and return the proposal's id."""
        number = self.draft(inner)
        self.approve(number, *self.members[: self.get().threshold])
        self.later(172_800)
        self.chain.send(self.ix_execute(number, inner), *signers)
        return number

    def at_once(self, inner: Instruction) -> None:
        """Pass `inner` as class 0, without delay."""
        number = self.propose(inner, 0)
        self.approve(number, *self.members[: self.get().threshold])
        self.chain.send(self.ix_execute(number, inner))

    def token_account(self, owner: Pubkey | None = None, mint: Pubkey | None = None) -> Pubkey:
        """Create an empty token account of somebody."""
        key, me = Keypair(), self.chain.payer.pubkey()
        params = InitializeAccount3Params(
            program_id=TOKEN_PROGRAM_ID, account=key.pubkey(), mint=mint or self.mint, owner=owner or Keypair().pubkey()
        )
        create = create_account(
            CreateAccountParams(
                from_pubkey=me,
                to_pubkey=key.pubkey(),
                lamports=self.chain.svm.minimum_balance_for_rent_exemption(165),
                space=165,
                owner=TOKEN_PROGRAM_ID,
            )
        )
        self.chain.send([create, initialize_account3(params)], key)
        return key.pubkey()

    def balance(self, account: Pubkey) -> int:
        """Return what a token account holds."""
        return int.from_bytes(self.chain.data(account)[64:72], "little")

    def ix_approve(self, number: int, member: Pubkey) -> Instruction:
        """Return a member's approval."""
        return treasury.ix_approve(member=member, treasury=self.address, proposal=self.proposal_key(number))

    def approve(self, number: int, *members: Keypair) -> None:
        """Approve as each of `members`."""
        for member in members:
            self.chain.send(self.ix_approve(number, member.pubkey()), member)

    def ix_execute(self, number: int, inner: Instruction) -> Instruction:
        """Return the execution of a proposal that holds `inner`."""
        rest = [AccountMeta(m.pubkey, m.is_signer and m.pubkey != self.executor, m.is_writable) for m in inner.accounts]
        return treasury.ix_execute(
            treasury=self.address,
            proposal=self.proposal_key(number),
            remaining_accounts=[*rest, AccountMeta(inner.program_id, False, False)],
        )

    def proposal_key(self, number: int) -> Pubkey:
        """Return the address of proposal `number`."""
        return treasury.pda_proposal(self.address, number)[0]

    def later(self, seconds: int) -> None:
        """Let time pass."""
        self.chain.clock(self.chain.unix_s + seconds)

    def get(self) -> treasury.Treasury:
        """Return the treasury's account."""
        return treasury.Treasury.from_account(self.chain.data(self.address))

    def proposal(self, number: int) -> treasury.Proposal:
        """Return a proposal's account."""
        return treasury.Proposal.from_account(self.chain.data(self.proposal_key(number)))


def pause(kit: TreasuryKit, exchange: Pubkey, level: int) -> Instruction:
    """Return the pause the executor would sign."""
    return market.ix_set_pause(signer=kit.executor, exchange=exchange, level=level)


def level_of(kit: TreasuryKit, exchange: Pubkey) -> int:
    """Return an exchange's pause level."""
    return market.Exchange.from_account(kit.chain.data(exchange)).pause

"""A treasury of three members on a chain in this process, with a test mint and an exchange it governs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import initialize_mint2, mint_to
from spl.token.models import InitializeMint2Params, MintToParams

from chain.clients import market, oracle, treasury
from tests.programs.svm import Chain

ZERO = Pubkey.default()
PARAMS = market.ExchangeParams(
    delay_ms=5_000,
    order_expiry_ms=30_000,
    dispute_ms=60_000,
    fee_e6=50_000,
    initial_margin_e6=15_000_000,
    lp_bps=6_000,
    insurance_bps=2_000,
    protocol_bps=2_000,
    cap_pool_bps=8_000,
    cap_match_bps=2_000,
    cap_user_bps=200,
    tip_lamports=15_000,
    orders_per_minute=0,
    borrow_kink_bps=0,
    borrow_kink_e12=0,
    borrow_max_e12=0,
    liquidation_dust_e6=0,
    challenge_bond_e6=0,
    challenge_ms=0,
    lp_cooldown_s=0,
    outflow_hour_e6=0,
    outflow_day_e6=0,
)


def padded(keys: Sequence[Pubkey]) -> tuple[Pubkey, ...]:
    """Return eight member slots."""
    return (*keys, *[ZERO] * (8 - len(keys)))


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
    def make(n: int = 3, threshold: int = 2) -> TreasuryKit:
        """Load the programs, create a mint and a treasury with `n` members."""
        chain = Chain()
        for client in (oracle, market, treasury):
            chain.load(client.PROGRAM_ID, client.PROGRAM.name)
        mint, authority, key = Keypair(), chain.wallet(), Keypair()
        rent = chain.svm.minimum_balance_for_rent_exemption(82)
        create = create_account(
            CreateAccountParams(
                from_pubkey=chain.payer.pubkey(),
                to_pubkey=mint.pubkey(),
                lamports=rent,
                space=82,
                owner=TOKEN_PROGRAM_ID,
            )
        )
        init = initialize_mint2(
            InitializeMint2Params(
                decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=authority.pubkey()
            )
        )
        chain.send([create, init], mint)
        address = treasury.pda_treasury(key.pubkey())[0]
        kit = TreasuryKit(
            chain,
            [chain.wallet() for _ in range(n)],
            address,
            treasury.pda_executor(address)[0],
            treasury.pda_fees(address)[0],
            mint.pubkey(),
            authority,
        )
        chain.send(kit.ix_init(key.pubkey(), [m.pubkey() for m in kit.members], threshold), key)
        return kit

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
        accounts = tuple(
            treasury.ProposalAccount(address=meta.pubkey, flags=meta.is_signer * 1 + meta.is_writable * 2)
            for meta in inner.accounts
        )
        self.chain.send(
            treasury.ix_create_proposal(
                creator=creator.pubkey(),
                payer=creator.pubkey(),
                treasury=self.address,
                id=number,
                class_=kind,
                program_id=inner.program_id,
                accounts=accounts,
                data=bytes(inner.data),
            ),
            creator,
        )
        return number

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

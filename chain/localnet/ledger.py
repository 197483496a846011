"""The ledger: LiteSVM plus what it leaves to its host (slots, blockhash age, duplicates, history, finality).

No I/O and no ambient clock: `advance` is told the match time, everything else follows from it.
A transaction is confirmed as soon as it is processed and finalized `ROOT_LAG_SLOTS` slots later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from solders.account import Account
from solders.clock import Clock
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from chain.localnet.accounts import LOADER_V3, AccountView, lookup_addresses
from chain.localnet.errors import error_json
from chain.localnet.history import History
from chain.localnet.records import AnyMessage, Change, Landed, NotLandedError, Simulated, message_of
from chain.localnet.slots import GENESIS_SLOT, Slots

FAUCET_LAMPORTS = 400_000_000_000_000_000
_ADVANCE_NONCE = (4).to_bytes(4, "little")
_NEVER_LANDS = {
    "AccountNotFound", "InsufficientFundsForFee", "InvalidAccountForFee", "SanitizeFailure", "AccountLoadedTwice",
    "TooManyAccountLocks", "AddressLookupTableNotFound", "InvalidAddressLookupTableOwner", "UnsupportedVersion",
    "InvalidAddressLookupTableData", "InvalidAddressLookupTableIndex", "AlreadyProcessed", "BlockhashNotFound",
    "InvalidAccountIndex", "SignatureFailure", "MissingSignatureForFee",
}  # fmt: skip


class Ledger:
    """One in-memory cluster with a single node and no forks."""

    def __init__(self, start_unix_ms: int, *, seed: bytes = b"futstar-localnet", max_history: int = 200_000) -> None:
        self.slots = Slots(start_unix_ms, seed)
        # Age, duplicates and signatures are checked here, once, so the SVM need not check them again.
        self._svm = (
            LiteSVM()
            .with_mainnet_features()
            .with_sigverify(False)
            .with_blockhash_check(False)
            .with_transaction_history(0)
        )
        self.accounts = AccountView(self._svm)
        self.history = History(max_history)
        self.transaction_count = 0
        self.on_landed: list[Callable[[Landed, tuple[Change, ...]], None]] = []
        self.on_slot: list[Callable[[int, int], None]] = []
        self._faucet = Keypair.from_seed(bytes(self.slots.genesis_hash))
        self._airdrops = 0
        self._svm.set_account(self._faucet.pubkey(), Account(FAUCET_LAMPORTS, b"", SYSTEM))
        self._set_clock()

    # --- time -----------------------------------------------------------------------------------

    def advance(self, unix_ms: int) -> None:
        """Move to match time `unix_ms`; an earlier time changes nothing."""
        if unix_ms <= self.slots.unix_ms:
            return
        before, after = self.slots.advance(unix_ms)
        self._set_clock()
        if after == before:
            return
        # The SVM's own hash feeds durable nonces: one new value per slot that passes.
        self._svm.expire_blockhash()
        self.accounts.forget(self.slots.root)
        for listener in self.on_slot:
            listener(before, after)

    def _set_clock(self) -> None:
        epoch = self.slots.epoch
        start_s = self.slots.start_unix_ms // 1000
        self._svm.set_clock(Clock(self.slots.slot, start_s, epoch, epoch + 1, self.slots.unix_ms // 1000))

    # --- reading --------------------------------------------------------------------------------

    def account(self, address: Pubkey, *, finalized: bool = False) -> Account | None:
        """Return an account as of now, or as of the finalized root."""
        return self.accounts.at_root(address) if finalized else self.accounts.get(address)

    def program_accounts(self, program: Pubkey, *, finalized: bool = False) -> list[tuple[Pubkey, Account]]:
        """Return every account `program` owns, ordered by address."""
        return self.accounts.owned_by(program, at_root=finalized)

    def latest_blockhash(self, *, finalized: bool = False) -> tuple[Hash, int]:
        """Return the newest blockhash and the last block height at which it is accepted."""
        slot = self.slots.root if finalized else self.slots.slot
        return self.slots.blockhash(slot), self.slots.last_valid_height(slot)

    def rent_exempt_lamports(self, data_len: int) -> int:
        """Return the lamports that make an account of `data_len` bytes rent exempt."""
        return self._svm.minimum_balance_for_rent_exemption(data_len)

    # --- genesis --------------------------------------------------------------------------------

    def add_program(self, program_id: Pubkey, elf: bytes, upgrade_authority: Pubkey | None) -> None:
        """Deploy `elf` under the upgradeable loader as if at genesis; no authority makes it immutable."""
        programdata, _ = Pubkey.find_program_address([bytes(program_id)], LOADER_V3)
        authority = b"\0" + bytes(32) if upgrade_authority is None else b"\1" + bytes(upgrade_authority)
        data = (3).to_bytes(4, "little") + bytes(8) + authority + elf
        self.set_account(programdata, Account(self.rent_exempt_lamports(len(data)), data, LOADER_V3))
        pointer = (2).to_bytes(4, "little") + bytes(programdata)
        self.set_account(
            program_id, Account(self.rent_exempt_lamports(len(pointer)), pointer, LOADER_V3, executable=True)
        )

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account without a transaction; for genesis and tests only."""
        self._svm.set_account(address, account)

    # --- transactions ---------------------------------------------------------------------------

    def airdrop(self, to: Pubkey, lamports: int) -> Landed:
        """Send `lamports` from the faucet by an ordinary transaction; raises `NotLandedError` when it is empty."""
        self._airdrops += 1
        # The counter makes two equal airdrops in one slot two different transactions.
        unique = set_compute_unit_limit(1_000 + self._airdrops % 1_000_000)
        pay = transfer(TransferParams(from_pubkey=self._faucet.pubkey(), to_pubkey=to, lamports=lamports))
        blockhash, _ = self.latest_blockhash()
        message = Message.new_with_blockhash([unique, pay], self._faucet.pubkey(), blockhash)
        return self.process(VersionedTransaction(message, [self._faucet]))

    def process(self, transaction: VersionedTransaction, *, verified: bool = False) -> Landed:
        """Execute and record a transaction; raises `NotLandedError` when no validator could include it.

        A transaction whose instructions fail does land: it pays its fee and `err` tells why.
        `verified` says that the caller has checked the signatures.
        """
        if not verified and not signatures_valid(transaction):
            raise NotLandedError("SignatureFailure")
        refused = self.refusal(transaction)
        if refused:
            raise NotLandedError(refused)
        message = message_of(transaction)
        keys, writable, readonly = self._keys(message)
        may_change = self._writable(message, len(keys), writable)
        before = [self.accounts.get(key) for key in keys]
        self._prepare(keys)
        result = self._svm.send_transaction(transaction)
        err = None
        if isinstance(result, FailedTransactionMetadata):
            err = error_json(result.err())
            if isinstance(err, str) and err in _NEVER_LANDS:
                raise NotLandedError(err)
        meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
        after = [self.accounts.get(key) if may_change[at] else before[at] for at, key in enumerate(keys)]
        keys = tuple(self.history.intern(key) for key in keys)
        landed = Landed(
            signature=transaction.signatures[0],
            slot=self.slots.slot,
            unix_s=self.slots.unix_ms // 1000,
            wire=bytes(transaction),
            err=err,
            meta=meta,
            keys=keys,
            loaded_writable=writable,
            loaded_readonly=readonly,
            pre_balances=_lamports(before),
            post_balances=_lamports(after),
            pre_tokens=self.accounts.token_balances(keys, before),
            post_tokens=self.accounts.token_balances(keys, after),
        )
        changes = tuple(
            Change(key, old, new)
            for key, old, new in zip(keys, before, after, strict=True)
            if old is not new and old != new
        )
        self.accounts.remember(landed.slot, changes)
        self.history.append(landed)
        self.transaction_count += 1
        for listener in self.on_landed:
            listener(landed, changes)
        return landed

    def simulate(self, transaction: VersionedTransaction, *, any_blockhash: bool = False) -> Simulated:
        """Execute without committing. Signatures are not checked; `any_blockhash` also skips its age."""
        try:
            keys, _, _ = self._keys(message_of(transaction))
        except NotLandedError as error:
            return Simulated(error.err, None, (), ())
        refused = None if any_blockhash else self.refusal(transaction)
        if refused:
            return Simulated(refused, None, (), keys)
        self._prepare(keys)
        result = self._svm.simulate_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            return Simulated(error_json(result.err()), result.meta(), (), keys)
        return Simulated(None, result.meta(), tuple(result.post_accounts()), keys)

    def fee_lamports(self, message: AnyMessage) -> int | None:
        """Return the fee of a message; None when its blockhash is unknown or expired."""
        if self.slots.slot_of(message.recent_blockhash) is None:
            return None
        unsigned = [Signature.default()] * message.header.num_required_signatures
        simulated = self.simulate(VersionedTransaction.populate(message, unsigned), any_blockhash=True)
        return simulated.meta.fee() if simulated.meta else None

    def refusal(self, transaction: VersionedTransaction) -> str | None:
        """Return why no block may hold the transaction (age, duplicate), or None."""
        message = message_of(transaction)
        if self.history.get(transaction.signatures[0]) is not None:
            return "AlreadyProcessed"
        if self.slots.slot_of(message.recent_blockhash) is None and not self._is_nonce(message):
            return "BlockhashNotFound"
        return None

    # --- inside ---------------------------------------------------------------------------------

    def _is_nonce(self, message: AnyMessage) -> bool:
        """Whether the message starts by advancing a durable nonce whose stored value is its blockhash."""
        if not message.instructions:
            return False
        first = message.instructions[0]
        keys = message.account_keys
        if first.program_id_index >= len(keys) or keys[first.program_id_index] != SYSTEM:
            return False
        if first.data[:4] != _ADVANCE_NONCE or not first.accounts or first.accounts[0] >= len(keys):
            return False
        nonce = self.accounts.get(keys[first.accounts[0]])
        # Layout: version u32, state u32, authority 32 bytes, the durable hash 32 bytes.
        return nonce is not None and nonce.owner == SYSTEM and nonce.data[40:72] == bytes(message.recent_blockhash)

    def _keys(self, message: AnyMessage) -> tuple[tuple[Pubkey, ...], int, int]:
        static = tuple(message.account_keys)
        if isinstance(message, Message) or not message.address_table_lookups:
            return static, 0, 0
        writable: list[Pubkey] = []
        readonly: list[Pubkey] = []
        for lookup in message.address_table_lookups:
            account = self.accounts.get(lookup.account_key)
            if account is None:
                raise NotLandedError("AddressLookupTableNotFound")
            table = lookup_addresses(account)
            try:
                writable += [table[index] for index in lookup.writable_indexes]
                readonly += [table[index] for index in lookup.readonly_indexes]
            except IndexError:
                raise NotLandedError("InvalidAddressLookupTableIndex") from None
        return (*static, *writable, *readonly), len(writable), len(readonly)

    def _writable(self, message: AnyMessage, count: int, loaded_writable: int) -> list[bool]:
        static = len(message.account_keys)
        header = message.header
        signers = header.num_required_signatures
        last_signer = signers - header.num_readonly_signed_accounts
        last_other = static - header.num_readonly_unsigned_accounts
        flags = [at < last_signer or signers <= at < last_other for at in range(static)]
        return flags + [at < loaded_writable for at in range(count - static)]

    def _prepare(self, keys: Iterable[Pubkey]) -> None:
        if _LOOKUP_PROGRAM in keys or _SLOT_HASHES in keys:
            newest = self.slots.slot - 1
            oldest = max(GENESIS_SLOT - 1, newest - 150)
            self._svm.set_slot_hashes([(slot, self.slots.blockhash(slot)) for slot in range(newest, oldest, -1)])


_LOOKUP_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
_SLOT_HASHES = Pubkey.from_string("SysvarS1otHashes111111111111111111111111111")


def signatures_valid(transaction: VersionedTransaction) -> bool:
    """Whether every required signature is there and is right."""
    required = transaction.message.header.num_required_signatures
    return len(transaction.signatures) == required and all(transaction.verify_with_results())


def _lamports(accounts: list[Account | None]) -> tuple[int, ...]:
    return tuple(account.lamports if account else 0 for account in accounts)


__all__ = ["AnyMessage", "Ledger", "NotLandedError", "TransactionMetadata", "signatures_valid"]

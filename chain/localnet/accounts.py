"""Reading accounts: now, or as they were at the finalized root."""

from __future__ import annotations

from collections import deque

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from chain.localnet.records import Change, TokenBalance

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFXC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS = (TOKEN, TOKEN_2022)
LOADER_V3 = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
LOOKUP_TABLE_META = 56
"""Bytes before the addresses in an address lookup table account."""
_TOKEN_ACCOUNT_LEN = 165
_MINT_LEN = 82


def lookup_addresses(account: Account | None) -> list[Pubkey]:
    """Return the addresses an address lookup table holds."""
    data = account.data[LOOKUP_TABLE_META:] if account else b""
    return [Pubkey.from_bytes(data[at : at + 32]) for at in range(0, len(data) - 31, 32)]


class AccountView:
    """Accounts of the SVM, with a journal that can give the state at the finalized root."""

    def __init__(self, svm: LiteSVM) -> None:
        self._svm = svm
        self._journal: dict[Pubkey, deque[tuple[int, Account | None]]] = {}
        self._order: deque[tuple[int, Pubkey]] = deque()
        self._decimals: dict[Pubkey, int] = {}

    def get(self, address: Pubkey) -> Account | None:
        """Return the account now; None when it does not exist (no lamports)."""
        account = self._svm.get_account(address)
        return account if account is not None and account.lamports > 0 else None

    def at_root(self, address: Pubkey) -> Account | None:
        """Return the account as it was at the finalized root."""
        entries = self._journal.get(address)
        return entries[0][1] if entries else self.get(address)

    def owned_by(self, program: Pubkey, *, at_root: bool) -> list[tuple[Pubkey, Account]]:
        """Return every account that `program` owns, ordered by address."""
        found = {key: account for key, account in self._svm.get_program_accounts(program) if account.lamports > 0}
        if at_root:
            for address, entries in self._journal.items():
                found.pop(address, None)
                before = entries[0][1]
                if before is not None and before.owner == program:
                    found[address] = before
        return sorted(found.items(), key=lambda item: bytes(item[0]))

    def remember(self, slot: int, changes: tuple[Change, ...]) -> None:
        """Keep what accounts were before `slot` changed them, until that slot is final."""
        for change in changes:
            entries = self._journal.setdefault(change.address, deque())
            if not entries or entries[-1][0] != slot:
                entries.append((slot, change.before))
                self._order.append((slot, change.address))

    def forget(self, root: int) -> None:
        """Drop what is no longer needed once `root` is final."""
        while self._order and self._order[0][0] <= root:
            _, address = self._order.popleft()
            entries = self._journal[address]
            entries.popleft()
            if not entries:
                del self._journal[address]

    def token_balances(self, keys: tuple[Pubkey, ...], accounts: list[Account | None]) -> tuple[TokenBalance, ...]:
        """Return the token balances among `accounts`, which stand in the order of `keys`."""
        found = []
        for index, account in enumerate(accounts):
            if account is None or account.owner not in TOKEN_PROGRAMS:
                continue
            data = account.data
            if len(data) < _TOKEN_ACCOUNT_LEN:
                continue
            mint = Pubkey.from_bytes(data[0:32])
            found.append(
                TokenBalance(
                    account_index=index,
                    mint=mint,
                    owner=Pubkey.from_bytes(data[32:64]),
                    program_id=account.owner,
                    amount=int.from_bytes(data[64:72], "little"),
                    decimals=self.decimals(mint),
                )
            )
        return tuple(found)

    def decimals(self, mint: Pubkey) -> int:
        """Return the decimals of a mint; 0 when there is no such mint."""
        known = self._decimals.get(mint)
        if known is None:
            account = self.get(mint)
            if account is None or len(account.data) < _MINT_LEN:
                return 0
            known = self._decimals[mint] = account.data[44]
        return known

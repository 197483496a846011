"""Landed transactions by signature, by address and by slot; bounded, oldest out first."""

from __future__ import annotations

from collections import deque

from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.localnet.records import Landed


class History:
    """The newest `limit` landed transactions."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_signature: dict[Signature, Landed] = {}
        self._by_address: dict[Pubkey, deque[Landed]] = {}
        self._by_slot: dict[int, list[Landed]] = {}
        self._order: deque[Landed] = deque()
        self._keys: dict[Pubkey, Pubkey] = {}

    def __len__(self) -> int:
        return len(self._order)

    def intern(self, key: Pubkey) -> Pubkey:
        """Return one shared object per address: thousands of transactions name the same few."""
        return self._keys.setdefault(key, key)

    def append(self, landed: Landed) -> None:
        """Add the newest transaction and drop the oldest when full."""
        self._by_signature[landed.signature] = landed
        self._by_slot.setdefault(landed.slot, []).append(landed)
        self._order.append(landed)
        for key in set(landed.keys):
            self._by_address.setdefault(key, deque()).append(landed)
        if len(self._order) > self._limit:
            self._drop(self._order.popleft())

    def _drop(self, landed: Landed) -> None:
        del self._by_signature[landed.signature]
        for key in set(landed.keys):
            rows = self._by_address[key]
            rows.popleft()  # the oldest overall is the oldest of each of its addresses
            if not rows:
                del self._by_address[key]
                self._keys.pop(key, None)
        block = self._by_slot[landed.slot]
        block.pop(0)
        if not block:
            del self._by_slot[landed.slot]

    def get(self, signature: Signature) -> Landed | None:
        """Return the transaction, or None."""
        return self._by_signature.get(signature)

    def block(self, slot: int) -> list[Landed]:
        """Return the transactions of a slot in order."""
        return self._by_slot.get(slot, [])

    def first_slot(self) -> int | None:
        """Return the slot of the oldest transaction that is kept; None when there is none."""
        return self._order[0].slot if self._order else None

    def of_address(
        self, address: Pubkey, *, newest_slot: int, before: Signature | None, until: Signature | None, limit: int
    ) -> list[Landed]:
        """Return transactions that name `address`, newest first, older than `before`, newer than `until`."""
        found: list[Landed] = []
        skipping = before is not None
        for landed in reversed(self._by_address.get(address, ())):
            if skipping:
                skipping = landed.signature != before
                continue
            if landed.signature == until or len(found) >= limit:
                break
            if landed.slot <= newest_slot:
                found.append(landed)
        return found

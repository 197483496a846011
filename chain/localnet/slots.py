"""Slots, block heights and blockhashes as pure functions of match time."""

from __future__ import annotations

import hashlib

from solders.hash import Hash

SLOT_MS = 400
"""Length of a slot in milliseconds of match time."""
GENESIS_SLOT = 1_000
SKIPPED_SLOTS = 100
"""Slots without a block before genesis: slot and block height differ, as on a real cluster, so mixing them up shows."""
BLOCKHASH_SLOTS = 150
"""A blockhash is accepted while it is at most this many blocks old."""
ROOT_LAG_SLOTS = 32
"""A block is final this many slots after it was produced."""
START_SLOT = GENESIS_SLOT + ROOT_LAG_SLOTS
"""Where the cluster stands at its start time: genesis is the finalized root, nothing later is."""
SLOTS_PER_EPOCH = 432_000


class Slots:
    """Where the cluster is: current slot, root, and the blockhashes that still count."""

    def __init__(self, start_unix_ms: int, seed: bytes) -> None:
        self.start_unix_ms = start_unix_ms
        self.unix_ms = start_unix_ms
        self._seed = hashlib.sha256(seed).digest()
        self.slot = START_SLOT
        self._valid: dict[Hash, int] = {self.blockhash(slot): slot for slot in range(GENESIS_SLOT, START_SLOT + 1)}

    @property
    def root(self) -> int:
        """The newest finalized slot."""
        return self.slot - ROOT_LAG_SLOTS

    @property
    def epoch(self) -> int:
        """The epoch of the current slot."""
        return self.slot // SLOTS_PER_EPOCH

    @property
    def genesis_hash(self) -> Hash:
        """A hash that is the same for every run with the same seed."""
        return Hash(self._seed)

    def blockhash(self, slot: int) -> Hash:
        """Return the blockhash of `slot`; a hash of the seed and the number, so no list has to be kept."""
        return Hash(hashlib.sha256(self._seed + slot.to_bytes(8, "little")).digest())

    def height(self, slot: int) -> int:
        """Return the block height of `slot`."""
        return slot - SKIPPED_SLOTS

    def last_valid_height(self, slot: int) -> int:
        """Return the last block height at which the blockhash of `slot` is accepted."""
        return self.height(slot) + BLOCKHASH_SLOTS

    def slot_of(self, blockhash: Hash) -> int | None:
        """Return the slot of a blockhash that is still accepted; None for unknown and expired ones."""
        return self._valid.get(blockhash)

    def time_ms(self, slot: int) -> int:
        """Return the match time in Unix milliseconds at which `slot` starts."""
        return self.start_unix_ms + (slot - START_SLOT) * SLOT_MS

    def advance(self, unix_ms: int) -> tuple[int, int]:
        """Move to match time `unix_ms` (an earlier time changes nothing); return the slots before and after."""
        before = self.slot
        self.unix_ms = max(self.unix_ms, unix_ms)
        self.slot = START_SLOT + (self.unix_ms - self.start_unix_ms) // SLOT_MS
        oldest = self.slot - BLOCKHASH_SLOTS
        for slot in range(max(before + 1, oldest), self.slot + 1):
            self._valid[self.blockhash(slot)] = slot
        if self.slot != before:
            while True:
                first = next(iter(self._valid))
                if self._valid[first] >= oldest:
                    break
                del self._valid[first]
        return before, self.slot

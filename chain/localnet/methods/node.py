"""What every method handler works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chain.localnet.clock import MatchClock
from chain.localnet.errors import min_context_slot
from chain.localnet.ledger import Ledger
from chain.localnet.params import Config, Params

API_VERSION = "3.0.0"
"""The release of the reference node whose answers these methods follow."""


@dataclass(frozen=True, slots=True)
class Node:
    """The ledger and the clock behind one server."""

    ledger: Ledger
    clock: MatchClock

    def tick(self) -> None:
        """Bring the ledger to the present."""
        self.ledger.advance(self.clock.now_ms())

    def slot(self, config: Config) -> int:
        """Return the slot of the requested commitment; raises when `minContextSlot` is ahead of it."""
        slots = self.ledger.slots
        slot = slots.root if config.finalized else slots.slot
        wanted = config.integer("minContextSlot", None)
        if wanted is not None and slot < wanted:
            raise min_context_slot(slot)
        return slot

    def in_context(self, config: Config, value: Any) -> dict[str, Any]:
        """Return `value` with the slot it belongs to."""
        return {"context": {"apiVersion": API_VERSION, "slot": self.slot(config)}, "value": value}


Handler = Callable[[Node, Params], Any]
